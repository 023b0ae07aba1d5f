#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh COMPILER SOURCE PROGRAM [FLAG...]: vicinal as a module of Bazel's, which takes eigen and xsimd from its registry.
set -eu
work=$(dirname "$3")
if ! command -v bazel >/dev/null; then echo "skipped: bazel not found"; exit 77; fi
case $(bazel --version) in # modules came with 6, and the registry's rules ask for 7
    "bazel "[1-6].*) echo "skipped: bazel 7 or later not found"; exit 77 ;;
esac
rm -rf "$work/project"
mkdir -p "$work/project"
cp "$2" "$work/project"
cat >"$work/project/MODULE.bazel" <<MODULE
bazel_dep(name = "rules_cc", version = "0.1.1")
bazel_dep(name = "vicinal")
local_path_override(module_name = "vicinal", path = "$VICINAL_SOURCE")
MODULE
cat >"$work/project/BUILD.bazel" <<'BUILD'
load("@rules_cc//cc:defs.bzl", "cc_binary")

cc_binary(
    name = "consumer",
    srcs = ["main.cpp"],
    copts = ["-std=c++20"],
    deps = ["@vicinal"],
)
BUILD
cd "$work/project"
export CC="$1"
bazel --output_user_root="$work/bazel" build //:consumer
cp bazel-bin/consumer "$3"
