#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/test_symbols.sh [TYPE...]
#
# Compiles several types of index for three instruction sets with g++ and clang++ at -O0 and -O2, and fails if a linker
# would merge a function of ours, or one with newer instructions that docs/platforms.md does not name. ctest does the
# same for one type and one compiler. All types take half an hour of one processor.
#   TYPE   flat, hnsw, hnsw-sq8, flat-rabitq, flat-pq, ivf, ivf-pca8: all if none is named
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
case ${1:-} in -*) sed -n '3,8s/^# \{0,1\}//p' "$root/scripts/test_symbols.sh"; exit 2 ;; esac
. "$root/scripts/install_dependencies.sh"
vicinal_install_dependencies test

if [ $# -eq 0 ]; then set -- flat hnsw hnsw-sq8 flat-rabitq flat-pq ivf ivf-pca8; fi
failed=
for compiler in g++ clang++; do
    echo "== $compiler"
    python3 "$root/tests/symbols/mixed.py" "--compiler=$compiler" "--include=$root/include" "--include=${EIGEN_INCLUDE:-/usr/include/eigen3}" \
        "--work=$root/build/symbols/$compiler" --all --types "$@" || failed="$failed $compiler"
done
if [ -n "$failed" ]; then
    echo "failed:$failed"
    exit 1
fi
echo "passed"
