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
foreach(device IN LISTS Kokkos_DEVICES)
  if(NOT device MATCHES "^(SERIAL|OPENMP|CUDA)$")
    message(
      FATAL_ERROR
        "Kokkos in ${Kokkos_DIR} computes by ${device} (DEMPilot by SERIAL, OPENMP and CUDA). Build "
        "LAMMPS with a Kokkos of these."
    )
  endif()
endforeach()
if(Kokkos_ENABLE_OPENMP)
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
else()
  message(
    FATAL_ERROR
      "${LAMMPS_EXECUTABLE} is not made of a liblammps.so beside it, and Kokkos in ${Kokkos_DIR} is "
      "static (the plugin cannot tell what of Kokkos is in LAMMPS). Build LAMMPS with "
      "-D BUILD_SHARED_LIBS=ON, or both with a shared Kokkos."
  )
endif()

set(_opened "$<STREQUAL:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY>")
set(DEMPILOT_KOKKOS "$<IF:${_opened},dempilot::engine_kokkos,Kokkos::kokkos>")
