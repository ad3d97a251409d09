# A LAMMPS plugin shows its entry point and nothing else. Anything more, such as
# Kokkos, would enter the one symbol space of all plugins and of LAMMPS.

execute_process(
  COMMAND "${NM}" -D --defined-only --format=posix "${PLUGIN}"
  OUTPUT_VARIABLE listing
  COMMAND_ERROR_IS_FATAL ANY
)
string(REGEX MATCHALL "(^|\n)[^ \n]+" symbols "${listing}")
list(TRANSFORM symbols STRIP)

if(NOT symbols STREQUAL "lammpsplugin_init")
  list(JOIN symbols "\n  " symbols)
  message(FATAL_ERROR "${PLUGIN} exports\n  ${symbols}\nbut must export lammpsplugin_init alone.")
endif()
