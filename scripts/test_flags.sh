#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/test_flags.sh [--list] [NAME...]
#
# Compiles tests/smoke/smoke.cpp as other people's builds do, without RTTI, with -ffast-math, in C++23, with checked
# containers and so on, and runs it: it must print the hashes of tests/smoke/expected.txt under all of them. One line for
# each set of flags: passed, failed, or skipped and why. All take half an hour of one processor.
#   --list   the names of the sets, all of which are tested if none is named
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/flags

# name, and how to compile. EVERYTHING stands for all headers that a user can include.
flags() {
    cat <<'FLAGS'
no-rtti           g++ -std=c++20 -O1 -fno-rtti
unsigned-char     g++ -std=c++20 -O1 -funsigned-char
no-aliasing       g++ -std=c++20 -O2 -fno-strict-aliasing
fast-math         g++ -std=c++20 -O2 -march=native -ffast-math
fast-math-clang   clang++ -std=c++20 -O2 -march=native -ffast-math
O0                g++ -std=c++20 -O0 -march=native
Og                g++ -std=c++20 -Og -march=native
O3                g++ -std=c++20 -O3 -march=native -DNDEBUG
c++23             g++ -std=c++23 -O1 -march=native
gnu++23           g++ -std=gnu++23 -O1 -march=native
c++23-clang       clang++ -std=c++2b -O1 -march=native
c++23-clang19     clang++-19 -std=c++23 -O1 -march=native
checked           g++ -std=c++20 -O1 -march=native -D_GLIBCXX_DEBUG -D_GLIBCXX_ASSERTIONS
hardened          g++ -std=c++20 -O2 -march=native -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fPIE -pie -ftrivial-auto-var-init=pattern
everything        g++ -std=c++20 -O1 -march=native EVERYTHING
no-inlining       g++ -std=c++20 -O1 -march=native -DVICINAL_NO_FORCED_INLINE
lto               g++ -std=c++20 -O2 -march=native -flto
FLAGS
}
usage() { sed -n '3,8s/^# \{0,1\}//p' "$root/scripts/test_flags.sh"; }

names=
while [ $# -gt 0 ]; do
    case $1 in
        --list)
            flags | cut -d ' ' -f 1
            exit 0
            ;;
        -h | --help) usage; exit 0 ;;
        *)
            if ! flags | cut -d ' ' -f 1 | grep -qxF -- "$1"; then usage >&2; exit 2; fi
            names="$names $1"
            ;;
    esac
    shift
done

cd "$root"
. scripts/install_dependencies.sh
vicinal_install_dependencies test
eigen=/usr/include/eigen3
for from in /usr/local/include/eigen3 /opt/homebrew/include/eigen3; do
    if [ -d "$from" ]; then eigen=$from; fi
done
everything=$(cd include && for header in vicinal/*.hpp; do printf ' -include %s' "$header"; done)

passed=0
failed=0
skipped=0
say() { # passed|failed|skipped, name, why
    eval "$1=\$(($1 + 1))"
    echo "$1: $2${3:+: $3}"
}

test_flags() { # name, compiler and flags...
    name=$1
    compiler=$2
    shift 2
    if ! command -v "$compiler" >/dev/null; then say skipped "$name" "$compiler not found"; return; fi
    rm -rf "${out:?}/$name"
    mkdir -p "$out/$name"
    # shellcheck disable=SC2046,SC2086
    if ! nice "$compiler" $(echo "$*" | sed "s|EVERYTHING|$everything|") -Wall -Wextra -Iinclude -isystem "$eigen" \
        tests/smoke/smoke.cpp -o "$out/$name/smoke" -pthread >"$out/$name/log" 2>&1; then
        say failed "$name" "does not compile, see build/flags/$name/log"
    elif ! (cd "$out/$name" && nice ./smoke >output 2>&1); then
        say failed "$name" "$(tail -n 1 "$out/$name/output")"
    elif ! diff "$out/$name/output" tests/smoke/expected.txt >"$out/$name/log"; then
        say failed "$name" "other hashes, see build/flags/$name/log"
    else
        say passed "$name"
    fi
}

for name in ${names:-$(flags | cut -d ' ' -f 1)}; do
    # shellcheck disable=SC2046
    test_flags $(flags | grep "^$name ")
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
