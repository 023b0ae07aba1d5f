#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_version.py ROOT [--expect VERSION]: whatever states vicinal's version states that of version.hpp.

That is CITATION.cff, the latest entry of CHANGELOG.md and the files of package managers; conanfile.py and CMake read the
header itself.

With --expect (a release tag without its "v") all must also be that version, and the entry must have a date.
"""
import argparse
import pathlib
import re
import sys


def header_version(root):
    text = (root / "include/vicinal/version.hpp").read_text(encoding="utf-8")
    return ".".join(re.search(rf"^#define VICINAL_VERSION_{part} (\d+)$", text, re.M).group(1)
                    for part in ("MAJOR", "MINOR", "PATCH"))


def changelog_entry(root):
    """The version and the date, or "unreleased", of the first entry."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    match = re.search(r"^## \[([^\]]+)\] - (unreleased|\d{4}-\d{2}-\d{2})$", text, re.M)
    if not match:
        sys.exit("CHANGELOG.md has no entry of the form '## [1.2.3] - 2030-01-31' or '- unreleased'")
    return match.groups()


STATED = {  # what each file that states the version says before it
    "CITATION.cff": r"^version: (\S+)$",
    "packaging/vcpkg/ports/vicinal/vcpkg.json": r'^  "version": "([^"]+)",$',
    "meson.build": r"^project\('vicinal', .*\bversion: '([^']+)'",
    "MODULE.bazel": r'^module\(name = "vicinal", version = "([^"]+)"\)$',
}


def stated_version(root, file, pattern):
    match = re.search(pattern, (root / file).read_text(encoding="utf-8"), re.M)
    return match.group(1) if match else "none"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--expect")
    arguments = parser.parse_args()

    header = header_version(arguments.root)
    entry, date = changelog_entry(arguments.root)
    stated = {file: stated_version(arguments.root, file, pattern) for file, pattern in STATED.items()}
    print(f"version.hpp {header}, CHANGELOG.md {entry} ({date})", *(f"{file} {said}" for file, said in stated.items()), sep=", ")
    if {entry, *stated.values()} != {header}:
        sys.exit("they differ")
    if arguments.expect is not None and (header != arguments.expect or date == "unreleased"):
        sys.exit(f"not a release of {arguments.expect}")


main()
