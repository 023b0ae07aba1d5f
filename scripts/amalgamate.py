#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amalgamate.py [-o FILE] [HEADER...]: vicinal in one file, to be copied into a project.

HEADER is a public header such as hnsw.hpp or prometheus.hpp; without one, everything a program can include is in it.
xsimd and, where a header needs it, Eigen are still included from outside. The same tree gives the same bytes.

A header of ours stands where the headers it includes stand before it, whatever the processor: each compiles alone on
every one, so that an inclusion under #if may come early. Other people's headers stay where they were included, under the
same #if, but for those that an earlier line has brought for sure.
"""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
LICENCE_LINE = "// SPDX-License-Identifier: MIT"


def own_includes(text):
    """What `text` includes of ours, in order."""
    return [match.group(2) for line in text.splitlines() if (match := INCLUDE.match(line)) and match.group(1) == '"']


def public_headers(root):
    return sorted(path.relative_to(root / "include").as_posix() for path in (root / "include/vicinal").glob("*.hpp"))


def in_order(root, wanted):
    """The names and texts of all headers that those in `wanted` need: each after what it includes."""
    texts = {}
    open_headers = []

    def visit(header):
        if header in texts:
            return
        if header in open_headers:
            sys.exit(f"{header} includes itself, by {' and '.join(open_headers[open_headers.index(header) + 1:])}")
        path = root / "include" / header
        if not path.is_file():
            sys.exit(f"there is no {path}")
        text = path.read_text(encoding="utf-8")
        open_headers.append(header)
        for included in own_includes(text):
            visit(included)
        open_headers.pop()
        texts[header] = text  # a dictionary keeps the order of insertion

    for header in wanted:
        visit(header)
    return texts


def body(text, brought):
    """`text` without what the whole file says once, and without what is in `brought`, the outside headers before it."""
    depth = 0  # of #if
    lines = []
    for line in text.splitlines():
        match = INCLUDE.match(line)
        if re.match(r"\s*#\s*if", line):
            depth += 1
        elif re.match(r"\s*#\s*endif", line):
            depth -= 1
        elif line == LICENCE_LINE or line == "#pragma once" or (match and match.group(1) == '"'):
            continue
        elif match:
            if match.group(2) in brought:
                continue
            if depth == 0:
                brought.add(match.group(2))
        lines.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def version(root):
    text = (root / "include/vicinal/version.hpp").read_text(encoding="utf-8")
    return ".".join(re.findall(r"^#define VICINAL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", text, re.M))


def amalgamation(root, wanted):
    comment = [f"vicinal {version(root)}: {', '.join(header.removeprefix('vicinal/') for header in wanted)}",
               "and what they include, in one file made by scripts/amalgamate.py. Change the headers, not this.", "",
               *(root / "LICENSE").read_text(encoding="utf-8").strip().splitlines()]
    parts = ["\n".join([LICENCE_LINE, *(f"// {line}".rstrip() for line in comment), "#pragma once"])]
    brought = set()
    for header, text in in_order(root, wanted).items():
        if code := body(text, brought):
            parts.append(f"// ---- {header}\n{code}")
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("headers", nargs="*", metavar="HEADER")
    parser.add_argument("-o", dest="output", type=pathlib.Path, metavar="FILE", help="default: standard output")
    arguments = parser.parse_args()

    wanted = [f"vicinal/{header.removeprefix('vicinal/')}" for header in arguments.headers] or public_headers(ROOT)
    made = amalgamation(ROOT, wanted)
    if arguments.output is None:
        sys.stdout.buffer.write(made.encode())
    else:
        arguments.output.write_bytes(made.encode())


main()
