#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chains.py INCLUDE: the headers of INCLUDE/vicinal as a few chains, a line each, of headers between bars.

Each header of a chain includes all of those before it, directly or through others. So a file that includes a whole
chain in this order compiles if and only if each of its headers compiles alone: what stands before a header is what it
brings itself. What a header includes under some #if only does not count.
"""
import functools
import pathlib
import re
import sys

DIRECTIVE = re.compile(r'^\s*#\s*(?:(if|ifdef|ifndef)\b|(endif)\b|include\s*"(vicinal/[^"]+)")')


def included(path):
    """What a header includes whatever is defined."""
    depth, found = 0, set()
    for line in path.read_text(encoding="utf-8").splitlines():
        match = DIRECTIVE.match(line)
        if not match:
            continue
        opens, closes, header = match.groups()
        depth += 1 if opens else -1 if closes else 0
        if header and depth == 0:
            found.add(header)
    return found


def chains(include):
    @functools.lru_cache(maxsize=None)
    def brings(header):
        direct = included(include / header)
        return direct.union(*(brings(other) for other in direct))

    headers = [path.relative_to(include).as_posix() for path in sorted(include.rglob("*.hpp"))]
    made = []
    for header in sorted(headers, key=lambda header: -len(brings(header))):
        # Appended to the chain whose last header brings least beside it, so that the others stay open for more.
        fitting = [chain for chain in made if header in brings(chain[-1])]
        if fitting:
            min(fitting, key=lambda chain: len(brings(chain[-1]))).append(header)
        else:
            made.append([header])
    return [chain[::-1] for chain in made]


if __name__ == "__main__":
    for chain in chains(pathlib.Path(sys.argv[1])):
        print("|".join(chain))
