# SPDX-License-Identifier: MIT
# Installs the headers, the CMake package and the pkg-config file (component development) and what to read (component
# documentation). All of it is text that fits any machine, so it goes under share/, and none of it holds the path it was
# installed to.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(vicinal_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/vicinal")
set(vicinal_pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")

# The sources of run-time dispatch and of the compiled types are built with each program that asks for them.
foreach(part IN ITEMS dispatch compiled)
  set(vicinal_${part}_dir "${CMAKE_INSTALL_DATADIR}/vicinal/${part}")
  install(DIRECTORY src/${part}/ DESTINATION "${vicinal_${part}_dir}" COMPONENT development
          FILES_MATCHING PATTERN "*.cpp" PATTERN "*.hpp")
endforeach()

install(DIRECTORY include/vicinal TYPE INCLUDE COMPONENT development FILES_MATCHING PATTERN "*.hpp")
install(TARGETS vicinal EXPORT vicinalTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT vicinalTargets NAMESPACE vicinal:: DESTINATION "${vicinal_package_dir}" COMPONENT development)

configure_package_config_file(cmake/vicinalConfig.cmake.in vicinalConfig.cmake
                              INSTALL_DESTINATION "${vicinal_package_dir}" PATH_VARS vicinal_dispatch_dir vicinal_compiled_dir
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(vicinalConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/vicinalConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/vicinalConfigVersion.cmake"
              cmake/vicinal_dependencies.cmake cmake/vicinal_dispatch.cmake cmake/vicinal_compiled.cmake
        DESTINATION "${vicinal_package_dir}" COMPONENT development)

file(RELATIVE_PATH vicinal_pc_to_include "${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
configure_file(cmake/vicinal.pc.in vicinal.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/vicinal.pc" DESTINATION "${vicinal_pkgconfig_dir}" COMPONENT development)

install(FILES LICENSE TYPE DOC COMPONENT development)
install(FILES README.md CHANGELOG.md TYPE DOC COMPONENT documentation)
install(DIRECTORY docs TYPE DOC COMPONENT documentation FILES_MATCHING PATTERN "*.md")
install(DIRECTORY examples TYPE DOC COMPONENT documentation
        FILES_MATCHING PATTERN "*.cpp" PATTERN "*.hpp" PATTERN "*.md" PATTERN semantic_search EXCLUDE
        PATTERN browser EXCLUDE)
