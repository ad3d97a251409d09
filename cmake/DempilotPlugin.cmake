# What every LAMMPS plugin of ours has in common.

# A shared Kokkos could not be kept out of the symbols that LAMMPS makes global.
foreach(_target IN ITEMS Kokkos::kokkoscore Kokkos::kokkos)
  if(TARGET ${_target})
    get_target_property(_type ${_target} TYPE)
    if(_type STREQUAL "SHARED_LIBRARY")
      message(
        FATAL_ERROR
          "The Kokkos in ${Kokkos_DIR} is a shared library (the LAMMPS plugin needs a static one, so "
          "that it cannot clash with LAMMPS's own). Give a Kokkos built with "
          "-D BUILD_SHARED_LIBS=OFF -D CMAKE_POSITION_INDEPENDENT_CODE=ON, or "
          "-D DEMPILOT_BUILD_LAMMPS_PLUGIN=OFF."
      )
    endif()
  endif()
endforeach()

# dempilot_lammps_plugin(TARGET): makes the MODULE library TARGET a LAMMPS
# plugin: headers of the LAMMPS in use, a file name without prefix, and no
# symbol in sight but lammpsplugin_init.
function(dempilot_lammps_plugin target)
  set(map "${PROJECT_SOURCE_DIR}/cmake/lammps_plugin.map")
  target_link_libraries(${target} PRIVATE dempilot::lammps_headers)
  target_link_options(
    ${target} PRIVATE "LINKER:--exclude-libs,ALL" "LINKER:--version-script=${map}"
  )
  set_target_properties(${target} PROPERTIES PREFIX "" LINK_DEPENDS "${map}")
  set_property(GLOBAL APPEND PROPERTY DEMPILOT_LAMMPS_PLUGINS ${target})
endfunction()
