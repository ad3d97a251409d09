# The installed package: find_package(dempilot) gives dempilot::core. No path of
# this machine enters it, so that the folder can be moved.

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
  PATTERN "cli" EXCLUDE
)

set_target_properties(dempilot_core PROPERTIES EXPORT_NAME core)
install(TARGETS dempilot_core EXPORT dempilotTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(
  EXPORT dempilotTargets
  NAMESPACE dempilot::
  DESTINATION "${_package_dir}"
)

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
