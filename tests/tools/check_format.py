#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_format.py ROOT: the C++ files under ROOT are as clang-format 14 leaves them, and no line is longer than 120 columns.
Those of every other language with comments of one line say their licence at the top, too.

clang-format does not touch comments (ReflowComments: false), so this counts their columns. Other releases of clang-format
format a little differently; without release 14 only lines, tabs and the licence line are looked at, and that is said.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

FOLDERS = ["include", "tests", "examples", "benchmarks", "fuzz", "test_package"]
LICENCE = "// SPDX-License-Identifier: MIT"
HASH_LICENCE = "# SPDX-License-Identifier: MIT"
HASH_NAMES = (".py", ".sh", ".cmake", ".cmake.in", ".pc.in", "CMakeLists.txt", ".yml", ".yaml", ".cff", ".bazel", ".build")
NOT_OURS = ("build", "out", ".git")  # what is built, and what git keeps
COLUMNS = 120


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp") and "build" not in path.parts:
                yield path


def scripts(root):
    """Sources whose comments begin with a hash: build files, Python, shell, workflows."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in NOT_OURS)
        for name in sorted(names):
            if name.endswith(HASH_NAMES):
                yield pathlib.Path(folder, name)


def lacks_licence(path):
    """The licence is the first line, or the second after the one that names the interpreter."""
    lines = path.read_text(encoding="utf-8").splitlines()[:2]
    return HASH_LICENCE not in (lines if lines and lines[0].startswith("#!") else lines[:1])


def problems_of_text(path, text):
    lines = text.splitlines()
    if not lines or lines[0] != LICENCE:
        yield f"{path}:1: the first line must be {LICENCE}"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS and "#include" not in line:
            yield f"{path}:{number}: {len(line)} columns, {COLUMNS} are allowed"
        if "\t" in line or line != line.rstrip():
            yield f"{path}:{number}: a tab or a blank at the end"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield f"{path}: it must end with one line break"


def formatter():
    """The path of clang-format 14, or None."""
    for name in ("clang-format-14", "clang-format"):
        if program := shutil.which(name):
            said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
            if re.search(r"\bversion 14\.", said):
                return program
    return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    files = list(sources(root))
    if not files:
        sys.exit(f"no source under {root}")
    failed = 0
    for path in files:
        for problem in problems_of_text(path.relative_to(root), path.read_text(encoding="utf-8")):
            print(problem)
            failed += 1
    hashed = list(scripts(root))
    for path in filter(lacks_licence, hashed):
        print(f"{path.relative_to(root)}:1: the first line, or the one after #!, must be {HASH_LICENCE}")
        failed += 1
    program = formatter()
    if program is None:
        print("clang-format 14 is not here: only columns, blanks and licence lines were checked")
    else:
        for first in range(0, len(files), 64):
            some = [os.fspath(path) for path in files[first:first + 64]]
            done = subprocess.run([program, "--dry-run", "--style=file", *some], stderr=subprocess.PIPE, text=True, check=False)
            for line in done.stderr.splitlines():
                if "clang-format-violations" in line:
                    print(line)
                    failed += 1
    print(f"{len(files)} C++ files and {len(hashed)} others, {failed} problems")
    sys.exit(1 if failed else 0)


main()
