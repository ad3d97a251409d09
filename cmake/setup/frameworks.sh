# The frameworks that policies are converted from, for ./run test-frameworks: one
# Python environment for JAX, one for PyTorch, which is Debian's. A third is for
# ./run bench: today's PyTorch and ONNX Runtime. Nothing else of DEMPilot needs them. A fourth
# holds no framework, but CUDA's compiler.

framework_packages=(python3-venv python3-pip python3-torch python3-pandas python3-h5py python3-pytest)
framework_lists=$root/cmake/setup/frameworks

# fill_environment FOLDER LIST OPTION…: makes a virtual environment with what LIST
# pins. It is moved once it is complete, so nothing may call its scripts, only
# bin/python -m.
fill_environment() {
  local final=$1 list=$2 log=$cache_dir/logs/${1##*/}.log install=(--only-binary :all:)
  shift 2
  ! is_complete "$final" || return 0
  heading "Installing the frameworks in ${list##*/} (about a minute)"
  # another PyTorch than Debian's is a gigabyte and would come with a CUDA
  [[ $* != *--system-site-packages* ]] || install+=(--no-deps)
  rm -rf "$final.partial"
  logged "$log" /usr/bin/python3 -m venv "$@" "$final.partial"
  logged "$log" "$final.partial/bin/python" -m pip install --quiet "${install[@]}" -r "$list"
  publish "$final.partial" "$final"
}

# environment NAME OPTION…: prints the folder of the environment that NAME.txt pins.
environment() {
  local name=$1 list=$framework_lists/$1.txt prefix
  shift
  prefix=$(cached_prefix "frameworks-$name" "$(/usr/bin/python3 -c 'import platform; print(platform.python_version())')" "$(<"$list")")
  is_complete "$prefix" || locked "$cache_dir/lock-frameworks" fill_environment "$prefix" "$list" "$@" >&2
  make_current "frameworks-$name" "$prefix"
  echo "$prefix"
}

# ensure_frameworks: sets jax_python and torch_python.
ensure_frameworks() {
  ensure_packages "${framework_packages[@]}"
  jax_python=$(environment jax)/bin/python
  torch_python=$(environment torch --system-site-packages)/bin/python
}

# ensure_bench_frameworks: names for ./run bench the Pythons of those it compares with.
ensure_bench_frameworks() {
  DEMPILOT_BENCH_JAX=$(environment jax)/bin/python
  DEMPILOT_BENCH_TORCH=$(environment bench)/bin/python
  export DEMPILOT_BENCH_JAX DEMPILOT_BENCH_TORCH
}

# knows_cpp20 NVCC: whether it compiles C++20, as that of CUDA 12 and later does.
knows_cpp20() {
  [[ $("$1" --version 2>/dev/null) =~ release\ ([0-9]+)\. && ${BASH_REMATCH[1]} -ge 12 ]]
}

# ensure_cuda_compiler: sets nvcc, that of CUDACXX, of the PATH if it is new enough, or PyPI's.
ensure_cuda_compiler() {
  local folder
  nvcc=${CUDACXX:-$(command -v nvcc || true)}
  if [[ -n ${CUDACXX-} ]] || knows_cpp20 "$nvcc"; then
    return
  fi
  ensure_packages python3-venv python3-pip
  for folder in "$(environment cuda)"/lib/python*/site-packages/nvidia/cu*; do
    nvcc=$folder/bin/nvcc
    # where nvcc looks for its libraries, unlike its packages
    [[ -e $folder/lib64 ]] || ln -s lib "$folder/lib64"
  done
  [[ -x $nvcc ]] || fail "no CUDA compiler" "its packages from PyPI hold none" \
    "Name one of CUDA 12 or later in CUDACXX."
}
