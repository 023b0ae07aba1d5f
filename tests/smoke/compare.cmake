# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=... -D EXPECTED=... -D DIRECTORY=... -P compare.cmake: runs the smoke program in DIRECTORY and
# compares what it prints with the file EXPECTED.
file(MAKE_DIRECTORY "${DIRECTORY}")
execute_process(COMMAND ${PROGRAM} "${DIRECTORY}" OUTPUT_VARIABLE printed RESULT_VARIABLE result)
string(REPLACE "\r" "" printed "${printed}")
file(READ "${EXPECTED}" expected)
if(NOT result EQUAL 0 OR NOT printed STREQUAL expected)
  message(FATAL_ERROR "exit status ${result}; it printed\n${printed}\nexpected\n${expected}")
endif()
