#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/release_assets.sh DIRECTORY [OWNER/NAME]
#
# Makes in DIRECTORY what is published beside a release's sources: vicinal.hpp, the library in one file, and the Debian
# package. With OWNER/NAME, the repository on GitHub, also vcpkg-port/, the port for vcpkg's registry: that of
# packaging/vcpkg, which takes the release's archive instead of the checkout. The archive's hash is that of
# DIRECTORY/v<VERSION>.tar.gz, which is downloaded from the repository unless it is there.
set -eu
case ${1:--} in -*) set -- ;; esac
if [ $# -lt 1 ] || [ $# -gt 2 ]; then sed -n '3,8s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
repository=${2:-}
cd "$(dirname "$0")/.."
. scripts/install_dependencies.sh
vicinal_install_dependencies demo
vicinal_prefer_ninja
port=packaging/vcpkg/ports/vicinal
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$port/vcpkg.json")

scripts/amalgamate.py -o "$out/vicinal.hpp"

cmake --preset package ${repository:+-D "VICINAL_HOMEPAGE=https://github.com/$repository"} \
    ${VICINAL_MAINTAINER:+-D "VICINAL_MAINTAINER=$VICINAL_MAINTAINER"} >/dev/null
cpack -G DEB --config build/package/CPackConfig.cmake -B build/package/deb >/dev/null
cp build/package/deb/libvicinal-dev_"$version"-*_all.deb "$out"

if [ -n "$repository" ]; then
    archive=$out/v$version.tar.gz
    if [ ! -f "$archive" ]; then
        curl -fsSL -o "$archive" "https://github.com/$repository/archive/refs/tags/v$version.tar.gz"
    fi
    hash=$(cmake -E sha512sum "$archive" | cut -d ' ' -f 1)
    mkdir -p "$out/vcpkg-port"
    cp "$port/usage" "$out/vcpkg-port"
    sed "s|^  \"license\"|  \"homepage\": \"https://github.com/$repository\",\n&|" "$port/vcpkg.json" >"$out/vcpkg-port/vcpkg.json"
    awk -v repository="$repository" -v hash="$hash" '
        /^# An overlay port/ || /^# the next line is/ { next }
        /^get_filename_component\(SOURCE_PATH/ {
            print "vcpkg_from_github(\n    OUT_SOURCE_PATH SOURCE_PATH\n    REPO " repository "\n    REF \"v${VERSION}\""
            print "    SHA512 " hash "\n    HEAD_REF main\n)"
            replaced = 1
            next
        }
        { print }
        END { if (!replaced) exit 1 }' "$port/portfile.cmake" >"$out/vcpkg-port/portfile.cmake"
fi
ls -l "$out"
