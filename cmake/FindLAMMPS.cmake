# Finds the LAMMPS that the plugin is made for: its source tree, whose headers a
# plugin is compiled against, and its executable. Both come from the user
# (LAMMPS_SOURCE_DIR, then LAMMPS_EXECUTABLE, LAMMPS_BINARY in the environment,
# or lmp on the PATH), else from ./run's cache folder.
#
# Defines the target dempilot::lammps_headers (headers, MPI, and the definitions
# of the LAMMPS in use), for a LAMMPS with KOKKOS also
# dempilot::lammps_kokkos_headers, and sets
#   LAMMPS_EXECUTABLE   the lmp for tests and simulations
#   LAMMPS_VERSION      e.g. "4 Feb 2025"
#   LAMMPS_PACKAGES     the optional packages that lmp holds
#   LAMMPS_LIBRARY      the liblammps.so that lmp is made of; empty: none

set(LAMMPS_SOURCE_DIR "$ENV{LAMMPS_SOURCE_DIR}"
    CACHE PATH "Top folder of LAMMPS's source tree; empty: the one that ./run keeps"
)
set(LAMMPS_EXECUTABLE "$ENV{LAMMPS_BINARY}"
    CACHE FILEPATH "The lmp built from LAMMPS_SOURCE_DIR; empty: lmp on the PATH, or ./run's"
)

include(FindPackageHandleStandardArgs)
set(_lammps_current "${DEMPILOT_CACHE_DIR}/current")
if(LAMMPS_SOURCE_DIR)
  set(_lammps_source "${LAMMPS_SOURCE_DIR}")
  if(NOT LAMMPS_EXECUTABLE)
    unset(LAMMPS_EXECUTABLE CACHE)
    find_program(LAMMPS_EXECUTABLE lmp DOC "The lmp built from LAMMPS_SOURCE_DIR")
  endif()
elseif(LAMMPS_EXECUTABLE)
  message(
    FATAL_ERROR
      "LAMMPS_EXECUTABLE is set but LAMMPS_SOURCE_DIR is not (the plugin is compiled against the "
      "headers of the LAMMPS that loads it). Give -D LAMMPS_SOURCE_DIR=<its source tree>."
  )
else()
  set(_lammps_source "${_lammps_current}/lammps-source")
  set(LAMMPS_EXECUTABLE "${_lammps_current}/lammps/bin/lmp")
endif()
if(NOT EXISTS "${_lammps_source}/src/lammps.h" OR NOT EXISTS "${LAMMPS_EXECUTABLE}")
  message(
    FATAL_ERROR
      "LAMMPS was not found (source: '${_lammps_source}', executable: '${LAMMPS_EXECUTABLE}'). Run "
      "'./run build' once, or give -D LAMMPS_SOURCE_DIR=<source tree> -D LAMMPS_EXECUTABLE=<lmp>, "
      "or -D DEMPILOT_BUILD_LAMMPS_PLUGIN=OFF."
  )
endif()

# What lmp says of itself.
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
          "${LAMMPS_EXECUTABLE}" -h
  OUTPUT_VARIABLE _lammps_help
  ERROR_VARIABLE _lammps_help_errors
  RESULT_VARIABLE _lammps_help_result
  TIMEOUT 60
)
if(NOT _lammps_help_result EQUAL 0)
  message(
    FATAL_ERROR
      "${LAMMPS_EXECUTABLE} does not run ('lmp -h' failed: ${_lammps_help_errors}). Repair it, or "
      "give another -D LAMMPS_EXECUTABLE."
  )
endif()
string(REGEX MATCH "Parallel Simulator - ([^\r\n]+)" _ "${_lammps_help}")
set(LAMMPS_VERSION "${CMAKE_MATCH_1}")
string(REGEX MATCH "Installed packages:[\r\n ]+([-A-Z0-9_ \r\n]*[A-Z0-9])[ ]*\n" _ "${_lammps_help}")
string(REGEX MATCHALL "[-A-Z0-9_]+" LAMMPS_PACKAGES "${CMAKE_MATCH_1}")
string(REGEX MATCHALL "-DLAMMPS_[A-Z]+BIG|-DLAMMPS_SMALLSMALL" _lammps_sizes "${_lammps_help}")
list(TRANSFORM _lammps_sizes REPLACE "^-D" "")

file(STRINGS "${_lammps_source}/src/version.h" _lammps_source_version REGEX LAMMPS_VERSION)
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" _lammps_source_version "${_lammps_source_version}")
string(FIND "${LAMMPS_VERSION}" "${_lammps_source_version}" _lammps_match)
if(NOT _lammps_match EQUAL 0)
  message(
    FATAL_ERROR
      "LAMMPS_SOURCE_DIR and LAMMPS_EXECUTABLE do not match (the source is of "
      "${_lammps_source_version}, the binary of ${LAMMPS_VERSION}). Give the source tree from which "
      "the binary was built."
  )
endif()
if(NOT "PLUGIN" IN_LIST LAMMPS_PACKAGES)
  message(
    FATAL_ERROR
      "${LAMMPS_EXECUTABLE} cannot load plugins (it was built without LAMMPS's PLUGIN package). "
      "Rebuild it with -D PKG_PLUGIN=on, or give another -D LAMMPS_EXECUTABLE."
  )
endif()
if(_lammps_help MATCHES "MPI STUBS")
  message(
    FATAL_ERROR
      "${LAMMPS_EXECUTABLE} was built without MPI (the plugin calls MPI). Rebuild it with "
      "-D BUILD_MPI=on, or give another -D LAMMPS_EXECUTABLE."
  )
endif()

if(DEMPILOT_BUILD_LAMMPS_KK_PLUGIN)
  if(NOT "KOKKOS" IN_LIST LAMMPS_PACKAGES)
    message(
      FATAL_ERROR
        "${LAMMPS_EXECUTABLE} was built without LAMMPS's KOKKOS package (fix pilot/kk is a style of "
        "it). Rebuild it with -D PKG_KOKKOS=on -D EXTERNAL_KOKKOS=on, or give another "
        "-D LAMMPS_EXECUTABLE."
    )
  endif()
  string(REGEX MATCH "Kokkos library version: ([0-9.]+)" _ "${_lammps_help}")
  if(NOT CMAKE_MATCH_1 VERSION_EQUAL Kokkos_VERSION)
    message(
      FATAL_ERROR
        "${LAMMPS_EXECUTABLE} was built with Kokkos ${CMAKE_MATCH_1} (the plugin would be built with "
        "${Kokkos_VERSION}, from ${Kokkos_DIR}). Give -D Kokkos_ROOT=<that of LAMMPS>."
    )
  endif()
endif()

execute_process(COMMAND ldd "${LAMMPS_EXECUTABLE}" OUTPUT_VARIABLE _lammps_needs ERROR_QUIET)
string(REGEX MATCH "liblammps[^ ]* => ([^ ]+)" _ "${_lammps_needs}")
set(LAMMPS_LIBRARY "${CMAKE_MATCH_1}")

set(MPI_CXX_SKIP_MPICXX TRUE)
find_package(MPI REQUIRED COMPONENTS CXX)

find_package_handle_standard_args(
  LAMMPS REQUIRED_VARS LAMMPS_EXECUTABLE _lammps_source VERSION_VAR LAMMPS_VERSION
)

if(NOT TARGET dempilot::lammps_headers)
  add_library(dempilot::lammps_headers INTERFACE IMPORTED)
  target_include_directories(dempilot::lammps_headers INTERFACE "${_lammps_source}/src")
  target_compile_definitions(dempilot::lammps_headers INTERFACE ${_lammps_sizes})
  target_link_libraries(dempilot::lammps_headers INTERFACE MPI::MPI_CXX)
endif()
if("KOKKOS" IN_LIST LAMMPS_PACKAGES AND NOT TARGET dempilot::lammps_kokkos_headers)
  add_library(dempilot::lammps_kokkos_headers INTERFACE IMPORTED)
  target_include_directories(
    dempilot::lammps_kokkos_headers INTERFACE "${_lammps_source}/src/KOKKOS"
  )
  target_compile_definitions(dempilot::lammps_kokkos_headers INTERFACE LMP_KOKKOS)
  target_link_libraries(dempilot::lammps_kokkos_headers INTERFACE dempilot::lammps_headers)
endif()
