# Functions for the tests.

include(GoogleTest)

# dempilot_add_test(NAME name SOURCES file… [LIBRARIES target…]
#                   [BACKENDS serial openmp cuda] [LABELS label…] [FILTER filter])
#
# An executable of GoogleTest cases. With BACKENDS one executable is made for
# each, from the same sources, that differ in the macros
#   DEMPILOT_TEST_EXECUTION_SPACE   Kokkos::Serial, Kokkos::OpenMP or Kokkos::Cuda
#   DEMPILOT_TEST_BACKEND           "serial", "openmp" or "cuda"
# main() comes from the target named by the variable DEMPILOT_TEST_MAIN, by
# default GoogleTest's own. FILTER leaves cases out as GoogleTest's does. Labels
# default to the first folder below tests/.
function(dempilot_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;FILTER" "SOURCES;LIBRARIES;BACKENDS;LABELS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES)
    message(FATAL_ERROR "dempilot_add_test: give NAME and SOURCES (got: ${ARGV})")
  endif()
  if(NOT arg_LABELS)
    file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
    string(REGEX MATCH "^[^/]+" arg_LABELS "${folder}")
  endif()

  if(NOT arg_BACKENDS)
    _dempilot_add_test_executable("${arg_NAME}")
  endif()
  foreach(backend IN LISTS arg_BACKENDS)
    if(backend STREQUAL "serial")
      set(space Kokkos::Serial)
    elseif(backend STREQUAL "openmp")
      set(space Kokkos::OpenMP)
    elseif(backend STREQUAL "cuda")
      set(space Kokkos::Cuda)
    else()
      message(FATAL_ERROR "dempilot_add_test: unknown back end '${backend}' (serial, openmp or cuda)")
    endif()
    string(TOUPPER "${backend}" device)
    if(NOT device IN_LIST Kokkos_DEVICES)
      continue() # the Kokkos in use lacks it
    endif()
    _dempilot_add_test_executable(
      "${arg_NAME}.${backend}" DEMPILOT_TEST_EXECUTION_SPACE=${space}
      DEMPILOT_TEST_BACKEND="${backend}"
    )
  endforeach()
endfunction()

# One executable of dempilot_add_test, with the given definitions.
function(_dempilot_add_test_executable name)
  set(target "test.${name}")
  set(main GTest::gmock_main)
  if(DEMPILOT_TEST_MAIN)
    set(main ${DEMPILOT_TEST_MAIN})
  endif()
  add_executable(${target} ${arg_SOURCES})
  target_compile_definitions(${target} PRIVATE ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES} ${main} GTest::gmock GTest::gtest)
  set_target_properties(
    ${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests"
  )
  gtest_discover_tests(
    ${target}
    TEST_PREFIX "${name}."
    DISCOVERY_TIMEOUT 60
    DISCOVERY_MODE PRE_TEST
    TEST_FILTER "${arg_FILTER}"
    PROPERTIES
      LABELS "${arg_LABELS}"
      TIMEOUT 300
  )
endfunction()

# dempilot_add_package_tests(): tests of what is delivered rather than of what it
# computes: the installed package, and the symbols of the plugins.
function(dempilot_add_package_tests)
  add_test(
    NAME install.consumer
    COMMAND
      ${CMAKE_COMMAND} -D "BUILD_DIR=${PROJECT_BINARY_DIR}" -D "CONFIG=$<CONFIG>" -D
      "WORK_DIR=${PROJECT_BINARY_DIR}/tests/install" -D "GENERATOR=${CMAKE_GENERATOR}"
      -D "C_COMPILER=${CMAKE_C_COMPILER}" -D "CXX_COMPILER=${CMAKE_CXX_COMPILER}" -D
      "KOKKOS_DIR=${Kokkos_DIR}" -D "C_API=${DEMPILOT_BUILD_C_API}" -D
      "PKG_CONFIG=${PKG_CONFIG_EXECUTABLE}"
      -D "LIBDIR=${CMAKE_INSTALL_LIBDIR}" -D "SANITIZE=${DEMPILOT_SANITIZE}" -P
      "${PROJECT_SOURCE_DIR}/tests/install/check_install.cmake"
  )
  set_tests_properties(install.consumer PROPERTIES LABELS install TIMEOUT 600)

  get_property(plugins GLOBAL PROPERTY DEMPILOT_LAMMPS_PLUGINS)
  foreach(plugin IN LISTS plugins)
    add_test(
      NAME plugin.lammps.exported_symbols.${plugin}
      COMMAND
        ${CMAKE_COMMAND} -D "NM=${CMAKE_NM}" -D "PLUGIN=$<TARGET_FILE:${plugin}>" -P
        "${PROJECT_SOURCE_DIR}/tests/plugin/lammps/exported_symbols.cmake"
    )
    set_tests_properties(plugin.lammps.exported_symbols.${plugin} PROPERTIES LABELS plugin)
  endforeach()
endfunction()
