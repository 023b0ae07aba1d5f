#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/durable_campaign.sh [--preset NAME]
#
# The long form of the tests of durable indexes: 2000 kills of a program that writes, checkpoints and replays. Exit status 0
# if no acknowledged change was lost. About half an hour on one core.
#   --preset NAME   that preset of CMakePresets.json; default release
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '3,7s/^# \{0,1\}//p' "$root/scripts/durable_campaign.sh"; }

preset=release
while [ $# -gt 0 ]; do
    case $1 in
        --preset)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            preset=$2
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
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --target test_durable -j "$(vicinal_jobs)"
program=$(find "build/$preset" -name test_durable -type f | head -n 1)
VICINAL_TEST_LONG=1 "$program" "durable kill:*" --durations yes
