# SPDX-License-Identifier: MIT
# Builds and runs one consumer project, and compares what it prints. A project is built by its build.sh or by CMake.
set(warnings ${WARNINGS})
set(here "${CMAKE_CURRENT_LIST_DIR}")
set(program "${WORK}/consumer")
file(MAKE_DIRECTORY "${WORK}")

if(EXISTS "${here}/${CONSUMER}/build.sh")
  set(ENV{VICINAL_SOURCE} "${SOURCE}")
  set(ENV{VICINAL_BUILD} "${BUILD}")
  set(ENV{PKG_CONFIG_PATH} "${STAGE}/share/pkgconfig:$ENV{PKG_CONFIG_PATH}")
  execute_process(COMMAND sh "${here}/${CONSUMER}/build.sh" "${COMPILER}" "${here}/main.cpp" "${program}" ${warnings}
                  RESULT_VARIABLE failed)
  if(failed EQUAL 77)
    return()  # it said "skipped: ...", which CTest looks for
  elseif(failed)
    message(FATAL_ERROR "${CONSUMER}/build.sh failed: ${failed}")
  endif()
else()
  list(JOIN warnings " " warnings)
  set(options "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${warnings}" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)
  if(CONSUMER STREQUAL "find_package")
    list(PREPEND PREFIX_PATH "${STAGE}")
  else()
    list(APPEND options "-DVICINAL_SOURCE=${SOURCE}")
  endif()
  list(JOIN PREFIX_PATH "\\;" prefix_path)  # one argument, whatever the number of paths
  list(APPEND options "-DCMAKE_PREFIX_PATH=${prefix_path}")
  if(TOOLCHAIN)
    list(APPEND options "-DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN}")
  endif()
  file(REMOVE "${WORK}/CMakeCache.txt")  # configure afresh, and keep objects that are up to date
  execute_process(COMMAND "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${here}/${CONSUMER}" -B "${WORK}" ${options}
                  COMMAND_ERROR_IS_FATAL ANY)

  # The consumer set no build type: any flag beyond its own warnings would come from vicinal.
  file(READ "${WORK}/compile_commands.json" commands)
  if(commands MATCHES " (-[mOf][a-z0-9=-]+)")
    message(FATAL_ERROR "The consumer is compiled with ${CMAKE_MATCH_1}, which it did not ask for")
  endif()
  if(NOT CONSUMER STREQUAL "find_package" AND commands MATCHES " -I *${SOURCE}/include")
    message(FATAL_ERROR "The headers are not the system's: the consumer's warnings are about them, too")
  endif()

  execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}" COMMAND_ERROR_IS_FATAL ANY)
endif()

execute_process(COMMAND "${program}" OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
set(expected "42 0.25\n43 2.25\n44 5.25\n")
if(NOT printed STREQUAL expected)
  message(FATAL_ERROR "The program printed\n${printed}instead of\n${expected}")
endif()
