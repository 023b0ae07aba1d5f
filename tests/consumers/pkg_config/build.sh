#!/bin/sh
# build.sh COMPILER SOURCE PROGRAM [FLAG...]: a build without CMake. pkg-config alone says where vicinal is.
set -eu
compiler=$1 source=$2 program=$3
shift 3
flags=$(pkg-config --cflags --libs vicinal)
# shellcheck disable=SC2086  # the flags are several words
"$compiler" -std=c++20 "$@" "$source" $flags -o "$program"
