#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/test_targets.sh [--list] [--no-skip] [--include DIRECTORY]... [NAME...]
#
# Compiles tests/smoke/smoke.cpp for each target, other processors, compilers, standard libraries and systems, and runs
# it there: it must print the hashes of tests/smoke/expected.txt, so that the files of every target have the same bytes.
# mingw-files runs tests of io on Windows instead, aarch64-dispatch runs on a processor without dotprod, too. One line a
# target says passed, failed, or skipped and why. A target takes 40 seconds of one processor, aarch64-dispatch twice that.
#   --list      the names of the targets, all of which are tested if none is named
#   --no-skip   what cannot be tested here is a failure
#   --include   headers to use before the system's: other versions of xsimd or Eigen
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/targets

# name, how to run its programs ("-": at once), and how to compile; DEBIAN is where Debian's packages are unpacked
targets() {
    cat <<'TARGETS'
native           -              g++ -march=native
baseline         -              g++
avx2             -              g++ -march=x86-64-v3
clang            -              clang++ -march=native
clang19          -              DEBIAN/usr/lib/llvm-19/bin/clang++ -march=native
libcxx           -              DEBIAN/usr/lib/llvm-19/bin/clang++ -march=native -stdlib=libc++
i686             -              g++ -m32 -idirafter /usr/include/x86_64-linux-gnu -msse2 -mfpmath=sse
i686-avx2        -              g++ -m32 -idirafter /usr/include/x86_64-linux-gnu -march=haswell -mfpmath=sse
mingw            wine           x86_64-w64-mingw32-g++-posix -include windows.h
mingw-files      wine           x86_64-w64-mingw32-g++-posix -include windows.h
mingw-avx2       wine           x86_64-w64-mingw32-g++-posix -include windows.h -march=x86-64-v3
wasm             node           em++ -fexceptions -sALLOW_MEMORY_GROWTH
wasm-simd128     node           em++ -msimd128 -fexceptions -sALLOW_MEMORY_GROWTH
wasm-sse2        node           em++ -msimd128 -msse2 -DEIGEN_DONT_VECTORIZE -fexceptions -sALLOW_MEMORY_GROWTH
aarch64          qemu-aarch64   aarch64-linux-gnu-g++
aarch64-dispatch qemu-aarch64   aarch64-linux-gnu-g++ -DVICINAL_DISPATCH=1
sve256           qemu-aarch64   aarch64-linux-gnu-g++ -march=armv8.2-a+sve -msve-vector-bits=256
armhf            qemu-arm       arm-linux-gnueabihf-g++ -mfpu=neon
riscv64          qemu-riscv64   riscv64-linux-gnu-g++
ppc64le          qemu-ppc64le   powerpc64le-linux-gnu-g++
s390x            qemu-s390x     s390x-linux-gnu-g++
TARGETS
}
usage() { sed -n '3,12s/^# \{0,1\}//p' "$root/scripts/test_targets.sh"; }

includes=
names=
skip=skipped
while [ $# -gt 0 ]; do
    case $1 in
        --list)
            targets | cut -d ' ' -f 1
            exit 0
            ;;
        --no-skip) skip=failed ;;
        --include)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            includes="$includes -isystem $(cd "$2" && pwd)"
            shift
            ;;
        -h | --help) usage; exit 0 ;;
        *)
            if ! targets | cut -d ' ' -f 1 | grep -qxF -- "$1"; then usage >&2; exit 2; fi
            names="$names $1"
            ;;
    esac
    shift
done

cd "$root"
mkdir -p "$out"
. scripts/install_dependencies.sh

# The header-only libraries of this machine serve every target; its C library's headers beside them do not.
mkdir -p "$out/include"
for header in xsimd Eigen unsupported catch2; do
    for from in /usr/include /usr/local/include /opt/homebrew/include; do
        for in in "$from" "$from/eigen3"; do
            if [ -d "$in/$header" ]; then ln -sfn "$in/$header" "$out/include/$header"; fi
        done
    done
done

# Clang 19 and its libc++, which Debian cannot install beside those of another version.
unpack_clang19() {
    if [ -e "$out/debian/ready" ]; then return 0; fi
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then return 1; fi
    mkdir -p "$out/debian"
    (cd "$out/debian" && apt-get download -qq clang-19 libclang-common-19-dev libclang-cpp19 libllvm19 libc++-19-dev \
        libc++1-19 libc++abi-19-dev libc++abi1-19 libunwind-19-dev libunwind-19 &&
        for package in *.deb; do dpkg -x "$package" . && rm "$package"; done && touch ready) >"$out/debian.log" 2>&1
}

passed=0
failed=0
skipped=0
say() { # passed|failed|skipped, name, why
    eval "$1=\$(($1 + 1))"
    echo "$1: $2${3:+: $3}"
}

# The library of run-time dispatch for 64-bit Arm, and what tells the level, into $out/$target.
compile_dispatch() { # flags...
    for part in choose baseline dotprod; do
        flags=
        if [ $part = dotprod ]; then flags=-march=armv8.2-a+dotprod; fi
        # shellcheck disable=SC2086
        nice "$compiler" "$@" $flags -c src/dispatch/$part.cpp -o "$out/$target/$part.o" || return 1
    done
    nice "$compiler" "$@" tests/dispatch/level.cpp "$out/$target/"*.o -o "$out/$target/level" $link
}

test_target() { # name, how to run, compiler and flags...
    target=$1
    run=$2
    shift 2
    case $1 in DEBIAN/*)
        if ! unpack_clang19; then say $skip "$target" "Debian's packages of clang 19 cannot be had here"; return; fi
        export LD_LIBRARY_PATH="$out/debian/usr/lib/llvm-19/lib:$out/debian/usr/lib/x86_64-linux-gnu" ;;
    esac
    compiler=$(echo "$1" | sed "s|^DEBIAN|$out/debian|")
    shift
    if ! vicinal_install_dependencies "target-$target" >"$out/$target.log" 2>&1; then
        say $skip "$target" "what it needs cannot be installed here, see build/targets/$target.log"
        return
    fi
    if ! command -v "$compiler" >/dev/null; then say $skip "$target" "$compiler not found"; return; fi
    if [ "$run" != - ] && ! command -v "$run" >/dev/null; then say $skip "$target" "$run not found"; return; fi
    sources=tests/smoke/smoke.cpp
    if [ "$target" = mingw-files ]; then  # those of the tests of io that Windows can run
        sources=tests/support/catch_main.cpp
        for area in replace round_trip refusal crc32c checked; do sources="$sources tests/io/${area}_test.cpp"; done
    fi
    program=smoke
    link="-pthread -static"
    case $target in
        wasm*) program=smoke.js link= ;;
        mingw*) program=smoke.exe ;;
        native | baseline | avx2 | clang* | libcxx | i686*) link=-pthread ;;
    esac
    case $target in # what this processor cannot run
        avx2 | i686-avx2 | mingw-avx2)
            if ! grep -qw avx2 /proc/cpuinfo 2>/dev/null; then say $skip "$target" "no AVX2 here"; return; fi ;;
    esac
    mkdir -p "$out/$target"
    rm -f "$out/$target/"*
    # shellcheck disable=SC2086
    set -- "$@" -std=c++20 -O1 -Wall -Wextra -Iinclude -Itests $includes -isystem "$out/include"
    if [ "$target" = aarch64-dispatch ]; then
        if ! compile_dispatch "$@" >"$out/$target.log" 2>&1; then
            say failed "$target" "the kernels do not compile, see build/targets/$target.log"
            return
        fi
        sources="$sources $(echo "$out/$target/"*.o)"
    fi
    # shellcheck disable=SC2086
    if ! nice "$compiler" "$@" $sources -o "$out/$target/$program" $link >"$out/$target.log" 2>&1; then
        say failed "$target" "does not compile, see build/targets/$target.log"
        return
    fi
    if [ "$run" = - ]; then run=; fi
    case $target in
        sve256) run_program "$run -cpu max,sve256=on" ;;
        aarch64-dispatch) run_at_level "$run -cpu cortex-a53" baseline && run_at_level "$run -cpu max" dotprod ;;
        *) run_program "$run" ;;
    esac || return 0
    said=
    if [ "$target" = mingw-files ]; then said=$(tail -n 2 "$out/$target/output" | tr -d '\r\n'); fi
    say passed "$target" "$said"
}

# Says so if another level is chosen than the one named.
run_at_level() { # how to run, level
    # shellcheck disable=SC2086
    if ! (cd "$out/$target" && nice $1 ./level "$2" >output 2>errors); then
        say failed "$target" "run by $1: $(cat "$out/$target/output"), not $2"
        return 1
    fi
    run_program "$1"
}

# Runs what was compiled and compares what it prints, or says what is wrong.
run_program() { # how to run
    run=$1
    # Emscripten 3.1.6, which Debian has, takes a node that has fetch, as it has since version 18, for a browser.
    if [ "$run" = node ] && node --no-experimental-fetch -e 0 2>/dev/null; then run="node --no-experimental-fetch"; fi
    if [ "$run" = wine ]; then
        export WINEPREFIX="$out/wine" WINEDEBUG=-all
    fi
    # shellcheck disable=SC2086
    if ! (cd "$out/$target" && nice $run "./$program" >output 2>errors); then
        say failed "$target" "$(tail -n 1 "$out/$target/output" "$out/$target/errors" | tr -d '\r' | tr '\n' ' ')"
        return 1
    fi
    if [ "$target" = mingw-files ]; then return 0; fi
    tr -d '\r' <"$out/$target/output" >"$out/$target/lines"
    if ! diff "$out/$target/lines" tests/smoke/expected.txt >"$out/$target.log"; then
        say failed "$target" "other hashes, see build/targets/$target.log"
        return 1
    fi
}

for name in ${names:-$(targets | cut -d ' ' -f 1)}; do
    # shellcheck disable=SC2046
    test_target $(targets | grep "^$name ")
    unset LD_LIBRARY_PATH
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
