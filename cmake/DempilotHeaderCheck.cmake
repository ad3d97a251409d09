# The target check_headers compiles every header of core/ and plugin/ on its own,
# so that none leans on what its includer happened to include, and those of the C
# API as C too. It looks at the folders rather than at lists, so that no header
# escapes; CMake must run again to see a new one.

# _dempilot_check_headers(FOLDER LIBRARY…)
function(_dempilot_check_headers folder)
  string(REPLACE "/" "_" target "check_headers_${folder}")
  file(
    GLOB_RECURSE headers
    RELATIVE "${PROJECT_SOURCE_DIR}"
    "${PROJECT_SOURCE_DIR}/${folder}/*.hpp" "${PROJECT_SOURCE_DIR}/${folder}/*.h"
  )
  if(NOT DEMPILOT_BUILD_LAMMPS_KK_PLUGIN)
    list(FILTER headers EXCLUDE REGEX "/kokkos/.*\\.h$") # these are for a LAMMPS with KOKKOS
  endif()
  set(sources)
  foreach(header IN LISTS headers)
    set(source "${PROJECT_BINARY_DIR}/check_headers/${header}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include \"@header@\"\n" @ONLY)
    list(APPEND sources "${source}")
  endforeach()
  if(NOT sources)
    return()
  endif()
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE ${ARGN})
  add_dependencies(check_headers ${target})
endfunction()

# _dempilot_check_c_headers(FOLDER): *.h as C99, which may lean on nothing of ours.
function(_dempilot_check_c_headers folder)
  string(REPLACE "/" "_" target "check_c_headers_${folder}")
  file(GLOB headers "${PROJECT_SOURCE_DIR}/${folder}/*.h")
  set(sources)
  foreach(header IN LISTS headers)
    get_filename_component(name "${header}" NAME)
    set(source "${PROJECT_BINARY_DIR}/check_headers/${folder}/${name}.c")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include \"@header@\"\n" @ONLY)
    list(APPEND sources "${source}")
  endforeach()
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_compile_options(${target} PRIVATE -pedantic-errors -Werror)
  set_target_properties(
    ${target} PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
  )
  add_dependencies(check_headers ${target})
endfunction()

if(PROJECT_IS_TOP_LEVEL)
  add_custom_target(check_headers)
  # Private headers may use what core links privately.
  set(_core_libraries dempilot::core Eigen3::Eigen hdf5::hdf5 fmt::fmt-header-only
                      nlohmann_json::nlohmann_json Random123::Random123 hwy::hwy
  )
  if(TARGET CLI11::CLI11)
    list(APPEND _core_libraries CLI11::CLI11)
  endif()
  _dempilot_check_headers(core ${_core_libraries})
  if(DEMPILOT_BUILD_LAMMPS_KK_PLUGIN)
    list(APPEND _core_libraries Kokkos::kokkos dempilot::lammps_kokkos_headers)
  endif()
  if(DEMPILOT_BUILD_LAMMPS_PLUGIN OR DEMPILOT_BUILD_LAMMPS_KK_PLUGIN)
    _dempilot_check_headers(plugin/lammps ${_core_libraries} dempilot::lammps_headers)
  endif()
  if(DEMPILOT_BUILD_C_API)
    _dempilot_check_headers(plugin/c ${_core_libraries})
    _dempilot_check_c_headers(plugin/c)
  endif()
endif()
