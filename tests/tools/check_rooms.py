#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_rooms.py ROOT: every index has the same rooms, and no header is long.

The folders index/flat, index/ivf and index/hnsw hold the same file names, those of ROOMS; what only one index has lies in a
folder of its own there. No header has more than 400 lines.
"""
import pathlib
import sys

ROOMS = {"state.hpp", "changes.hpp", "search.hpp", "batch.hpp", "stream.hpp", "files.hpp", "check.hpp"}
INDEXES = ["flat", "ivf", "hnsw"]
MOST_LINES = 400


def main():
    home = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "include/vicinal"
    failed = 0
    for index in INDEXES:
        there = {path.name for path in (home / "index" / index).glob("*.hpp")}
        for name in sorted(ROOMS - there):
            print(f"index/{index} has no {name}")
        for name in sorted(there - ROOMS):
            print(f"index/{index}/{name} is no room that all indexes have")
        failed += len(ROOMS ^ there)
    headers = sorted(home.rglob("*.hpp"))
    for path in headers:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            print(f"{path.relative_to(home)} has {lines} lines, {MOST_LINES} are allowed")
            failed += 1
    print(f"{len(headers)} headers, {failed} problems")
    sys.exit(1 if failed or not headers else 0)


main()
