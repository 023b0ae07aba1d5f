# SPDX-License-Identifier: MIT
# An overlay port that installs the checkout it lies in. In the port of a release, which scripts/release_assets.sh writes,
# the next line is vcpkg_from_github(...) with the hash of the release's archive.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)

set(VCPKG_BUILD_TYPE release)  # header-only: there is nothing to build for debugging
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DVICINAL_BUILD_TESTS=OFF
        -DVICINAL_BUILD_EXAMPLES=OFF
        -DVICINAL_BUILD_BENCHMARKS=OFF
        -DVICINAL_REPLAY_CORPORA=OFF
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/vicinal)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/doc")

vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
