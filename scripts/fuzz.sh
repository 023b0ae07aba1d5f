#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/fuzz.sh [SECONDS [TARGET...]]
#
# Builds the fuzz targets (preset fuzz: clang, libFuzzer, ASan, UBSan) and runs each for SECONDS, 60 if not given, one
# after the other at the lowest priority. Prints executions, executions a second and findings of each; exits with 1 if
# there was a finding. New inputs and findings are kept in out/fuzz/<target>; nothing is written to fuzz/corpus.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
case ${1:-} in
    -h | --help)
        sed -n '3,7s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
esac
seconds=${1:-60}
if [ $# -gt 0 ]; then shift; fi
targets=${*:-load repaired_load view operations kernels import}

cd "$root"
. scripts/install_dependencies.sh
vicinal_install_dependencies fuzz
vicinal_prefer_ninja
mkdir -p build out/fuzz
programs=
for target in $targets; do programs="$programs fuzz_$target"; done
if ! { cmake --preset fuzz && nice -n 19 cmake --build --preset fuzz -j "$(vicinal_jobs)" --target $programs; } >build/fuzz.log 2>&1; then
    cat build/fuzz.log
    exit 1
fi

# Short stacks of allocations, and little freed memory kept apart: a third more executions a second. A finding is looked at
# again without them.
export ASAN_OPTIONS="${ASAN_OPTIONS:-malloc_context_size=2:quarantine_size_mb=16}"

status=0
printf '%-16s %12s %10s %9s\n' target executions exec/s findings
for target in $targets; do
    corpus=files
    longest=8192
    case $target in
        operations) corpus=operations longest=144 ;;
        kernels) corpus=kernels longest=1024 ;;
        import) corpus=import longest=2048 ;;
    esac
    work=$root/out/fuzz/$target
    # Without -entropic=0 half the time goes into libFuzzer's statistics of rare features.
    mkdir -p "$work/corpus"
    nice -n 19 "build/fuzz/bin/fuzz_$target" -max_total_time="$seconds" -max_len=$longest -entropic=0 -timeout=20 -malloc_limit_mb=256 \
        -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "fuzz/corpus/$corpus" >"$work/log" 2>&1 || status=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$work/log")
    findings=$(find "$work" -maxdepth 1 \( -name 'crash-*' -o -name 'timeout-*' -o -name 'oom-*' -o -name 'leak-*' \) | wc -l)
    printf '%-16s %12s %10s %9s\n' "$target" "${runs:--}" "${rate:--}" "$findings"
    if [ "$findings" != 0 ]; then
        status=1
        grep -E 'broken promise|runtime error|ERROR: ' "$work/log" | head -3
        find "$work" -maxdepth 1 -type f ! -name log
    fi
done
exit $status
