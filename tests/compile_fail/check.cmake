# SPDX-License-Identifier: MIT
# cmake -DCOMPILER=c++ -DCOMPILER_ID=GNU -DINCLUDES=a;b -DREAD=header -P check.cmake                    precompiles the header
# cmake -DCOMPILER=c++ -DCOMPILER_ID=GNU -DINCLUDES=a;b -DREAD=header -DSOURCE=file.cpp -P check.cmake  checks a file, after that
list(TRANSFORM INCLUDES PREPEND "-I")
set(compile "${COMPILER}" -std=c++20 -pthread ${INCLUDES})
if(COMPILER_ID MATCHES Clang)
  list(APPEND compile -fpch-instantiate-templates)  # or each file makes those that the header needs anew
endif()
if(NOT SOURCE)
  execute_process(COMMAND ${compile} -x c++-header "${READ}" -o "${READ}.gch" COMMAND_ERROR_IS_FATAL ANY)
  return()
endif()
list(APPEND compile -fsyntax-only -include "${READ}" "${SOURCE}")

file(STRINGS "${SOURCE}" expected REGEX "^// expect: ")
list(TRANSFORM expected REPLACE "^// expect: " "")
if(NOT expected)
  message(FATAL_ERROR "${SOURCE} has no line \"// expect: REGEX\"")
endif()

execute_process(COMMAND ${compile} RESULT_VARIABLE status ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must compile as it stands, and does not:\n${output}")
endif()

execute_process(COMMAND ${compile} -DMISUSE RESULT_VARIABLE status ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} must not compile with -DMISUSE, and does")
endif()
foreach(regex IN LISTS expected)
  if(NOT output MATCHES "${regex}")
    message(FATAL_ERROR "${SOURCE} with -DMISUSE fails without the expected \"${regex}\":\n${output}")
  endif()
endforeach()
