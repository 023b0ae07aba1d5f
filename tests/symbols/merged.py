#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""merged.py OLD NEW: which symbols a linker would merge of two objects for x86-64, NEW compiled for more instructions than OLD.

Fails if a symbol of vicinal's, or of what is made of vicinal's types, is among them, or if one contains instructions that OLD
does not use and is not on the list of docs/platforms.md: functions of std:: on plain types, and Eigen's. Prints what remains.
"""
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

OURS = re.compile(r"7vicinal")  # as it stands in every mangled name of ours
# So begin, as linkers see them, names in std (St, and Sa to Ss for some of it), __gnu_cxx and Eigen, and of operator new.
KNOWN = re.compile(r"_Z(Z|GV|T[VTIS])*(N[KVRO]*)?(S[tabsiod]|9__gnu_cxx|5Eigen|n[wa]|d[la])")
# Encodings that old processors refuse begin so: VEX came with AVX, EVEX with AVX-512. Named are instructions between the
# first of x86-64 and AVX.
VECTOR_PREFIXES = {"c4": "avx", "c5": "avx", "62": "avx512"}
NAMED = re.compile(r"^(popcnt|lzcnt|tzcnt|movbe|crc32|pclmul|pshufb|pmovzx|pmovsx|pmulld|pminu|pmaxu|ptest|blend|pblend|round|insert|dpps)")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class elf_object:
    """The weak symbols of an object file for x86-64, and the bytes of those that are functions."""

    def __init__(self, path):
        self.data = data = pathlib.Path(path).read_bytes()
        if data[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", data, 18) != (62,):
            sys.exit(f"{path} is no object for x86-64")
        table, = struct.unpack_from("<Q", data, 0x28)
        count = struct.unpack_from("<H", data, 0x3C)[0] or struct.unpack_from("<Q", data, table + 32)[0]
        # name, type, flags, address, offset, size, link, info, alignment, entry size
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * i) for i in range(count)]
        self.weak = {}  # name: (section, offset, size, whether it is a function)
        beyond = next((self.words(s) for s in self.sections if s[1] == 18), None)  # sections' numbers over 65280
        symbols = next(s for s in self.sections if s[1] == 2)
        names = self.sections[symbols[6]][4]
        for i in range(symbols[5] // 24):
            name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", data, symbols[4] + 24 * i)
            if section == 0xFFFF:
                section = beyond[i]
            if info >> 4 in (2, 10) and section != 0:  # weak, or unique
                end = data.index(b"\0", names + name)
                self.weak[data[names + name:end].decode()] = (section, value, size, info & 15 == 2)

    def words(self, section):
        return struct.unpack_from(f"<{section[5] // 4}I", self.data, section[4])

    def code(self, name):
        section, value, size, function = self.weak[name]
        start = self.sections[section][4] + value
        return self.data[start:start + size] if function else b""


def sets_of(of, names):
    """{function: instruction sets in it beyond the first of x86-64} for these names. All are disassembled in one piece, each
    followed by instructions that do nothing, as objdump takes a minute for thousands of sections."""
    names, starts, blob = sorted(names), [], bytearray()
    for name in names:
        starts.append(len(blob))
        blob += of.code(name) + b"\x90" * 16
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(blob)
        file.flush()
        lines = run("objdump", "-D", "-w", "-b", "binary", "-m", "i386:x86-64", file.name).splitlines()
    used, at = {name: set() for name in names}, 0
    for line in lines:
        if not (code := re.match(r" *([0-9a-f]+):\t([0-9a-f ]+)\t(\S*)", line)):
            continue
        while at + 1 < len(starts) and int(code.group(1), 16) >= starts[at + 1]:
            at += 1
        first = code.group(2)[:2]
        if first in VECTOR_PREFIXES:
            used[names[at]].add(VECTOR_PREFIXES[first])
        elif NAMED.match(code.group(3)):
            used[names[at]].add(code.group(3))
    return used


def demangled(names):
    names = sorted(names)
    out = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True, text=True).stdout
    return dict(zip(names, out.splitlines()))


def main():
    old, new = (elf_object(path) for path in sys.argv[1:3])
    common = old.weak.keys() & new.weak.keys()
    if not common:
        sys.exit(f"{sys.argv[1]} and {sys.argv[2]} have no symbol in common: are they objects for one machine?")
    before, after = sets_of(old, common), sets_of(new, common)
    newer = {name for name in common if after.get(name, set()) - before.get(name, set())}
    text = demangled(common)
    ours = {name for name in common if OURS.search(name)}
    unknown = {name for name in newer - ours if not KNOWN.match(name)}
    for name in sorted(ours):
        print(f"ours, in both: {text[name][:200]}")
    for name in sorted(unknown):
        print(f"in both, with newer instructions: {text[name][:200]}")
    if "--list" in sys.argv:
        for name in sorted(newer - ours - unknown):
            print(f"known, with newer instructions: {text[name][:200]}")
    print(f"{len(common)} symbols in common, {len(newer)} with newer instructions; {len(ours)} of ours, "
          f"{len(unknown)} that the documents do not name")
    sys.exit(1 if ours or unknown else 0)


main()
