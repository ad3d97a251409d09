# A plugin that shares Kokkos with the engine that opens it does not link Kokkos: a static one would
# come a second time. Programs do.
#
# Sets DEMPILOT_KOKKOS to what either is to link.

if(Kokkos_VERSION VERSION_LESS 4.5.1)
  message(
    FATAL_ERROR
      "Kokkos ${Kokkos_VERSION} in ${Kokkos_DIR} is not that of a LAMMPS with KOKKOS (which needs "
      "4.5.1 or later). Give -D Kokkos_ROOT=<the installation that LAMMPS was built with>."
  )
endif()
if(Kokkos_ENABLE_OPENMP OR Kokkos_ENABLE_THREADS)
  add_compile_definitions(DEMPILOT_WITHOUT_SERIAL) # LAMMPS's host is not the serial one
endif()

# Compiled as Kokkos wants it, and linked to the engine. Of a static Kokkos an engine has only what it
# needs itself; what a plugin needs beside that comes from the archive, where the linker sees what is
# in the engine.
add_library(dempilot::engine_kokkos INTERFACE IMPORTED)
foreach(kind IN ITEMS INCLUDE_DIRECTORIES COMPILE_DEFINITIONS COMPILE_OPTIONS)
  set_property(
    TARGET dempilot::engine_kokkos
    PROPERTY INTERFACE_${kind} "$<TARGET_PROPERTY:Kokkos::kokkos,INTERFACE_${kind}>"
  )
endforeach()
get_target_property(_type Kokkos::kokkoscore TYPE)
if(_type STREQUAL "SHARED_LIBRARY")
  target_link_libraries(dempilot::engine_kokkos INTERFACE "$<TARGET_FILE:Kokkos::kokkoscore>")
elseif(LAMMPS_LIBRARY)
  target_link_libraries(
    dempilot::engine_kokkos INTERFACE "${LAMMPS_LIBRARY}" "$<TARGET_FILE:Kokkos::kokkoscore>"
  )
endif()

set(_opened "$<STREQUAL:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY>")
set(DEMPILOT_KOKKOS "$<IF:${_opened},dempilot::engine_kokkos,Kokkos::kokkos>")
