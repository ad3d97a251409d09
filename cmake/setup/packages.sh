# Debian packages that the build needs. Nothing is asked of root, of apt or of
# the network when all are there.

build_packages=(
  build-essential cmake ninja-build pkg-config dpkg-dev
  libeigen3-dev libhdf5-dev libfmt-dev nlohmann-json3-dev libcli11-dev librandom123-dev
  libhwy-dev libgtest-dev libgmock-dev libcmocka-dev
  libopenmpi-dev openmpi-bin libjpeg-dev libpng-dev zlib1g-dev
  python3 python3-numpy python3-h5py python3-matplotlib python3-pytest
)
bench_packages=(libbenchmark-dev python3-venv python3-pip python3-dev) # torch.compile reads Python.h
lint_packages=(clang clang-format clang-tidy libclang-rt-dev)

# missing_packages PACKAGE…: prints those that are not installed.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
  comm -13 <(sed -n 's/^.i  *//p' <<<"$installed" | sort -u) <(printf '%s\n' "$@" | sort -u)
}

# as_root COMMAND…: runs it directly, or through sudo.
as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# install_packages PACKAGE…
install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@"
}

# ensure_packages PACKAGE…: installs what is missing of them.
ensure_packages() {
  local missing
  command -v dpkg-query >/dev/null || fail "this is not a Debian system" "it has no dpkg-query" \
    "Install by hand what cmake/setup/packages.sh lists, then use CMake's presets."
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  heading "Installing system packages: ${missing[*]}"
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "system packages are missing" "installing them needs root, and there is no sudo" \
      "As root: apt-get install ${missing[*]}"
  fi
  install_packages "${missing[@]}" >&2 ||
    { as_root apt-get -q update >&2 && install_packages "${missing[@]}" >&2; } ||
    fail "system packages could not be installed" "apt-get failed, see above" \
      "As root: apt-get install ${missing[*]}"
}
