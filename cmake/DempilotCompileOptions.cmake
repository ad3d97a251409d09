# Language, warnings and sanitizers for every target of ours. Third-party
# headers come through imported targets, which CMake passes as system headers.
# Nothing here depends on the machine that compiles: no -march=native, and no
# flag that lets the compiler reorder arithmetic.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

get_property(_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT CMAKE_BUILD_TYPE AND NOT _multi_config AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, RelWithDebInfo or Debug" FORCE)
endif()

# Programs and plugins lie in a build folder as they do once installed.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/dempilot")

add_compile_options(
  "$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>"
)

# dempilot_compile_for_host(SOURCE…): by the host's compiler alone, where the compiler is Kokkos'
# wrapper around that and CUDA's. For all that includes no Kokkos: CUDA's compiler reads less C++.
function(dempilot_compile_for_host)
  if(CMAKE_CXX_COMPILER MATCHES "nvcc_wrapper")
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS --host-only)
  endif()
endfunction()

if(DEMPILOT_SANITIZE)
  if(DEMPILOT_BUILD_LAMMPS_PLUGIN)
    message(
      FATAL_ERROR
        "DEMPILOT_SANITIZE with DEMPILOT_BUILD_LAMMPS_PLUGIN is not supported (lmp itself is not "
        "instrumented and could not load the plugin). Use the preset sanitize, or switch one off."
    )
  endif()
  add_compile_options(
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  )
  add_link_options(-fsanitize=address,undefined)
endif()
