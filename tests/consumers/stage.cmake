# SPDX-License-Identifier: MIT
# Installs the build in BUILD, moves what was installed to STAGE, since a package must not depend on where it was
# installed first, and looks for paths of the machine that made it.
file(REMOVE_RECURSE "${STAGE}" "${STAGE}.first")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${STAGE}.first"
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${STAGE}.first" "${STAGE}")

file(GLOB_RECURSE files "${STAGE}/*")
foreach(path IN ITEMS include/vicinal/version.hpp share/cmake/vicinal/vicinalConfig.cmake share/pkgconfig/vicinal.pc)
  if(NOT EXISTS "${STAGE}/${path}")
    message(FATAL_ERROR "${path} was not installed")
  endif()
endforeach()
foreach(file IN LISTS files)
  file(READ "${file}" content)
  foreach(path IN ITEMS "${BUILD}" "${SOURCE}" "${STAGE}")
    string(FIND "${content}" "${path}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${file} holds the path ${path}")
    endif()
  endforeach()
endforeach()
