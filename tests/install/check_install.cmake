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

file(GLOB package_files "${moved}/${LIBDIR}/cmake/dempilot/*")
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
  set(flags "-fsanitize=address,undefined")
endif()
check(
  "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${consumer}" -B "${WORK_DIR}/build"
  "-DCMAKE_BUILD_TYPE=${CONFIG}" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}" "-DCMAKE_CXX_FLAGS=${flags}"
  "-DCMAKE_PREFIX_PATH=${moved}" "-DKokkos_DIR=${KOKKOS_DIR}"
)
check("${CMAKE_COMMAND}" --build "${WORK_DIR}/build" --config "${CONFIG}")
check("${WORK_DIR}/build/consumer")
if(EXISTS "${moved}/bin/dempilot")
  check("${moved}/bin/dempilot" --help)
endif()
