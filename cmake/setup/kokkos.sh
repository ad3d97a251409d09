# Kokkos with OpenMP and Serial, static and position independent, so that the
# LAMMPS plugin can keep its own Kokkos hidden. Built from the copy in Debian's
# trilinos source package unless the user has a Kokkos.

kokkos_version=3.4.01
kokkos_source=$cache_dir/src/kokkos-$kokkos_version
kokkos_options=(
  -DCMAKE_BUILD_TYPE=Release
  -DCMAKE_CXX_STANDARD=17 # 3.4 knows no C++20 flag of its own; consumers may use C++20
  -DCMAKE_CXX_EXTENSIONS=OFF
  -DCMAKE_CXX_FLAGS='-include cstdint' # which g++ 13 no longer includes by chance
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  -DBUILD_SHARED_LIBS=OFF
  -DKokkos_ENABLE_SERIAL=ON
  -DKokkos_ENABLE_OPENMP=ON
)

# user_kokkos: prints the folder of the KokkosConfig.cmake that the user names
# through Kokkos_DIR, Kokkos_ROOT or CMAKE_PREFIX_PATH.
user_kokkos() {
  local prefix prefixes config
  IFS=: read -r -a prefixes <<<"${Kokkos_ROOT:-}:${CMAKE_PREFIX_PATH:-}"
  for config in "${Kokkos_DIR:-}"/KokkosConfig.cmake; do
    [[ ! -f $config ]] || { dirname "$config"; return; }
  done
  for prefix in "${prefixes[@]}"; do
    [[ -n $prefix ]] || continue
    for config in "$prefix"/lib{,64,/*}/cmake/Kokkos/KokkosConfig.cmake; do
      [[ ! -f $config ]] || { dirname "$config"; return; }
    done
  done
  [[ -z ${Kokkos_ROOT:-} ]] || fail "no Kokkos in Kokkos_ROOT=$Kokkos_ROOT" \
    "it has no lib/cmake/Kokkos/KokkosConfig.cmake" \
    "Give Kokkos's installation folder, or unset Kokkos_ROOT to have Kokkos built."
}

build_kokkos() {
  local prefix=$1 work=$cache_dir/work/${1##*/} log=$cache_dir/logs/kokkos.log
  ! is_complete "$prefix" || return 0
  unpack_source trilinos 13.2.0 "$kokkos_source" 3 '*/packages/kokkos'
  heading "Building Kokkos $kokkos_version (about half a minute)"
  : >"$log"
  rm -rf "$work.install"
  logged "$log" cmake -G Ninja -S "$kokkos_source" -B "$work" "${kokkos_options[@]}" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_PREFIX="$prefix"
  logged "$log" cmake --build "$work"
  logged "$log" cmake --install "$work" --prefix "$work.install"
  publish "$work.install" "$prefix"
  rm -rf "$work"
}

# ensure_kokkos: sets kokkos_config to the folder of KokkosConfig.cmake.
ensure_kokkos() {
  local prefix
  kokkos_config=$(user_kokkos)
  [[ -z $kokkos_config ]] || return 0
  prefix=$(cached_prefix kokkos "$kokkos_version" "${kokkos_options[@]}")
  is_complete "$prefix" || locked "$cache_dir/lock" build_kokkos "$prefix"
  make_current kokkos "$prefix"
  kokkos_config=$prefix/lib/cmake/Kokkos
}
