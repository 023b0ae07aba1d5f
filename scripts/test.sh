#!/bin/sh
# scripts/test.sh [--quick] [--preset NAME]
#
# Installs what is missing, then builds and runs the tests: optimised, then under the address and undefined-behaviour
# sanitizers. The last line sums up, "N passed, N failed"; the exit status is 0 if nothing failed.
#   --quick         no sanitizer run
#   --preset NAME   that preset of CMakePresets.json only: dev, tsan, clang, baseline, ...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '2,7s/^# \{0,1\}//p' "$root/scripts/test.sh"; }

presets="release asan-ubsan"
while [ $# -gt 0 ]; do
    case $1 in
        --quick) presets=release ;;
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
    summary=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log")
    if [ -z "$summary" ]; then
        echo "== $preset: ctest ran no test"
        failed=$((failed + 1))
        continue
    fi
    failed=$((failed + ${summary% *}))
    passed=$((passed + ${summary#* } - ${summary% *}))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
