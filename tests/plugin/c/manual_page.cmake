# The example on the manual page is the file that is compiled.

file(READ "${PAGE}" page)
file(READ "${EXAMPLE}" example)
string(FIND "${page}" "```c\n${example}```" where)
if(where EQUAL -1)
  message(FATAL_ERROR "${PAGE} does not hold ${EXAMPLE} as it is. Copy the file into the page.")
endif()
