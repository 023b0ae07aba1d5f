# SPDX-License-Identifier: MIT
# What `cpack` needs to make libvicinal-dev_<version>_all.deb of what is installed, run in a build directory.
set(VICINAL_HOMEPAGE "" CACHE STRING "The address of vicinal's page, for packages that state one")
set(VICINAL_MAINTAINER "The vicinal maintainers <vicinal@localhost>" CACHE STRING "Name <address> of who makes the package")
mark_as_advanced(VICINAL_HOMEPAGE VICINAL_MAINTAINER)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "${VICINAL_MAINTAINER}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME libvicinal-dev)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4), libxsimd-dev (>= 8.1)")
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "${VICINAL_HOMEPAGE}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "similarity search for any C++ program (development files)")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "vicinal is a header-only C++20 library. It finds the vectors closest to a
query, exactly, by inverted lists or by a graph, under squared L2, inner
product or cosine, and stores them as floats or as short codes.

This package has the headers, the CMake and pkg-config files, and the
documentation with examples.")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/debian_layout.cmake")
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
