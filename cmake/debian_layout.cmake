# SPDX-License-Identifier: MIT
# CPack runs this on the files it is about to pack: Debian wants documents under the package's name, the licence as
# "copyright" and two changelogs, compressed: ours and the package's.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
set(doc "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc")
file(RENAME "${doc}/vicinal" "${doc}/${CPACK_DEBIAN_PACKAGE_NAME}")
set(doc "${doc}/${CPACK_DEBIAN_PACKAGE_NAME}")
file(RENAME "${doc}/LICENSE" "${doc}/copyright")
file(RENAME "${doc}/CHANGELOG.md" "${doc}/changelog")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH, if that is set
file(WRITE "${doc}/changelog.Debian"
"${CPACK_DEBIAN_PACKAGE_NAME} (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Made by cpack; changelog.gz says what is new in ${CPACK_PACKAGE_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
find_program(gzip gzip REQUIRED)
execute_process(COMMAND "${gzip}" -9n "${doc}/changelog" "${doc}/changelog.Debian" COMMAND_ERROR_IS_FATAL ANY)
