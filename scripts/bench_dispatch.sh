#!/bin/sh
# SPDX-License-Identifier: MIT
# bench_dispatch.sh [CASE...]: what run-time dispatch costs. Compiles benchmarks/dispatch_bench.cpp natively (-O3
# -march=native) and for dispatch (-O2 without -march), runs them in turn on one core, and compares the fastest passes and
# what was found. CXX names the compiler, DIRECTORY where all is made, ROUNDS how often each runs, CORE where.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=${DIRECTORY:-$(mktemp -d)}
cxx="${CXX:-g++} -std=c++20 -DNDEBUG -I$here/include $(pkg-config --cflags eigen3)"
avx2="-mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mpopcnt"
avx512="$avx2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=256"
mkdir -p "$work/indexes"
cd "$work"
if [ ! -x dispatch_bench ]; then
  $cxx -O2 -c "$here/src/dispatch/choose.cpp"
  $cxx -O3 -c "$here/src/dispatch/baseline.cpp"
  $cxx -O3 $avx2 -c "$here/src/dispatch/avx2.cpp"
  $cxx -O3 $avx512 -c "$here/src/dispatch/avx512.cpp"
  $cxx -O3 -march=native "$here/benchmarks/dispatch_bench.cpp" -o native_bench -pthread
  $cxx -O2 -DVICINAL_DISPATCH=1 "$here/benchmarks/dispatch_bench.cpp" choose.o baseline.o avx2.o avx512.o \
    -o dispatch_bench -pthread
fi
[ $# -gt 0 ] || set -- $(./native_bench cases)
for case in "$@"; do
  round=0
  while [ $round -lt "${ROUNDS:-5}" ]; do
    for program in native_bench dispatch_bench; do
      taskset -c "${CORE:-1}" "./$program" "$case" indexes 1 | sed "s/^/$program /"
    done
    round=$((round + 1))
  done | awk '
    { if (!($1 in best) || $3 < best[$1]) best[$1] = $3; found[$NF] = 1; name = $2 }
    END { for (f in found) ++answers
          printf "%-16s native %9.2f us  dispatch %9.2f us  %5.1f %%  %s\n", name, best["native_bench"],
                 best["dispatch_bench"], 100 * best["native_bench"] / best["dispatch_bench"],
                 answers == 1 ? "same results" : "DIFFERENT RESULTS" }'
done
