# libdempilot.so shows the functions of dempilot.h, all of them and nothing else.

execute_process(
  COMMAND "${NM}" -D --defined-only --format=posix "${LIBRARY}"
  OUTPUT_VARIABLE listing
  COMMAND_ERROR_IS_FATAL ANY
)
string(REGEX MATCHALL "(^|\n)[^ \n]+" symbols "${listing}")
list(TRANSFORM symbols STRIP)
list(SORT symbols)

file(READ "${HEADER}" header)
string(REGEX REPLACE "/\\*([^*]|\\*[^/])*\\*/" "" header "${header}")
string(REGEX MATCHALL "DEMPILOT_API [^;(]*dempilot_[a-z_]+\\(" functions "${header}")
list(TRANSFORM functions REPLACE "^.*(dempilot_[a-z_]+)\\($" "\\1")
list(SORT functions)

if(NOT functions OR NOT symbols STREQUAL functions)
  list(JOIN symbols "\n  " symbols)
  list(JOIN functions "\n  " functions)
  message(FATAL_ERROR "${LIBRARY} exports\n  ${symbols}\nbut must export\n  ${functions}")
endif()
