#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh COMPILER SOURCE PROGRAM [FLAG...]: vicinal as a subproject of Meson's.
set -eu
work=$(dirname "$3")
for tool in meson ninja; do
    if ! command -v "$tool" >/dev/null; then echo "skipped: $tool not found"; exit 77; fi
done
rm -rf "$work/project"
mkdir -p "$work/project/subprojects"
cp "$(dirname "$0")/meson.build" "$2" "$work/project"
ln -s "$VICINAL_SOURCE" "$work/project/subprojects/vicinal"
CXX=$1 meson setup "$work/project/build" "$work/project"
meson compile -C "$work/project/build"
cp "$work/project/build/consumer" "$3"
