#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mixed.py --include DIR... [--compiler CXX] [--work DIR] [--types NAME...] [--levels N...] [--all]

Compiles searches.cpp for the first x86-64 and for AVX-512 at -O0, and for the first and for AVX2 at -O2, or for all three with
--all, and compares the symbols of the objects (merged.py). Then links those of -O2, the newest first, so that its symbols are
the ones that are kept, and runs the oldest's searches as on a processor without AVX. Whatever of ours goes between two objects
must fail to link. Prints "skipped: " and why for what cannot be done here.
"""
import argparse
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MACHINES = ["x86-64", "x86-64-v3", "x86-64-v4"]  # oldest first
# What differs most is compared without optimisation, where every function stays; what runs on old processors, with it.
QUICK = {0: ["x86-64", "x86-64-v4"], 2: ["x86-64", "x86-64-v3"]}
TYPES = {  # the header, and the type of index; the first is what an ordinary run tests
    "flat": ("flat.hpp", "vicinal::flat_index<vicinal::l2>"),
    "hnsw": ("hnsw.hpp", "vicinal::hnsw_index<vicinal::l2, vicinal::f32>"),
    "hnsw-sq8": ("hnsw.hpp", "vicinal::hnsw_index<vicinal::l2, vicinal::sq8>"),
    "flat-rabitq": ("flat.hpp", "vicinal::flat_index<vicinal::l2, vicinal::two_level<vicinal::rabitq<1>, vicinal::f32>>"),
    "flat-pq": ("flat.hpp", "vicinal::flat_index<vicinal::l2, vicinal::pq>"),
    "ivf": ("ivf.hpp", "vicinal::ivf_index<vicinal::l2>"),
    "ivf-pca8": ("ivf.hpp", "vicinal::ivf_index<vicinal::l2, vicinal::two_level<vicinal::pca8, vicinal::f32>>"),
}
EXTRA = {"ivf-pca8": ["-include", "vicinal/codec/pca8/pca8.hpp"]}
RUNS = {"flat", "hnsw", "hnsw-sq8"}  # what std:: merges for these is only ever called to make messages of errors


def say(*words):
    print(*words, flush=True)


def compiled(options, name, level, machine):
    header, index = TYPES[name]
    out = options.work / f"{name}.O{level}.{machine}.o"
    command = [*shlex.split(options.compiler), "-std=c++20", f"-O{level}", f"-march={machine}", f"-DHEADER=<vicinal/{header}>",
               f"-DINDEX={index}", f"-DSEARCHES={function_for(machine)}", *EXTRA.get(name, []), *(f"-isystem{path}" for path in options.include),
               "-c", str(HERE / "searches.cpp"), "-o", str(out)]
    subprocess.run(command, check=True)
    return out


def function_for(machine):
    return "searches_" + re.sub(r"\W", "_", machine)


def runs_on_old_processor(options, name, objects):
    """Whether the program of these objects, oldest first, runs where there is nothing but SSE4.2."""
    emulator = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
    if not emulator:
        say("skipped: qemu-x86_64 not found, so the program did not run as on an old processor")
        return True
    program = options.work / f"{name}.program"
    subprocess.run([*shlex.split(options.compiler), "-std=c++20", *map(str, reversed(objects)), "-x", "c++",
                    f"-DSEARCHES_MAIN={function_for(MACHINES[0])}", str(HERE / "searches.cpp"), "-o", str(program), "-pthread"],
                   check=True)
    status = subprocess.run([emulator, "-cpu", "Nehalem", str(program)], check=False).returncode
    say(f"{name}: the newest object first, searched by the oldest's functions on Nehalem: "
        f"{'runs' if status == 0 else f'FAILED, status {status}'}")
    return status == 0


def refuses_to_link(options):
    """Whether a value of ours that goes from one object to another compiled with other flags is an error of the linker's."""
    head = "#include <vicinal/core/types.hpp>\nvoid take(vicinal::neighbor<>&);\n"
    sources = {MACHINES[0]: head + "int main() { vicinal::neighbor<> hit{}; take(hit); }\n",
               MACHINES[1]: head + "void take(vicinal::neighbor<>& hit) { hit.id = 1; }\n"}
    objects = []
    for machine, text in sources.items():
        source = options.work / f"handed_over.{machine}.cpp"
        source.write_text(text, encoding="utf-8")
        objects.append(str(source.with_suffix(".o")))
        subprocess.run([*shlex.split(options.compiler), "-std=c++20", f"-march={machine}",
                        *(f"-isystem{path}" for path in options.include), "-c", str(source), "-o", objects[-1]], check=True)
    linked = subprocess.run([*shlex.split(options.compiler), *objects, "-o", str(options.work / "handed_over")],
                            capture_output=True, text=True, check=False)
    good = linked.returncode != 0 and re.search(r"undefined reference to .*take\(vicinal::v\d+_\d+_sse2_", linked.stderr)
    say(f"handing a value of ours to an object with other flags: {'a link error' if good else 'FAILED, it links'}")
    return bool(good)


def test(options, name):
    good = True
    for level in options.levels:
        machines = MACHINES if options.all else QUICK[level]
        objects = [compiled(options, name, level, machine) for machine in machines]
        for old, new in zip(objects, objects[1:]):
            say(f"{name}: {old.name} and {new.name}")
            good &= subprocess.run([sys.executable, str(HERE / "merged.py"), str(old), str(new)], check=False).returncode == 0
        if level == 2 and name in RUNS:
            good &= runs_on_old_processor(options, name, objects)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/symbols"))
    parser.add_argument("--types", nargs="*", default=["flat"], choices=TYPES)
    parser.add_argument("--levels", nargs="*", type=int, default=[0, 2], choices=[0, 2])
    parser.add_argument("--all", action="store_true", help="all three instruction sets at each level, a minute more for a type")
    options = parser.parse_args()
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        say("skipped: this compares objects for x86-64 as Linux has them")
        return
    options.work.mkdir(parents=True, exist_ok=True)
    results = [refuses_to_link(options), *(test(options, name) for name in options.types)]
    sys.exit(0 if all(results) else 1)


main()
