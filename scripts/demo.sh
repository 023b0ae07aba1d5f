#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/demo.sh [ARGUMENT...]: installs what is missing, builds the semantic search demo and runs it.
# The arguments go to the demo: queries to answer, or --help for the rest.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/install_dependencies.sh"
vicinal_install_dependencies demo
vicinal_prefer_ninja

# Files named in the arguments are the caller's, so only the build changes directory.
(
    cd "$root"
    mkdir -p build
    if [ ! -x build/demo/bin/semantic_search ]; then echo "Building the demo, once (progress: build/demo.log)" >&2; fi
    if ! { cmake --preset demo && cmake --build --preset demo --target semantic_search -j "$(vicinal_jobs)"; } \
        >build/demo.log 2>&1; then
        cat build/demo.log >&2
        echo "The demo did not build; the output above is also in build/demo.log." >&2
        exit 1
    fi
)
exec "$root/build/demo/bin/semantic_search" "$@"
