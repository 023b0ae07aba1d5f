#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/test_cross.sh [--tests] [aarch64|s390x...]
#
# Builds for other processors, aarch64 (NEON) and s390x (big-endian, no SIMD in xsimd) if none is named, and runs the
# programs under qemu: an index built there has the bytes of the seeds in fuzz/corpus, which x86-64 wrote; every seed is
# loaded, viewed, searched, changed and written again byte by byte; kernels are compared with long sums and calls with a
# naive model, as in the fuzz targets.
#   --tests   the golden files of every type, read and written again, and the unit tests of io, codec and simd, too
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tests=
machines=
while [ $# -gt 0 ]; do
    case $1 in
        --tests) tests="contract io codec simd" ;;
        aarch64 | s390x) machines="$machines $1" ;;
        *)
            sed -n '3,10s/^# \{0,1\}//p' "$0"
            exit 2
            ;;
    esac
    shift
done
cd "$root"
. scripts/install_dependencies.sh
vicinal_install_dependencies cross

# Header-only libraries of this machine serve the other, its C library's headers do not.
include=$root/build/cross/include
mkdir -p "$include"
for header in xsimd Eigen unsupported catch2; do
    for from in /usr/include /usr/local/include /usr/include/eigen3; do
        if [ -d "$from/$header" ] && [ ! -e "$include/$header" ]; then ln -s "$from/$header" "$include/$header"; fi
    done
done

passed=0
failed=0
check() { # name, command...
    name=$1
    shift
    if "$@" >"$out/log" 2>&1; then
        passed=$((passed + 1))
        echo "passed: $machine: $name"
    else
        failed=$((failed + 1))
        echo "failed: $machine: $name"
        tail -n 20 "$out/log"
    fi
}

# Every file that make_seeds wrote is as it is stored; what fuzzing found is stored besides.
same_as_stored() { (cd "$out/seeds" && find . -type f -exec cmp {} "$root/fuzz/corpus/{}" \;) | sed 's/^/differs: /' | { ! grep .; }; }

for machine in ${machines:-aarch64 s390x}; do
    out=$root/build/cross/$machine
    mkdir -p "$out"
    run=$(command -v "qemu-$machine" || command -v "qemu-$machine-static")
    compile="nice -n 19 $machine-linux-gnu-g++ -std=c++20 -O0 -Wall -Wextra -Iinclude -Itests -isystem $include"
    # One object after the other; those that are newer than every source stay.
    newest=$(find include fuzz tests -name '*.[ch]pp' -newer "$out/built" 2>/dev/null | head -n 1 || true)
    if [ ! -e "$out/built" ] || [ -n "$newest" ]; then
        for source in fuzz/*.cpp fuzz/subjects/*.cpp; do
            $compile -c "$source" -o "$out/$(basename "$source" .cpp).o"
        done
        parts=$out/allocation_meter.o
        for source in fuzz/subjects/*.cpp; do parts="$parts $out/$(basename "$source" .cpp).o"; done
        $machine-linux-gnu-g++ -static "$out/make_seeds.o" $parts -o "$out/make_seeds"
        for target in load repaired_load view operations kernels import; do
            $machine-linux-gnu-g++ -static "$out/${target}_target.o" "$out/replay.o" $parts -o "$out/replay_$target"
        done
        touch "$out/built"
    fi

    rm -rf "$out/seeds"
    check "indexes are built with the same bytes" "$run" "$out/make_seeds" "$out/seeds"
    check "as on x86-64" same_as_stored
    for target in load repaired_load view; do
        check "$target" "$run" "$out/replay_$target" --mutations 20 fuzz/corpus/files
    done
    check operations "$run" "$out/replay_operations" --mutations 5 fuzz/corpus/operations
    check kernels "$run" "$out/replay_kernels" --mutations 50 fuzz/corpus/kernels
    check import "$run" "$out/replay_import" --mutations 5 fuzz/corpus/import
    for area in $tests; do
        objects=
        only=
        sources=$(echo tests/support/catch_main.cpp tests/"$area"/*_test.cpp)
        if [ "$area" = contract ]; then  # of these the golden files alone: the rest takes hours under qemu
            only="golden:*"
            sources="tests/support/catch_main.cpp tests/contract/golden_test.cpp tests/contract/index_contract_test.cpp
                $(echo tests/contract/flat_*_test.cpp tests/contract/ivf_*_test.cpp tests/contract/hnsw_*_test.cpp)"
        fi
        for source in $sources; do
            case $source in *_alone_test.cpp) continue ;; esac
            object=$out/test_$(basename "$source" .cpp).o
            $compile -DVICINAL_GOLDEN_FILES="\"$root/tests/golden\"" -c "$source" -o "$object"
            objects="$objects $object"
        done
        $machine-linux-gnu-g++ -static $objects -o "$out/test_$area"
        check "tests of $area" "$run" "$out/test_$area" $only
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
