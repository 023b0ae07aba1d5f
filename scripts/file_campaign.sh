#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/file_campaign.sh [--preset NAME]
#
# The long form of the tests of files: every bit and every byte of small files of every index type changed, in every way
# a file can be opened, with and without good checksums; a disk full at every byte; 2000 kills while saving. Exit status 0
# if nothing failed. About half an hour on one core.
#   --preset NAME   that preset of CMakePresets.json; default release-all, then asan-ubsan (fewer types, every access watched)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '3,8s/^# \{0,1\}//p' "$root/scripts/file_campaign.sh"; }

presets="release-all asan-ubsan"
while [ $# -gt 0 ]; do
    case $1 in
        --preset)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            presets=$2
            shift
            ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

cd "$root"
. scripts/install_dependencies.sh
vicinal_install_dependencies test
vicinal_prefer_ninja
jobs=$(vicinal_jobs)

failed=0
for preset in $presets; do
    echo "== $preset"
    cmake --preset "$preset" >/dev/null
    cmake --build --preset "$preset" --target test_contract -j "$jobs"
    program=$(find "build/$preset" -name test_contract -type f | head -n 1)
    VICINAL_TEST_LONG=1 "$program" "corruption:*,crash:*" --durations yes || failed=1
done
exit "$failed"
