#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_includes.py ROOT: the layers of docs/architecture.md hold in ROOT/include.

    core <- concepts.hpp <- filter <- filter.hpp <- params.hpp <- {metric, simd} <- linalg <- codec <- storage <- scoring <- {index, io} <- the other top-level headers

A header includes its own folder and lower layers; folders in one pair of braces do not see each other.
xsimd is included only in simd/, Eigen only in linalg/. Only core/target.hpp asks the compiler's macros what the compiler is and
which instructions it may use.
"""
import pathlib
import re
import sys

LAYERS = [["version.hpp"], ["core"], ["concepts.hpp"], ["filter"], ["filter.hpp"], ["params.hpp"], ["metric", "simd"], ["linalg"], ["codec"], ["storage"],
          ["scoring"], ["index", "io"]]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
TOP = len(LAYERS)  # vicinal.hpp, flat.hpp and whatever else lies beside them, and what uses them:
LEVEL["import"] = TOP
LEVEL["runtime"] = TOP
LEVEL["durable"] = TOP
HOME = {"xsimd": "simd", "Eigen": "linalg", "unsupported": "linalg"}  # a third party's folder: where it may be included
TARGET = "vicinal/core/target.hpp"
OF_TARGET = re.compile(r"\b(__(GNUC|clang|SSE|SSSE|AVX|FMA|F16C|POPCNT|BMI|ARM_|aarch64|AARCH64|x86_64|i386|riscv|FP_FAST|SIZEOF_INT128)\w*"
                       r"|_MSC_VER|_M_[A-Z]\w*|__builtin_prefetch|__builtin_fmaf?)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def part_of(header):
    """The layer's name: a folder of include/vicinal, or the file itself at the top."""
    return header.split("/")[1]


def level_of(part):
    return LEVEL.get(part, TOP if part.endswith(".hpp") else None)


def problems(root):
    include = root / "include"
    for path in sorted(include.rglob("*.hpp")):
        header = path.relative_to(include).as_posix()
        part = part_of(header)
        if level_of(part) is None:
            yield f"{header}: the folder {part}/ is in no layer; name its layer in {pathlib.Path(__file__).name}"
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if header != TARGET and (asked := OF_TARGET.search(line)):
                yield f"{header}:{number}: {asked.group(0)} is for {TARGET} to ask; use what it defines"
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, target = match.groups()
            where = f"{header}:{number}"
            library = target.split("/")[0]
            if library in HOME and HOME[library] != part:
                yield f"{where}: <{target}> may be included in {HOME[library]}/ only"
            if library != "vicinal":
                if quote == '"':
                    yield f'{where}: write "vicinal/..." in full, not "{target}"'
                continue
            if not (include / target).is_file():
                yield f"{where}: there is no {target}"
                continue
            other = part_of(target)
            if other != part and level_of(other) is not None and level_of(other) >= level_of(part) \
                    and not level_of(part) == TOP == level_of(other):
                yield f"{where}: {part} may not include {target}, which is not in a lower layer"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    count = len(list((root / "include").rglob("*.hpp")))
    if count == 0:
        sys.exit(f"no header in {root / 'include'}")
    found = list(problems(root))
    for problem in found:
        print(problem)
    print(f"{count} headers, {len(found)} problems")
    sys.exit(1 if found else 0)


main()
