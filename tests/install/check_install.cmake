# Installs a build, moves the installation, and lets a project of its own use it
# from there: what is installed must be complete and hold no path of the build.

get_filename_component(consumer "${CMAKE_CURRENT_LIST_FILE}" DIRECTORY)
set(first "${WORK_DIR}/first")
set(moved "${WORK_DIR}/moved")
file(REMOVE_RECURSE "${WORK_DIR}")

function(check)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(NOTICE "${output}")
    message(FATAL_ERROR "failed: ${command}")
  endif()
endfunction()

check("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${first}" --config "${CONFIG}")
file(RENAME "${first}" "${moved}")

file(GLOB package_files "${moved}/${LIBDIR}/cmake/dempilot/*" "${moved}/${LIBDIR}/pkgconfig/*")
foreach(file IN LISTS package_files)
  file(READ "${file}" text)
  foreach(path IN ITEMS "${first}" "${BUILD_DIR}" "$ENV{HOME}/")
    string(FIND "${text}" "${path}" where)
    if(NOT where EQUAL -1)
      message(FATAL_ERROR "${file} holds the path ${path}, so the package cannot be moved.")
    endif()
  endforeach()
endforeach()

set(flags "")
if(SANITIZE)
  set(flags -fsanitize=address,undefined)
endif()

# check_consumer(SOURCE BUILD ARG…): configures and builds a project against the
# moved installation.
function(check_consumer source build)
  check(
    "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${source}" -B "${build}" "-DCMAKE_BUILD_TYPE=${CONFIG}"
    "-DCMAKE_PREFIX_PATH=${moved}" ${ARGN}
  )
  check("${CMAKE_COMMAND}" --build "${build}" --config "${CONFIG}")
endfunction()

check_consumer(
  "${consumer}" "${WORK_DIR}/build" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}"
  "-DCMAKE_CXX_FLAGS=${flags}" "-DKokkos_DIR=${KOKKOS_DIR}"
)
check("${WORK_DIR}/build/consumer")
if(EXISTS "${moved}/bin/dempilot")
  check("${moved}/bin/dempilot" --help)
endif()

# The C API: for a project that knows no C++, and for one that knows no CMake.
if(C_API)
  get_filename_component(root "${consumer}/../.." ABSOLUTE)
  set(policy "${root}/sim_examples/lighthouse/lighthouse.policy.h5")
  set(example "${root}/plugin/c/example.c")
  check_consumer(
    "${consumer}/c" "${WORK_DIR}/build-c" "-DCMAKE_C_COMPILER=${C_COMPILER}"
    "-DCMAKE_C_FLAGS=${flags}" "-DEXAMPLE=${example}"
  )
  check("${WORK_DIR}/build-c/consumer" "${policy}")

  set(ENV{PKG_CONFIG_PATH} "${moved}/${LIBDIR}/pkgconfig")
  execute_process(
    COMMAND "${PKG_CONFIG}" --cflags --libs dempilot
    OUTPUT_VARIABLE pkg_flags
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY
  )
  separate_arguments(pkg_flags UNIX_COMMAND "${pkg_flags}")
  set(program "${WORK_DIR}/pkg-config-consumer")
  check("${C_COMPILER}" ${flags} "${example}" -o "${program}" ${pkg_flags})
  set(ENV{LD_LIBRARY_PATH} "${moved}/${LIBDIR}")
  check("${program}" "${policy}")
endif()
