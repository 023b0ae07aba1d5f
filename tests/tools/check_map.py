#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_map.py ROOT: the map in docs/architecture.md names every header of include/vicinal, and no other.

The map is the block of text that begins with "concepts.hpp". A line that begins with a folder's name begins that folder's
part; runs of two or more spaces separate cells. A cell of one word names a header, every other cell describes one. Headers
that lie in no folder are named with their ".hpp".
"""
import pathlib
import re
import sys


def map_of(text):
    """{(folder, name)} of the map in `text`; the folder of headers that lie in none is ""."""
    match = re.search(r"^```\n(concepts\.hpp .*?)^```$", text, re.M | re.S)
    if not match:
        sys.exit("docs/architecture.md has no map: no block of text that begins with concepts.hpp")
    named = set()
    folder = ""
    for line in match.group(1).splitlines():
        if not line.startswith(" "):
            folder = ""
            if begins := re.match(r"([a-z0-9/]+)/(?= |$)", line):
                folder = begins.group(1)
                line = line[begins.end():]
        for cell in re.split(r" {2,}", line.strip()):
            if re.fullmatch(r"[a-z0-9_]+(\.hpp)?", cell):
                named.add((folder, cell.removesuffix(".hpp")))
    return named


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    home = root / "include/vicinal"
    headers = {(path.parent.relative_to(home).as_posix().removeprefix("."), path.stem) for path in home.rglob("*.hpp")}
    named = map_of((root / "docs/architecture.md").read_text(encoding="utf-8"))
    for folder, name in sorted(headers - named):
        print(f"{folder or '.'}/{name}.hpp is not in the map of docs/architecture.md")
    for folder, name in sorted(named - headers):
        print(f"the map of docs/architecture.md names {folder or '.'}/{name}, and there is no such header")
    print(f"{len(headers)} headers, {len(named)} in the map")
    sys.exit(0 if headers and headers == named else 1)


main()
