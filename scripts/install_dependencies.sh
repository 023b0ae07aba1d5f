#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/install_dependencies.sh demo|test|bench|fuzz|cross|browser
#
# Installs what building vicinal's demo, tests, benchmarks or fuzz targets, or testing for other processors, needs and
# this machine lacks, with apt, dnf, brew or vcpkg. Looks first; if nothing is missing it does nothing and says nothing.
# Asks for nothing: where installing would need a password it prints the command to run and fails. The other scripts
# source this file and call its function.

# One line for each need: name, who needs it (commas separate several), how to find it, what it is for, and its package
# for apt, dnf, brew and vcpkg ("-" where there is none). "command:" finds a program, "header:" a file in an include
# directory, "library:" one of clang's, "flag:" one of the compiler's; commas separate alternatives.
vicinal_needs() {
    cat <<'NEEDS'
compiler    all    command:c++,g++,clang++             compiles_the_C++20_sources          g++             gcc-c++            -           -
cmake       all    command:cmake                       configures_the_build                cmake           cmake              cmake       -
ninja       all    command:ninja,make                  runs_the_build                      ninja-build     ninja-build        ninja       -
xsimd       all    header:xsimd/xsimd.hpp              SIMD_types_for_the_kernels          libxsimd-dev    xsimd-devel        xsimd       xsimd
eigen       all    header:Eigen/Dense                  linear_algebra_for_k-means_and_SVD  libeigen3-dev   eigen3-devel       eigen       eigen3
catch2      test,target-mingw-files  header:catch2/catch.hpp,catch2/catch_test_macros.hpp  the_test_framework  catch2        catch-devel        catch2      catch2
pkg-config  test   command:pkg-config                  tests_vicinal's_pkg-config_file     pkg-config      pkgconf-pkg-config pkg-config  -
python3     test,browser  command:python3                     runs_the_checks_in_tests/tools      python3         python3            python3     -
format      test   command:clang-format-14,clang-format  checks_the_sources'_format      clang-format        clang-tools-extra  clang-format -
benchmark   bench  header:benchmark/benchmark.h        the_micro-benchmark_framework       libbenchmark-dev google-benchmark-devel google-benchmark benchmark
clang       test,fuzz  command:clang++                 compiles_for_sanitizers_and_fuzzing clang           clang              -           -
sanitizers  test,fuzz  library:libclang_rt.fuzzer      libFuzzer_and_the_sanitizers        libclang-rt-dev compiler-rt        llvm        -
cross-a64   cross,target-aarch64,target-aarch64-dispatch,target-sve256  command:aarch64-linux-gnu-g++       compiles_for_64-bit_ARM             g++-aarch64-linux-gnu -            -           -
cross-s390  cross,target-s390x  command:s390x-linux-gnu-g++         compiles_for_a_big-endian_machine   g++-s390x-linux-gnu   -            -           -
cross-armhf target-armhf   command:arm-linux-gnueabihf-g++  compiles_for_32-bit_ARM        g++-arm-linux-gnueabihf -          -           -
cross-riscv target-riscv64 command:riscv64-linux-gnu-g++  compiles_for_RISC-V              g++-riscv64-linux-gnu -            -           -
cross-ppc   target-ppc64le command:powerpc64le-linux-gnu-g++  compiles_for_POWER           g++-powerpc64le-linux-gnu -        -           -
qemu        cross,target-aarch64,target-aarch64-dispatch,target-sve256,target-armhf,target-riscv64,target-ppc64le,target-s390x  command:qemu-aarch64,qemu-aarch64-static  runs_their_programs          qemu-user       -                  -           -
qemu-x86    test   command:qemu-x86_64,qemu-x86_64-static  runs_programs_as_on_old_processors  qemu-user         -                  -           -
multilib    target-i686,target-i686-avx2  flag:-m32        compiles_for_32-bit_x86             g++-GCC-multilib    -                  -           -
clang-cl    target-clang   command:clang++             compiles_the_C++20_sources          clang               clang              -           -
mingw       target-mingw,target-mingw-files,target-mingw-avx2  command:x86_64-w64-mingw32-g++-posix  compiles_for_Windows  g++-mingw-w64-x86-64-posix - - -
wine        target-mingw,target-mingw-files,target-mingw-avx2  command:wine  runs_Windows_programs        wine                -                  -           -
emscripten  browser,target-wasm,target-wasm-simd128,target-wasm-sse2  command:em++  compiles_for_WebAssembly    emscripten          emscripten         emscripten  -
node        browser,target-wasm,target-wasm-simd128,target-wasm-sse2  command:node  runs_WebAssembly    nodejs              nodejs             node        -
chromium    browser  command:chromium,chromium-browser,google-chrome              shows_the_page                      chromium        chromium           chromium    -
hnswlib     bench  header:hnswlib/hnswlib.h            a_library_to_compare_with           libhnswlib-dev  -                  -           -
faiss       bench  header:faiss/Index.h                a_library_to_compare_with           libfaiss-dev    -                  faiss       -
NEEDS
}

# Succeeds if one of the comma-separated programs or headers is there.
vicinal_have() {
    vicinal_kind=${1%%:*}
    for vicinal_name in $(echo "${1#*:}" | tr ',' ' '); do
        if [ "$vicinal_kind" = command ]; then
            if command -v "$vicinal_name" >/dev/null 2>&1; then return 0; fi
            if [ "$vicinal_name" = c++ ] && [ -n "${CXX:-}" ]; then return 0; fi
            continue
        fi
        if [ "$vicinal_kind" = flag ]; then
            if echo '#include <vector>' | c++ "$vicinal_name" -fsyntax-only -xc++ - 2>/dev/null; then return 0; fi
            continue
        fi
        if [ "$vicinal_kind" = library ]; then # one of clang's own
            for vicinal_dir in "$(clang++ -print-resource-dir 2>/dev/null)"/lib/*; do
                if ls "$vicinal_dir/$vicinal_name"* >/dev/null 2>&1; then return 0; fi
            done
            continue
        fi
        for vicinal_dir in $(echo "${CPATH:-}:${CPLUS_INCLUDE_PATH:-}" | tr ':' ' ') \
            $(echo "${CMAKE_PREFIX_PATH:-}" | tr ':' '\n' | tr ';' '\n' | sed -n 's|.\{1,\}|&/include|p') \
            "${VCPKG_ROOT:-/nonexistent}"/installed/*/include \
            /usr/include /usr/local/include /opt/homebrew/include /opt/local/include; do
            if [ -e "$vicinal_dir/$vicinal_name" ] || [ -e "$vicinal_dir/eigen3/$vicinal_name" ]; then return 0; fi
        done
    done
    return 1
}

vicinal_package_manager() {
    for vicinal_manager in apt-get dnf brew vcpkg; do
        if command -v "$vicinal_manager" >/dev/null 2>&1; then
            echo "$vicinal_manager"
            return
        fi
    done
    if [ -n "${VCPKG_ROOT:-}" ]; then echo vcpkg; else echo none; fi
}

# vicinal_install_dependencies demo|test|bench|fuzz|cross|browser
vicinal_install_dependencies() {
    vicinal_for=$1
    vicinal_with=$(vicinal_package_manager)
    # vcpkg's packages are found through its toolchain file, which CMake takes from the environment.
    if [ "$vicinal_with" = vcpkg ] && [ -n "${VCPKG_ROOT:-}" ] && [ -z "${CMAKE_TOOLCHAIN_FILE:-}" ]; then
        export CMAKE_TOOLCHAIN_FILE="$VCPKG_ROOT/scripts/buildsystems/vcpkg.cmake"
    fi

    vicinal_packages=
    vicinal_reasons=
    vicinal_homeless=
    while read -r name who how why apt dnf brew vcpkg; do
        case ",$who," in ,all, | *",$vicinal_for,"*) ;; *) continue ;; esac
        if vicinal_have "$how"; then continue; fi
        case $vicinal_with in
            apt-get) # g++-multilib without a version would take Debian's cross compilers away
                vicinal_package=$apt
                if [ "$apt" = g++-GCC-multilib ]; then vicinal_package=g++-$(g++ -dumpversion)-multilib; fi
                ;;
            dnf) vicinal_package=$dnf ;;
            brew) vicinal_package=$brew ;;
            vcpkg) vicinal_package=$vcpkg ;;
            *) vicinal_package=- ;;
        esac
        why=$(echo "$why" | tr '_' ' ')
        if [ "$vicinal_package" != - ]; then
            vicinal_packages="$vicinal_packages $vicinal_package"
            vicinal_reasons="$vicinal_reasons
$(printf '  %-24s %s' "$vicinal_package" "$why")"
        elif [ "$name" != hnswlib ] && [ "$name" != faiss ] && [ "$name" != qemu-x86 ]; then # we do without these three
            vicinal_homeless="$vicinal_homeless
$(printf '  %-24s %s' "$name" "$why")"
        fi
    done <<EOF_NEEDS
$(vicinal_needs)
EOF_NEEDS

    if [ -n "$vicinal_homeless" ]; then
        echo "Missing, and for you to install by hand (package manager: $vicinal_with):$vicinal_homeless" >&2
        if [ "$vicinal_with" = brew ]; then echo "On macOS the compiler comes with: xcode-select --install" >&2; fi
        return 1
    fi
    if [ -z "$vicinal_packages" ]; then return 0; fi

    case $vicinal_with in
        apt-get) vicinal_command="apt-get update -qq && \
env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends$vicinal_packages" ;;
        dnf) vicinal_command="dnf install -y$vicinal_packages" ;;
        brew) vicinal_command="brew install$vicinal_packages" ;;
        vcpkg)
            vicinal_command="$(command -v vcpkg || echo "$VCPKG_ROOT/vcpkg") install$vicinal_packages"
            ;;
    esac

    vicinal_sudo=
    case $vicinal_with in
        apt-get | dnf)
            if [ "$(id -u)" != 0 ]; then
                vicinal_sudo="sudo -n "
                if ! sudo -n true >/dev/null 2>&1; then
                    vicinal_command=$(echo "$vicinal_command" | sed 's/^/sudo /; s/&& /\&\& sudo /; s/ -qq//g')
                    echo "Missing packages:$vicinal_reasons" >&2
                    echo "Installing them needs a password. Run this command, then this script again:" >&2
                    echo "$vicinal_command" >&2
                    return 1
                fi
            fi
            ;;
    esac
    echo "Installing with $vicinal_with:$vicinal_reasons"
    vicinal_command=$vicinal_sudo$(echo "$vicinal_command" | sed "s/&& /\&\& $vicinal_sudo/")
    if ! sh -c "$vicinal_command" </dev/null >"${TMPDIR:-/tmp}/vicinal_install.$$" 2>&1; then
        cat "${TMPDIR:-/tmp}/vicinal_install.$$" >&2
        rm -f "${TMPDIR:-/tmp}/vicinal_install.$$"
        echo "This failed: $vicinal_command" >&2
        return 1
    fi
    rm -f "${TMPDIR:-/tmp}/vicinal_install.$$"
}

# How many compilers to run at once: one per processor, each with 2 GB of memory.
vicinal_jobs() {
    vicinal_processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    vicinal_kilobytes=$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo 2>/dev/null)
    vicinal_by_memory=$((${vicinal_kilobytes:-16000000} / 2000000))
    if [ "$vicinal_by_memory" -lt 1 ]; then vicinal_by_memory=1; fi
    if [ "$vicinal_by_memory" -lt "$vicinal_processors" ]; then echo "$vicinal_by_memory"; else echo "$vicinal_processors"; fi
}

# Ninja is the generator where it is installed; a build directory keeps the one it was made with.
vicinal_prefer_ninja() {
    if [ -z "${CMAKE_GENERATOR:-}" ] && command -v ninja >/dev/null 2>&1; then export CMAKE_GENERATOR=Ninja; fi
}

case $0 in
    */install_dependencies.sh | install_dependencies.sh)
        case ${1:-} in
            demo | test | bench | fuzz | cross | browser) vicinal_install_dependencies "$1" ;;
            *)
                sed -n '3,9s/^# \{0,1\}//p' "$0"
                exit 2
                ;;
        esac
        ;;
esac
