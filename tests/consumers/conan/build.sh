#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh COMPILER SOURCE PROGRAM [FLAG...]: `conan create .` of a copy of the tree, in a Conan home of its own and without
# a remote; the program is that of test_package/. CONAN is the command to run, if it is not "conan".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(dirname "$3")
conan=${CONAN:-conan}
# shellcheck disable=SC2086  # CONAN may be several words: an interpreter and a script
if ! command -v ${conan%% *} >/dev/null || ! $conan --version >/dev/null 2>&1; then
    echo "skipped: conan not found"
    exit 77
fi
if ! command -v pkg-config >/dev/null; then echo "skipped: pkg-config not found"; exit 77; fi

rm -rf "$work/conan_home" "$work/tree"
mkdir -p "$work/tree"
cp "$here/system_headers.py" "$work" # Conan writes beside a recipe
tar -C "$VICINAL_SOURCE" --exclude ./build --exclude ./out --exclude ./.git --exclude ".${VICINAL_BUILD#"$VICINAL_SOURCE"}" \
    -cf - . | tar -C "$work/tree" -xf -

export CONAN_HOME="$work/conan_home" CXX="$1"
directory() { for flag in $(pkg-config --cflags-only-I "$1") -I/usr/include; do echo "${flag#-I}"; break; done; }
VICINAL_EIGEN_INCLUDE=$(directory eigen3) VICINAL_XSIMD_INCLUDE=$(directory xsimd)
export VICINAL_EIGEN_INCLUDE VICINAL_XSIMD_INCLUDE
run() { $conan "$@" || { echo "failed: conan $*"; exit 1; }; }
run profile detect
run export-pkg "$work/system_headers.py" --name eigen --version "$(pkg-config --modversion eigen3)"
run export-pkg "$work/system_headers.py" --name xsimd --version "$(pkg-config --modversion xsimd)"
run create "$work/tree" --no-remote -s compiler.cppstd=20
cp "$(find "$work/tree/test_package/build" -name test_package -type f)" "$3"
