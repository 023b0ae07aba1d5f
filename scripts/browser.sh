#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/browser.sh [--corpus PATH] [--serve]
#
# Makes the page of examples/browser in build/browser/site: installs what is missing, builds the program that makes the
# index, compiles the search to WebAssembly, tests both in node and in headless Chromium, and says how large and how
# fast they are. The page is static: any web server can offer the folder.
#   --corpus PATH   what to search, as for scripts/demo.sh; default: the package descriptions of this machine
#   --serve         then offers the page at http://127.0.0.1:8000/
#
# scripts/browser.sh --test PAGE_DATA FOLDER is for ctest: it tests that program and the page in FOLDER, with a corpus of
# examples/browser/test and what is installed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
here=$root/examples/browser

# What is compiled: Debian's emscripten is linked at -O1, as its binaryen fails at higher levels. -msse2 brings no x86
# into the page: emscripten has SSE2's intrinsics in terms of simd128, so that our kernels of 128 bits serve here, too.
# A module that is STANDALONE needs no JavaScript of emscripten's; search.js has the three functions it asks for.
compile_wasm() { # folder for objects, output
    mkdir -p "$1/include"
    for from in /usr/include /usr/local/include /opt/homebrew/include; do
        # A link to this header-only library alone: the C library's headers beside it are of another machine.
        if [ -d "$from/xsimd" ]; then ln -sfn "$from/xsimd" "$1/include/xsimd"; fi
    done
    demo=$root/examples/semantic_search
    for source in "$here/wasm.cpp" "$here/page_search.cpp" "$demo/files.cpp" "$demo/tokenizer.cpp" "$demo/tfidf.cpp"; do
        em++ -std=c++20 -O3 -msimd128 -msse2 -fwasm-exceptions -Wall -Wextra -I"$root/include" -isystem "$1/include" \
            -c "$source" -o "$1/$(basename "$source" .cpp).o"
    done
    em++ -O1 -fwasm-exceptions -sSTANDALONE_WASM --no-entry -sALLOW_MEMORY_GROWTH "$1"/*.o -o "$2"
}

# The page's files and the answers to compare with.
make_site() { # page_data, folder, [corpus]
    mkdir -p "$2"
    cp "$here/index.html" "$here/app.js" "$here/search.js" "$2"
    "$1" make "$2" ${3:+"$3"}
}

test_page() { # page_data, site, folder for what is written
    "$1" ask "$2" <"$here/test/queries.txt" >"$3/answers"
    node "$here/test/node.mjs" "$2" "$3/answers"
    browser=$(command -v "${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome || true)
    if [ -z "$browser" ]; then
        echo "skipped: chromium not found, the page was tested in node only"
        return
    fi
    CHROMIUM=$browser node "$here/test/chromium.mjs" "$2" "$3/answers" "$3/page.png"
}

test_for_ctest() { # page_data, folder
    make_site "$1" "$2/site" "$here/test/corpus.tsv"
    # The third of the corpus draws graphs; so it does while the last word is being typed.
    for query in "charts of numbers" "draw numbers in cha"; do
        case $(echo "$query" | "$1" ask "$2/site") in
            "[[2,"*) ;;
            *) echo "page_data finds something else for \"$query\"" && return 1 ;;
        esac
    done
    if [ "$(echo "xyzzy" | "$1" ask "$2/site")" != "[]" ]; then echo "page_data knows xyzzy" && return 1; fi
    echo "damage" >>"$2/site/vocabulary.bin"
    if "$1" ask "$2/site" </dev/null 2>/dev/null; then echo "page_data reads a damaged vocabulary" && return 1; fi
    for tool in em++ node; do
        if ! command -v "$tool" >/dev/null; then
            echo "skipped: $tool not found, the page was not built; scripts/browser.sh installs it"
            return
        fi
    done
    make_site "$1" "$2/site" "$here/test/corpus.tsv"
    compile_wasm "$2/wasm" "$2/site/page.wasm"
    test_page "$1" "$2/site" "$2"
}

corpus=
serve=
while [ $# -gt 0 ]; do
    case $1 in
        --test)
            test_for_ctest "$2" "$3"
            exit
            ;;
        --corpus)
            if [ $# -lt 2 ]; then sed -n '3,11s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
            corpus=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
            shift
            ;;
        --serve) serve=yes ;;
        *)
            sed -n '3,11s/^# \{0,1\}//p' "$0"
            exit 2
            ;;
    esac
    shift
done

cd "$root"
. scripts/install_dependencies.sh
vicinal_install_dependencies browser
vicinal_prefer_ninja
mkdir -p build/browser
if ! { cmake --preset demo && cmake --build --preset demo --target page_data -j "$(vicinal_jobs)"; } \
    >build/browser/build.log 2>&1; then
    cat build/browser/build.log >&2
    exit 1
fi
make_site build/demo/bin/page_data build/browser/site ${corpus:+"$corpus"}
compile_wasm build/browser/wasm build/browser/site/page.wasm
test_page build/demo/bin/page_data build/browser/site build/browser
printf '%10s %10s  %s\n' bytes gzipped file
for file in build/browser/site/*; do
    printf '%10d %10d  %s\n' "$(wc -c <"$file")" "$(gzip -9c "$file" | wc -c)" "$(basename "$file")"
done
echo "The page is in build/browser/site; scripts/browser.sh --serve offers it here."
if [ -n "$serve" ]; then exec python3 -m http.server --bind 127.0.0.1 --directory build/browser/site 8000; fi
