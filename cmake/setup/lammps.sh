# LAMMPS with the PLUGIN package, which Debian's binaries lack. Built from Debian
# 13's source package, on Debian 12 too, unless the user has a LAMMPS.

lammps_version=20250204
lammps_upstream=$lammps_version+dfsg.1
lammps_cached_source=$cache_dir/src/lammps-$lammps_version
lammps_options=(
  -DCMAKE_BUILD_TYPE=Release
  -DBUILD_SHARED_LIBS=ON # every symbol that a plugin may need is then there
  -DBUILD_MPI=ON
  -DBUILD_OMP=ON
  -DLAMMPS_SIZES=smallbig
  -DPKG_PLUGIN=ON
  -DPKG_GRANULAR=ON
  -DPKG_ASPHERE=ON
  -DPKG_RIGID=ON
  -DPKG_DIPOLE=ON
  -DPKG_BROWNIAN=ON
  -DWITH_JPEG=ON
  -DWITH_PNG=ON
  -DWITH_GZIP=OFF
  -DWITH_FFMPEG=OFF
  -DWITH_CURL=OFF
)

build_lammps() {
  local prefix=$1 work=$cache_dir/work/${1##*/} log=$cache_dir/logs/lammps.log
  unpack_source lammps "$lammps_upstream" "$lammps_cached_source" 1 \
    '*/src' '*/cmake' '*/lib' '*/LICENSE' '*/README'
  ! is_complete "$prefix" || return 0
  heading "Building LAMMPS $lammps_version (3 to 6 minutes on two cores)"
  ! command -v lmp >/dev/null ||
    note "the lmp on the PATH is not used: LAMMPS_SOURCE_DIR does not name the source it was built from"
  : >"$log"
  logged "$log" cmake -G Ninja -S "$lammps_cached_source/cmake" -B "$work" "${lammps_options[@]}" \
    -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON -DCMAKE_INSTALL_RPATH='$ORIGIN/../lib'
  logged "$log" cmake --build "$work" --target lmp
  rm -rf "$work.install"
  mkdir -p "$work.install"/{bin,lib}
  cp "$work/lmp" "$work.install/bin/"
  cp -P "$work"/liblammps.so* "$work.install/lib/"
  publish "$work.install" "$prefix"
  rm -rf "$work"
}

# user_lammps: whether the user names a LAMMPS: its source tree by
# LAMMPS_SOURCE_DIR, its binary by LAMMPS_BINARY or as lmp on the PATH.
user_lammps() {
  local binary=${LAMMPS_BINARY:-}
  if [[ -z ${LAMMPS_SOURCE_DIR:-} ]]; then
    [[ -z $binary ]] || fail "LAMMPS_BINARY is set but LAMMPS_SOURCE_DIR is not" \
      "the plugin is compiled against the headers of the LAMMPS that loads it" \
      "Set LAMMPS_SOURCE_DIR to the source tree from which $binary was built, or unset LAMMPS_BINARY."
    return 1
  fi
  [[ -f $LAMMPS_SOURCE_DIR/src/lammps.h ]] || fail "no LAMMPS source in LAMMPS_SOURCE_DIR=$LAMMPS_SOURCE_DIR" \
    "it has no src/lammps.h" "Give the top folder of LAMMPS's source tree."
  [[ -n $binary ]] || binary=$(command -v lmp) || fail "LAMMPS_SOURCE_DIR is set but no binary was found" \
    "LAMMPS_BINARY is not set and there is no lmp on the PATH" "Set LAMMPS_BINARY to the lmp built from that source."
  [[ -x $binary && ! -d $binary ]] || fail "LAMMPS_BINARY=$binary cannot be run" \
    "it is not an executable file" "Give the path of lmp itself."
  check_user_lammps "$binary"
  lammps_source=$(realpath "$LAMMPS_SOURCE_DIR")
  lammps_binary=$(realpath -s "$binary")
}

# check_user_lammps BINARY: whether it can load plugins for these sources.
check_user_lammps() {
  local help version
  help=$("$1" -h 2>&1 </dev/null) || fail "$1 does not run" "'$1 -h' failed: $(tail -n 1 <<<"$help")" \
    "Repair it, or unset LAMMPS_SOURCE_DIR and LAMMPS_BINARY to have LAMMPS built."
  grep -qw PLUGIN < <(sed -n '/^Installed packages:/,/^List of/p' <<<"$help") ||
    fail "$1 cannot load plugins" "it was built without LAMMPS's PLUGIN package" \
      "Rebuild it with -D PKG_PLUGIN=on, or unset LAMMPS_SOURCE_DIR and LAMMPS_BINARY to have LAMMPS built."
  version=$(sed -n 's/^#define LAMMPS_VERSION "\(.*\)"/\1/p' "$LAMMPS_SOURCE_DIR/src/version.h")
  grep -qF -- "- $version" <<<"$help" || fail "$1 and LAMMPS_SOURCE_DIR do not match" \
    "the source is of $version, the binary is '$(grep -m 1 'Simulator' <<<"$help")'" \
    "Give the source tree from which the binary was built."
}

# ensure_lammps: sets lammps_source and lammps_binary.
ensure_lammps() {
  local prefix
  ! user_lammps || return 0
  prefix=$(cached_prefix lammps "$lammps_version" "${lammps_options[@]}")
  is_complete "$prefix" && is_complete "$lammps_cached_source" ||
    locked "$cache_dir/lock" build_lammps "$prefix"
  make_current lammps "$prefix"
  make_current lammps-source "$lammps_cached_source"
  lammps_source=$lammps_cached_source
  lammps_binary=$prefix/bin/lmp
}
