#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_level_symbols.py NM LIBRARY LEVEL...: objects of levels share no symbol with each other or with other objects.

Of two functions of one name a linker keeps either, so a name that the kernels of a newer processor share with other
code is a crash on an older one. Each symbol that an object of a level defines for others has the level in its name.
"""
import re
import subprocess
import sys

# A pointer to the routine that unwinds the stack, and clang's call of std::terminate: no instruction of ours. And how
# xsimd finds a function in its tuples of functions on vectors of NEON, of which nothing is left but at -O0: addresses.
HARMLESS = re.compile(r"DW\.ref\.__gxx_personality_v0|__clang_call_terminate|"
                      r".*std::(_Head_base|_Tuple_impl|__get_helper|tuple_element)<.*x\d+_t \(\*\)\(.*")


def main():
    nm, library, *levels = sys.argv[1:]
    listed = subprocess.run([nm, "-C", "--defined-only", "--extern-only", library], check=True, capture_output=True,
                            text=True).stdout
    shared, seen, level = [], set(), None
    for line in listed.splitlines():
        if line.endswith(":"):
            level = next((l for l in levels if re.search(rf"\b{l}\b", line)), None)
        elif line.strip() and level is not None:
            name = line.split(maxsplit=2)[2]
            if re.fullmatch(rf"vicinal_dispatch_[0-9_]+_{level}", name):
                seen.add(level)
            elif f"_of_{level}::" not in name and not HARMLESS.fullmatch(name):
                shared.append(f"{level}: {name}")
    print("\n".join(shared) or f"{len(seen)} levels, no symbol without the level's name")
    missing = [l for l in levels if l not in seen]
    if missing:
        print(f"no table found of {', '.join(missing)}")
    return 1 if shared or missing else 0


if __name__ == "__main__":
    sys.exit(main())
