# The cache folder: finished builds of what Debian does not package as needed.
#
#   apt/         a private apt: package lists and downloaded source archives
#   src/         unpacked sources
#   work/        builds under way; safe to delete
#   logs/
#   <name>-<version>-<key>/   a finished build
#   current/     links to the builds in use, for CMake without this script
#
# A folder counts as finished only if it holds the stamp `.complete`, which is
# written last. What an interrupted run left behind is continued or redone.

cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/dempilot

# is_complete FOLDER: whether the folder was finished.
is_complete() { [[ -f $1/.complete ]]; }

# publish PARTIAL FINAL: turns a folder whose content is finished into FINAL.
publish() {
  rm -rf "$2"
  mkdir -p "$(dirname "$2")"
  mv -T "$1" "$2"
  : >"$2/.complete.new"
  mv -T "$2/.complete.new" "$2/.complete"
}

# cached_prefix NAME VERSION OPTION…: the folder of the build of NAME with these
# options by this compiler on this system.
cached_prefix() {
  local name=$1 version=$2 system compiler key
  shift 2
  system=$(. /etc/os-release && echo "$ID $VERSION_ID")
  compiler=$("${CXX:-c++}" --version | head -n 1)
  key=$(printf '%s\n' "$system" "$compiler" "$@" | sha256sum)
  echo "$cache_dir/$name-$version-${key:0:10}"
}

# make_current NAME TARGET: lets current/NAME point at TARGET, atomically.
make_current() {
  local link=$cache_dir/current/$1
  [[ $(readlink "$link" 2>/dev/null) != "$2" ]] || return 0
  mkdir -p "$cache_dir/current"
  ln -sfn "$2" "$link.$$"
  mv -fT "$link.$$" "$link"
}

# locked FILE COMMAND…: runs the command while holding the lock FILE. Programs
# that the command starts inherit the lock: when this script is killed, a
# compiler that outlives it keeps others away until it is done.
locked() {
  local file=$1
  shift
  mkdir -p "$(dirname "$file")"
  (
    if ! flock --nonblock 9; then
      note "waiting for another run that holds $file"
      flock 9
    fi
    "$@"
  ) 9>"$file"
}
