# The installed package: find_package(dempilot) gives dempilot::core and
# dempilot::c, pkg-config the latter. No path of this machine enters it, so that
# the folder can be moved.

include(CMakePackageConfigHelpers)

set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/dempilot")

# Headers keep their folders, so that #include "core/…" reads the same everywhere.
target_include_directories(
  dempilot_core INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/dempilot>"
)
target_compile_features(dempilot_core INTERFACE cxx_std_20)
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/core"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/dempilot"
  FILES_MATCHING
  PATTERN "*.hpp"
  PATTERN "*-inl.hpp" EXCLUDE
  PATTERN "cli" EXCLUDE
)

set_target_properties(dempilot_core PROPERTIES EXPORT_NAME core)
set(_core_targets dempilot_core)
if(TARGET dempilot_cuda)
  list(APPEND _core_targets dempilot_cuda)
  set_target_properties(dempilot_cuda PROPERTIES EXPORT_NAME cuda)
endif()
install(TARGETS ${_core_targets} EXPORT dempilotCore ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(
  EXPORT dempilotCore
  FILE dempilot-core-targets.cmake
  NAMESPACE dempilot::
  DESTINATION "${_package_dir}"
)

if(DEMPILOT_BUILD_C_API)
  target_include_directories(
    dempilot_c INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
  )
  set_target_properties(dempilot_c PROPERTIES EXPORT_NAME c)
  install(TARGETS dempilot_c EXPORT dempilotC LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(
    EXPORT dempilotC
    FILE dempilot-c-targets.cmake
    NAMESPACE dempilot::
    DESTINATION "${_package_dir}"
  )
  install(FILES "${PROJECT_SOURCE_DIR}/plugin/c/dempilot.h"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  )
  file(RELATIVE_PATH _prefix_from_here "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" _prefix_from_here "${_prefix_from_here}")
  configure_file(
    "${PROJECT_SOURCE_DIR}/plugin/c/dempilot.pc.in" "${PROJECT_BINARY_DIR}/dempilot.pc" @ONLY
  )
  install(FILES "${PROJECT_BINARY_DIR}/dempilot.pc"
          DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
  )
endif()

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/dempilotConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/dempilotConfig.cmake"
  INSTALL_DESTINATION "${_package_dir}"
  NO_SET_AND_CHECK_MACRO
)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/dempilotConfigVersion.cmake" COMPATIBILITY SameMinorVersion
)
install(FILES "${PROJECT_BINARY_DIR}/dempilotConfig.cmake"
              "${PROJECT_BINARY_DIR}/dempilotConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindRandom123.cmake" DESTINATION "${_package_dir}"
)

if(TARGET dempilot)
  install(TARGETS dempilot RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

get_property(_plugins GLOBAL PROPERTY DEMPILOT_LAMMPS_PLUGINS)
if(_plugins)
  install(TARGETS ${_plugins} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/dempilot")
  install(FILES "${PROJECT_SOURCE_DIR}/plugin/LICENSE"
          DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME LICENSE.plugin
  )
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
