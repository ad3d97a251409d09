# Source archives of Debian packages, by a private apt below the cache folder.
# The machine's apt lists and sources stay as they are and no root is needed.
# The mirror is the machine's own; signatures are checked as apt always does.

archive_dir=$cache_dir/apt
archive_log=$cache_dir/logs/apt.log
archive_suite=trixie
archive_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# private_apt PROGRAM ARGUMENT…: apt-get or apt-cache on the private lists. The
# machine's proxy settings apply; its hooks after an update do not.
private_apt() {
  local program=$1
  shift
  "$program" -c "$archive_dir/apt.conf" "$@"
}

# machine_mirrors: addresses from which this machine may be installing Debian, the
# likeliest first. A machine whose package lists were deleted does not know which
# of its sources is Debian; the signature tells.
machine_mirrors() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  {
    apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' \
      'Label: Debian' 'Component: main' 2>/dev/null || true
    apt-get --print-uris update 2>/dev/null |
      sed -n "s|^'\([^']*\)/dists/$codename/InRelease'.*|\1|p" || true
  } | grep -v '^cdrom:' | awk '!seen[$0]++' || true
}

# write_archive_config MIRROR TYPE KEYRING SUITE…: what the private apt reads.
write_archive_config() {
  local mirror=$1 type=$2 keyring=$3
  shift 3
  mkdir -p "$archive_dir"/{lists/partial,cache/archives/partial,downloads}
  cat >"$archive_dir/dempilot.sources" <<EOF
Types: $type
URIs: $mirror
Suites: $*
Components: main
Signed-By: $keyring
EOF
  cat >"$archive_dir/apt.conf" <<EOF
Dir::State "$archive_dir";
Dir::State::lists "$archive_dir/lists";
Dir::State::status "/dev/null";
Dir::Cache "$archive_dir/cache";
Dir::Etc::sourcelist "$archive_dir/dempilot.sources";
Dir::Etc::sourceparts "/dev/null";
Acquire::Languages "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
EOF
  if ((EUID == 0)); then # apt's own user cannot write below root's home
    echo 'APT::Sandbox::User "root";' >>"$archive_dir/apt.conf"
  fi
}

# update_lists: fails if the lists cannot be had or verified.
update_lists() {
  private_apt apt-get -q --error-on=any update >>"$archive_log" 2>&1
}

# newer_keyring MIRROR: where the machine's keyring is older than the suite, the
# keyring package of the machine's own release, verified by the machine's
# keyring, brings the missing key. Prints the path of the newer keyring.
newer_keyring() {
  local codename
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  write_archive_config "$1" deb "$archive_keyring" "$codename" "$codename-updates"
  update_lists || return
  (cd "$archive_dir/downloads" && rm -f debian-archive-keyring_*.deb &&
    private_apt apt-get -q download debian-archive-keyring >>"$archive_log" 2>&1 &&
    dpkg-deb -x debian-archive-keyring_*.deb "$archive_dir/keyring") || return
  echo "$archive_dir/keyring$archive_keyring"
}

# update_from MIRROR: brings the private lists up to date, or fails.
update_from() {
  local keyring
  write_archive_config "$1" deb-src "$archive_keyring" "$archive_suite"
  : >"$archive_log"
  update_lists && return
  grep -q 'NO_PUBKEY\|not signed' "$archive_log" || return
  keyring=$(newer_keyring "$1") || return
  note "the machine's Debian keyring is older than $archive_suite: using its successor"
  write_archive_config "$1" deb-src "$keyring" "$archive_suite"
  update_lists
}

# update_archive: brings the private lists up to date.
update_archive() {
  local mirror mirrors
  mkdir -p "$(dirname "$archive_log")"
  mapfile -t mirrors < <(machine_mirrors)
  ((${#mirrors[@]})) || fail "no Debian mirror is known" "apt's sources name none" \
    "Add Debian to apt's sources, or name your own LAMMPS_SOURCE_DIR, LAMMPS_BINARY and Kokkos_ROOT."
  for mirror in "${mirrors[@]}"; do
    ! update_from "$mirror" || return 0
  done
  tail -n 15 "$archive_log" >&2
  fail "Debian's list of $archive_suite sources cannot be read" "see $archive_log" \
    "Check the network and the package debian-archive-keyring, then repeat the command."
}

# fetch_source PACKAGE UPSTREAM: downloads the package's upstream archive and
# prints its path. apt checks its hash against the signed list.
fetch_source() {
  local package=$1 upstream=$2 version
  update_archive
  version=$(private_apt apt-cache showsrc --only-source "$package" |
    awk -v prefix="$upstream-" '$1 == "Version:" && index($2, prefix) == 1 && !n++ { print $2 }')
  [[ -n $version ]] || fail "the source of $package $upstream was not found" \
    "the machine's mirror offers another version in $archive_suite" \
    "Use a mirror with that version, or name your own LAMMPS_SOURCE_DIR, LAMMPS_BINARY and Kokkos_ROOT."
  (cd "$archive_dir/downloads" && private_apt apt-get -q source --download-only --tar-only \
    --only-source "$package=$version" >>"$archive_log" 2>&1) || {
    tail -n 15 "$archive_log" >&2
    fail "$package $version could not be downloaded" "see $archive_log" "Check the network, then repeat the command."
  }
  ls "$archive_dir/downloads/${package}_${upstream}".orig.tar.*
}

# unpack_source PACKAGE UPSTREAM FINAL STRIP MEMBER…: unpacks the named members
# of the upstream archive (a * stands for one folder's name), without their
# STRIP leading folders.
unpack_source() {
  local package=$1 upstream=$2 final=$3 strip=$4 archive
  shift 4
  ! is_complete "$final" || return 0
  heading "Downloading the source of $package $upstream"
  archive=$(fetch_source "$package" "$upstream")
  note "unpacking $(basename "$archive")"
  rm -rf "$final.partial"
  mkdir -p "$final.partial"
  tar -x -f "$archive" -C "$final.partial" --strip-components="$strip" \
    --no-same-owner --wildcards --no-wildcards-match-slash "$@"
  publish "$final.partial" "$final"
  rm -f "$archive"
}
