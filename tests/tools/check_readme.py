#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_readme.py ROOT [--compiler C++ --include DIRECTORY...]: what README.md says is so.

Its links lead to files, and every page of docs/ and the pages of examples/ and benchmarks/ are linked. Its table of
headers names what each reaches of xsimd and Eigen, and every header beside vicinal.hpp. With --compiler, the first
program is pasted into app.cpp as it stands, built and run by the README's own command, and must print what the README says
it prints; each further block of C++ must compile. The directories are those of xsimd and Eigen where the compiler does not
find them by itself; the first program is built without Eigen.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

THIRD_PARTIES = {"xsimd": "xsimd", "Eigen": "Eigen"}  # the folder in an #include, the name in the table
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"](([^/>"]+)[^>"]*)[>"]', re.M)
ROW = re.compile(r"^\| `<(vicinal/[^>]+)>` \|[^|]*\|([^|]*)\|", re.M)
PAGES = ["docs/*.md", "examples/README.md", "benchmarks/*.md"]


def blocks(text, language):
    """What stands between ```language and ```, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def third_parties(include, header, seen):
    """The third parties whose headers `header` reaches."""
    seen.add(header)
    found = set()
    for target, folder in INCLUDE.findall((include / header).read_text(encoding="utf-8")):
        if folder in THIRD_PARTIES:
            found.add(THIRD_PARTIES[folder])
        elif folder == "vicinal" and target not in seen:
            found |= third_parties(include, target, seen)
    return found


def header_problems(root, text):
    include = root / "include"
    rows = dict(ROW.findall(text))
    for header, named in rows.items():
        if not (include / header).is_file():
            yield f"the table names {header}, which does not exist"
            continue
        named = {name.strip() for name in named.split(",") if name.strip()}
        reached = third_parties(include, header, set())
        if named != reached:
            yield f"{header} includes {sorted(reached) or 'nothing'} of others, the table says {sorted(named) or 'nothing'}"
    listed_by_others = {"concepts.hpp", "codecs.hpp", "metrics.hpp", "version.hpp"}  # parts of what every index brings
    for path in sorted((include / "vicinal").glob("*.hpp")):
        if f"vicinal/{path.name}" not in rows and path.name not in listed_by_others:
            yield f"the table does not name vicinal/{path.name}"


def link_problems(root, text):
    links = {link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link}
    for link in sorted(links):
        if not (root / link).exists():
            yield f"the link to {link} leads nowhere"
    for pattern in PAGES:
        for path in sorted(root.glob(pattern)):
            page = path.relative_to(root).as_posix()
            if page not in links:
                yield f"there is no link to {page}"


def run(command, folder, **how):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)


def program_problems(root, text, compiler, includes):
    programs = blocks(text, "cpp")
    command = next((block for block in blocks(text, "sh") if " app.cpp " in block), None)
    printed = next(iter(blocks(text, "text")), None)
    if not programs or "int main()" not in programs[0] or command is None or printed is None:
        yield "there must be a program, the command that builds and runs app.cpp, and a block of text that it prints"
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "vicinal").symlink_to(root.resolve(), target_is_directory=True)
        (folder / "app.cpp").write_text(programs[0], encoding="utf-8")
        eigen_alone = {path for path in includes
                       if (pathlib.Path(path) / "Eigen").is_dir() and not (pathlib.Path(path) / "xsimd").is_dir()}
        done = run(re.sub(r"\bc\+\+ ", lambda _: f"'{compiler}' ", command, count=1), folder, shell=True,
                   env=os.environ | {"CPATH": os.pathsep.join(path for path in includes if path not in eigen_alone)})
        if done.returncode != 0 or done.stdout != printed:
            yield f"the program does not print what the README says, but\n{done.stdout}"
        for number, block in enumerate(programs[1:], 2):
            (folder / "block.cpp").write_text(block, encoding="utf-8")
            done = run([compiler, "-std=c++20", "-fsyntax-only", "-I", "vicinal/include", "block.cpp"], folder,
                       env=os.environ | {"CPATH": os.pathsep.join(includes)})
            if done.returncode != 0:
                yield f"the {number}. block of C++ does not compile:\n{done.stdout}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--compiler")
    parser.add_argument("--include", nargs="*", default=[])
    arguments = parser.parse_args()
    text = (arguments.root / "README.md").read_text(encoding="utf-8")
    if arguments.compiler:
        found = list(program_problems(arguments.root, text, arguments.compiler, arguments.include))
    else:
        found = [*header_problems(arguments.root, text), *link_problems(arguments.root, text)]
    for problem in found:
        print(problem)
    print(f"README.md: {len(found)} problems")
    sys.exit(1 if found else 0)


main()
