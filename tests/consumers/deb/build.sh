#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh COMPILER SOURCE PROGRAM [FLAG...]: against the unpacked Debian package that cpack makes of the build tree.
set -eu
work=$(dirname "$3")
for tool in cpack dpkg-deb gzip pkg-config; do
    if ! command -v "$tool" >/dev/null; then echo "skipped: $tool not found"; exit 77; fi
done
rm -rf "$work/deb" "$work/root"
cpack -G DEB --config "$VICINAL_BUILD/CPackConfig.cmake" -B "$work/deb" >/dev/null
package=$(echo "$work"/deb/libvicinal-dev_*_all.deb)
dpkg-deb -x "$package" "$work/root"

fields=$(dpkg-deb -f "$package" Architecture Depends Section)
for field in "Architecture: all" "libeigen3-dev (>= 3.4)" "libxsimd-dev (>= 8.1)" "Section: libdevel"; do
    case $fields in *"$field"*) ;; *) echo "the package says no $field: $fields"; exit 1 ;; esac
done
for document in copyright changelog.gz changelog.Debian.gz README.md; do
    test -s "$work/root/usr/share/doc/libvicinal-dev/$document"
done
if find "$work/root" -type f ! -path "*/usr/include/vicinal/*" ! -path "*/usr/share/*" | grep .; then
    echo "a package for every architecture must not hold these"
    exit 1
fi

PKG_CONFIG_PATH=$work/root/usr/share/pkgconfig exec sh "$(dirname "$0")/../pkg_config/build.sh" "$@"
