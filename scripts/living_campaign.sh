#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/living_campaign.sh [--only PART] [BASE.npy QUERY.npy]
#
# The long form of the tests of a living index: eight threads that do everything at once, under ThreadSanitizer by g++ and
# by clang++, no suppressions; a failure at every single allocation of every call; rows that come and go, beside an index
# built anew. Exit status 0 if nothing failed. About an hour on two cores.
#   --only PART          tsan-gcc, tsan-clang, memory or churn
#   BASE.npy QUERY.npy   vectors for the last part, as churn_bench takes them; clustered ones are made without
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '3,10s/^# \{0,1\}//p' "$root/scripts/living_campaign.sh"; }

parts="tsan-gcc tsan-clang memory churn"
while [ $# -gt 0 ]; do
    case $1 in
        --only)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            parts=$2
            shift 2
            ;;
        -h | --help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) break ;;
    esac
done
vectors=
if [ $# -eq 2 ]; then vectors="$(realpath "$1") $(realpath "$2")"; elif [ $# -ne 0 ]; then usage >&2; exit 2; fi

cd "$root"
. scripts/install_dependencies.sh
vicinal_install_dependencies test
vicinal_prefer_ninja
jobs=$(vicinal_jobs)
failed=0

# build PRESET FOLDER TARGET [OPTION...]: the target of that preset, in a folder of its own
build() {
    preset=$1; folder=build/$2; target=$3
    shift 3
    cmake --preset "$preset" -B "$folder" "$@" >/dev/null
    cmake --build "$folder" --target "$target" -j "$jobs"
}
program() { find "build/$1" -name "$2" -type f -perm -u+x | head -n 1; }

soak() {
    build tsan "$1" test_living -DCMAKE_CXX_COMPILER="$2"
    TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1" VICINAL_TEST_LONG=1 \
        "$(program "$1" test_living)" "living: everything*" --durations yes || failed=1
}
memory() {
    for index in flat ivf hnsw; do
        name=test_living_memory_${index}_alone_test
        build release-all release-all "$name"
        VICINAL_TEST_LONG=1 "$(program release-all "$name")" --durations yes || failed=1
    done
}
churn() {
    build bench bench churn_bench
    # shellcheck disable=SC2086  # two words or none
    "$(program bench churn_bench)" $vectors || failed=1
}

for part in $parts; do
    echo "== $part"
    case $part in
        tsan-gcc) soak tsan g++ ;;
        tsan-clang) soak tsan-clang clang++ ;;
        memory) memory ;;
        churn) churn ;;
        *) usage >&2; exit 2 ;;
    esac
done
exit "$failed"
