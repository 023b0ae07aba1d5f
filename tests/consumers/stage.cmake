# SPDX-License-Identifier: MIT
# Installs the build in BUILD, moves what was installed to STAGE, since a package must not depend on where it was
# installed first, and looks for paths of the machine that made it.
file(REMOVE_RECURSE "${STAGE}" "${STAGE}.first")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${STAGE}.first"
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${STAGE}.first" "${STAGE}")

# A package for programs alone leaves the component documentation out, and nothing that a program needs with it.
file(REMOVE_RECURSE "${STAGE}.documentation")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${STAGE}.documentation"
                        --component documentation OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE documentation RELATIVE "${STAGE}.documentation" "${STAGE}.documentation/*")
list(FILTER documentation EXCLUDE REGEX "^share/doc/vicinal/(README|CHANGELOG|docs/.*|examples/.*)\\.[a-z]+$")
if(documentation)
  message(FATAL_ERROR "The component documentation holds ${documentation}")
endif()

foreach(path IN ITEMS include/vicinal/version.hpp share/cmake/vicinal/vicinalConfig.cmake share/pkgconfig/vicinal.pc
                      share/doc/vicinal/LICENSE share/doc/vicinal/README.md)
  if(NOT EXISTS "${STAGE}/${path}")
    message(FATAL_ERROR "${path} was not installed")
  endif()
endforeach()

file(GLOB_RECURSE files "${STAGE}/*")
foreach(file IN LISTS files)
  file(READ "${file}" content)
  foreach(path IN ITEMS "${BUILD}" "${SOURCE}" "${STAGE}")
    string(FIND "${content}" "${path}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${file} holds the path ${path}")
    endif()
  endforeach()
endforeach()
