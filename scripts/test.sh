#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/test.sh [--quick | --all | --preset NAME]
#
# Installs what is missing, then builds and runs the tests: optimised, then under the address and undefined-behaviour
# sanitizers. Says at the end what took longest to compile and to run. The last line sums up, "N passed, N failed"; the
# exit status is 0 if nothing failed.
#   --quick         no sanitizer run
#   --all           every type of index, and every test under the sanitizers: hours
#   --preset NAME   that preset of CMakePresets.json only: dev, tsan, clang, baseline, ...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '3,10s/^# \{0,1\}//p' "$root/scripts/test.sh"; }

presets="release asan-ubsan"
while [ $# -gt 0 ]; do
    case $1 in
        --quick) presets=release ;;
        --all) presets="release-all asan-ubsan-all" ;;
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

# ctest prints two lines for each test; only a person watching wants those of the tests that pass.
show() {
    if [ -t 1 ]; then cat; else sed '/^ *Start *[0-9]*: /d; / Passed *[0-9.]* sec *$/d'; fi
}

# slowest PRESET: the ten files that took longest to compile, as ninja's log has them, and the ten slowest tests.
slowest() {
    ninja_log=build/$1/.ninja_log
    echo "== $1: slowest to compile, seconds"
    if [ -f "$ninja_log" ]; then
        # start, end, time of the output, output, hash; of a file compiled again the last line counts
        awk -F '\t' '$4 ~ /\.(o|obj)$/ { took[$4] = ($2 - $1) / 1000 }
            END { for (file in took) printf "%7.1f %s\n", took[file], file }' "$ninja_log" |
            sort -rn | sed -n '1,10{s|CMakeFiles/[^/]*\.dir/||;p;}'
    else
        echo "only ninja keeps a log of that"
    fi
    echo "== $1: slowest to run, seconds"
    sed -n 's/^ *[0-9]*\/[0-9]* Test *#[0-9]*: \(.*\) \([0-9.]*\) sec.*$/\2 \1/p' "build/$1.log" |
        sed 's/ *\.\.*[* ]*[A-Z][A-Za-z ]*$//' |
        sort -rn | head -n 10 | while read -r took name; do printf '%7.1f %s\n' "$took" "$name"; done
}

passed=0
failed=0
for preset in $presets; do
    echo "== $preset"
    log=build/$preset.log
    mkdir -p build
    if ! cmake --preset "$preset" >"$log" 2>&1; then
        cat "$log"
        echo "== $preset: does not configure"
        failed=$((failed + 1))
        continue
    fi
    if ! cmake --build --preset "$preset" -j "$jobs"; then
        echo "== $preset: does not build"
        failed=$((failed + 1))
        continue
    fi
    ctest --preset "$preset" -j "$jobs" 2>&1 | tee "$log" | show
    # Why tests were skipped, which ctest keeps to itself.
    sed -n 's/^skipped: /== skipped: /p' "build/$preset/Testing/Temporary/LastTest.log" 2>/dev/null || true
    summary=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log")
    if [ -z "$summary" ]; then
        echo "== $preset: ctest ran no test"
        failed=$((failed + 1))
        continue
    fi
    failed=$((failed + ${summary% *}))
    passed=$((passed + ${summary#* } - ${summary% *}))
done
for preset in $presets; do slowest "$preset"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
