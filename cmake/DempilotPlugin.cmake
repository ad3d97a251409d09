# What the libraries that enter other programs have in common: a Kokkos of their
# own, and only the symbols that are meant to be seen.

# A shared Kokkos could not be kept out of the symbols that an engine makes global.
foreach(_target IN ITEMS Kokkos::kokkoscore Kokkos::kokkos)
  if(TARGET ${_target} AND (DEMPILOT_BUILD_LAMMPS_PLUGIN OR DEMPILOT_BUILD_C_API))
    get_target_property(_type ${_target} TYPE)
    if(_type STREQUAL "SHARED_LIBRARY")
      message(
        FATAL_ERROR
          "The Kokkos in ${Kokkos_DIR} is a shared library (plugins need a static one, so that it "
          "cannot clash with an engine's own). Give a Kokkos built with "
          "-D BUILD_SHARED_LIBS=OFF -D CMAKE_POSITION_INDEPENDENT_CODE=ON, or "
          "-D DEMPILOT_BUILD_LAMMPS_PLUGIN=OFF -D DEMPILOT_BUILD_C_API=OFF."
      )
    endif()
  endif()
endforeach()

# dempilot_export_only(TARGET MAP): of the library TARGET nothing is in sight but
# what the linker's version script MAP names.
function(dempilot_export_only target map)
  target_link_options(
    ${target} PRIVATE "LINKER:--exclude-libs,ALL" "LINKER:--version-script=${map}"
  )
  set_target_properties(${target} PROPERTIES LINK_DEPENDS "${map}")
endfunction()

# dempilot_lammps_plugin(TARGET): makes the MODULE library TARGET a LAMMPS
# plugin: headers of the LAMMPS in use, a file name without prefix, and no
# symbol in sight but lammpsplugin_init.
function(dempilot_lammps_plugin target)
  target_link_libraries(${target} PRIVATE dempilot::lammps_headers)
  dempilot_export_only(${target} "${PROJECT_SOURCE_DIR}/cmake/lammps_plugin.map")
  set_target_properties(${target} PROPERTIES PREFIX "")
  set_property(GLOBAL APPEND PROPERTY DEMPILOT_LAMMPS_PLUGINS ${target})
endfunction()
