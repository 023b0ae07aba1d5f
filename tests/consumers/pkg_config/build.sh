#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh COMPILER SOURCE PROGRAM [FLAG...]: a build without CMake. pkg-config alone says where vicinal is.
set -eu
compiler=$1 source=$2 program=$3
shift 3
if ! command -v pkg-config >/dev/null; then echo "skipped: pkg-config not found"; exit 77; fi
flags=$(pkg-config --cflags --libs vicinal)
# Warnings in other people's headers are not this test's. pkg-config knows no -isystem; compilers prefer it to -I.
flags="$flags $(pkg-config --cflags-only-I xsimd eigen3 | sed 's/-I/-isystem /g')"
# shellcheck disable=SC2086  # the flags are several words
"$compiler" -std=c++20 "$@" "$source" $flags -o "$program"
