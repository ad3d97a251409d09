# Finds what DEMPilot is built on. Everything is looked for in the usual places
# first (CMAKE_PREFIX_PATH, <Package>_ROOT, the system). What ./run has built is
# found too: its cache folder keeps links to the builds in use in current/.

find_package(HDF5 REQUIRED COMPONENTS C) # hdf5::hdf5, the serial C library
find_package(fmt REQUIRED) # fmt::fmt-header-only
find_package(nlohmann_json REQUIRED)

if(DEMPILOT_BUILD_FUZZERS)
  return() # the files' loader needs no more
endif()

if(DEFINED ENV{XDG_CACHE_HOME})
  set(_dempilot_cache "$ENV{XDG_CACHE_HOME}/dempilot")
else()
  set(_dempilot_cache "$ENV{HOME}/.cache/dempilot")
endif()
set(DEMPILOT_CACHE_DIR "${_dempilot_cache}"
    CACHE PATH "Folder in which ./run keeps the dependencies that it builds"
)
mark_as_advanced(DEMPILOT_CACHE_DIR)

find_package(Kokkos QUIET PATHS "${DEMPILOT_CACHE_DIR}/current/kokkos")
if(NOT Kokkos_FOUND)
  message(
    FATAL_ERROR
      "Kokkos was not found (it is neither in CMAKE_PREFIX_PATH nor built by ./run). Run "
      "'./run build' once, or give -D Kokkos_ROOT=<its installation folder>."
  )
endif()
if(Kokkos_VERSION VERSION_LESS 3.4 OR Kokkos_VERSION VERSION_GREATER_EQUAL 6)
  message(
    FATAL_ERROR
      "Kokkos ${Kokkos_VERSION} in ${Kokkos_DIR} cannot be used (DEMPilot needs 3.4 to 5.x). "
      "Give -D Kokkos_ROOT=<another installation folder>."
  )
endif()
message(STATUS "Kokkos ${Kokkos_VERSION}: ${Kokkos_DIR} (${Kokkos_DEVICES})")
if(Kokkos_ENABLE_CUDA)
  include(DempilotCuda)
endif()


find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Random123 REQUIRED)
find_package(hwy 1.0.3 REQUIRED) # hwy::hwy, Google Highway: vector instructions

if(DEMPILOT_BUILD_CLI)
  find_package(CLI11 REQUIRED)
endif()

if(DEMPILOT_BUILD_LAMMPS_PLUGIN OR DEMPILOT_BUILD_LAMMPS_KK_PLUGIN)
  find_package(LAMMPS MODULE REQUIRED)
endif()

set(DEMPILOT_KOKKOS Kokkos::kokkos)
if(DEMPILOT_BUILD_LAMMPS_KK_PLUGIN)
  include(DempilotEngineKokkos)
endif()

if(DEMPILOT_BUILD_TESTS)
  find_package(GTest REQUIRED)
  if(DEMPILOT_BUILD_C_API)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
    find_package(Threads REQUIRED)
  endif()
endif()
