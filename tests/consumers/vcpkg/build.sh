#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh COMPILER SOURCE PROGRAM [FLAG...]: the overlay port, installed by the scripts of the vcpkg in VCPKG_ROOT, which run
# without its program and without a network. eigen3 and xsimd are those of this machine.
set -eu
compiler=$1 program=$3
shift 3
work=$(dirname "$program")
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -f "${VCPKG_ROOT:-}/scripts/ports.cmake" ]; then echo "skipped: vcpkg not found (VCPKG_ROOT)"; exit 77; fi
for tool in ninja pkg-config; do
    if ! command -v "$tool" >/dev/null; then echo "skipped: $tool not found"; exit 77; fi
done
case $(uname -s)-$(uname -m) in
    Linux-x86_64) triplet=x64-linux ;;
    Linux-aarch64) triplet=arm64-linux ;;
    Darwin-arm64) triplet=arm64-osx ;;
    *) echo "skipped: no vcpkg triplet is known for $(uname -s)-$(uname -m)"; exit 77 ;;
esac
triplet_file=$(find "$VCPKG_ROOT/triplets" -name "$triplet.cmake")
port=$VICINAL_SOURCE/packaging/vcpkg/ports/vicinal

rm -rf "$work/vcpkg" "$work/build"
mkdir -p "$work/vcpkg/installed/$triplet/share" "$work/vcpkg/downloads"
helpers=
for helper in vcpkg-cmake vcpkg-cmake-config; do # as vcpkg would have installed them, for the host
    cp -R "$VCPKG_ROOT/ports/$helper" "$work/vcpkg/installed/$triplet/share/$helper"
    helpers="$helpers;$work/vcpkg/installed/$triplet/share/$helper/vcpkg-port-config.cmake"
done
export VCPKG_FORCE_SYSTEM_BINARIES=1 CXX="$compiler"
cmake -D CMD=BUILD -D PORT=vicinal -D "VERSION=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$port/vcpkg.json")" \
    -D FEATURES=core -D ALL_FEATURES= -D "CURRENT_PORT_DIR=$port" -D "VCPKG_ROOT_DIR=$VCPKG_ROOT" \
    -D "TARGET_TRIPLET=$triplet" -D "_HOST_TRIPLET=$triplet" -D "TARGET_TRIPLET_FILE=$triplet_file" \
    -D "VCPKG_PORT_CONFIGS=${helpers#;}" -D VCPKG_BASE_VERSION=2026-01-01 -D VCPKG_CONCURRENCY=1 \
    -D VCPKG_FIXUP_ELF_RPATH=OFF -D VCPKG_FIXUP_MACHO_RPATH=OFF \
    -D "_VCPKG_INSTALLED_DIR=$work/vcpkg/installed" -D "DOWNLOADS=$work/vcpkg/downloads" \
    -D "BUILDTREES_DIR=$work/vcpkg/buildtrees" -D "PACKAGES_DIR=$work/vcpkg/packages" -P "$VCPKG_ROOT/scripts/ports.cmake"

package=$work/vcpkg/packages/vicinal_$triplet
for file in copyright usage vicinalConfig.cmake; do test -s "$package/share/vicinal/$file"; done
flags=$*
cmake -S "$here/../find_package" -B "$work/build" -D "CMAKE_CXX_COMPILER=$compiler" -D "CMAKE_CXX_FLAGS=$flags" \
    -D "vicinal_DIR=$package/share/vicinal"
cmake --build "$work/build"
cp "$work/build/consumer" "$program"
