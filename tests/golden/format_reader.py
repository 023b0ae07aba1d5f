#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads vicinal files by docs/format.md alone: no library of ours, none of others.

    format_reader.py FILE            prints what an index file holds
    format_reader.py --check FOLDER  compares every *.vic in FOLDER with the *.txt beside it, and sees to it that each
                                     file is refused when a bit is changed, in one byte of seven
"""
import math
import pathlib
import struct
import sys

NONE = 0xFFFFFFFF
KINDS = {1: "flat", 2: "ivf", 3: "hnsw"}
WORDS = {1: "B", 2: "H", 4: "I", 8: "Q"}
WIDE_IDS = 1 << 8
METRIC_STATE = 2


class Refused(Exception):
    pass


def require(condition, message):
    if not condition:
        raise Refused(message)


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def up(value, step):
    return (value + step - 1) // step * step


def name_at(data, offset):
    field = data[offset : offset + 32]
    name = field.rstrip(b"\0")
    require(1 <= len(name) <= 31 and all(0x21 <= c <= 0x7E for c in name), "a name")
    return name.decode("ascii")


class File:
    """Header and sections, everything checked that the format says about them."""

    def __init__(self, data):
        require(len(data) >= 128 and data[:8] == b"\x89VIC\r\n\x1a\n", "magic")
        (self.crc,) = struct.unpack_from("<I", data, 124)
        require(crc32c(data[:124]) == self.crc, "header CRC")
        major, _minor, kind, length, self.dim, self.rows = struct.unpack_from("<HHIQQQ", data, 8)
        bits, sign, reserved, count, _compat, incompat = struct.unpack_from("<BBHIII", data, 40)
        require(major == 1 and incompat & ~(WIDE_IDS | METRIC_STATE | 1) == 0, "version")
        widths = (128,) if incompat & WIDE_IDS else (8, 16, 32, 64)
        require(length == len(data) and self.dim >= 1 and reserved == 0, "length, dim, reserved")
        require(kind in KINDS and bits in widths and sign in (0, 1) and count <= 256, "kind, ids, sections")
        self.kind = KINDS[kind]
        self.wide, self.id_signed = bits == 128, sign == 1
        self.id_code = None if self.wide else WORDS[bits // 8].lower() if sign else WORDS[bits // 8]
        self.id_name = ("i" if sign else "u") + str(bits)
        self.metric = name_at(data, 56)
        self.codec = name_at(data, 88)
        table = data[128 : 128 + 32 * count]
        require(len(table) == 32 * count, "table")
        require(crc32c(table) == struct.unpack_from("<I", data, 120)[0], "table CRC")
        self.sections = {}
        end = 128 + 32 * count
        for i in range(count):
            kind_of, width, offset, size, crc, zero = struct.unpack_from("<4sIQQII", table, 32 * i)
            require(all(0x20 <= c <= 0x7E for c in kind_of) and size % width == 0, "entry")
            require(width in WORDS or (width == 16 and self.wide), "width")
            require(zero == 0 and kind_of not in self.sections, "entry")
            require(offset == up(end, 64) and offset + size <= length, "offset")
            require(not any(data[end:offset]), "padding")
            payload = data[offset : offset + size]
            require(crc32c(payload) == crc, "section CRC")
            self.sections[kind_of.decode("ascii")] = (width, payload)
            end = offset + size
        require(length == up(end, 64) + 64 and not any(data[end:]), "end")
        needed = 1 if self.kind == "hnsw" and "COPY" in self.sections else 0
        needed |= METRIC_STATE if "METR" in self.sections else 0
        require(incompat & ~WIDE_IDS == needed, "features")

    def ids(self):
        if not self.wide:
            return self.array("IDS_", self.id_code)
        width, payload = self.sections["IDS_"]
        require(width == 16, "width of IDS_")
        pieces = (payload[i : i + 16] for i in range(0, len(payload), 16))
        return tuple(int.from_bytes(piece, "little", signed=self.id_signed) for piece in pieces)

    def array(self, name, code=None):
        require(name in self.sections, "section " + name)
        width, payload = self.sections[name]
        code = code or WORDS[width]
        require(struct.calcsize("<" + code) == width, "width of " + name)
        return struct.unpack("<%d%s" % (len(payload) // width, code), payload)


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def splitmix64(state):
    state = (state + 0x9E3779B97F4A7C15) & (2**64 - 1)
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
    return state ^ (state >> 31)


def rotate_back(turned, dim):
    """The first dim components of what the rotation of docs/format.md made `turned` of, in single precision."""
    width = len(turned)
    window = 1 << (width.bit_length() - 1)
    rounds = 3 if window == width else 4
    scale = f32(1 / math.sqrt(window))
    x = list(turned)
    for turn in reversed(range(rounds)):
        if window != width:
            root, half = f32(0.70710678), width // 2
            pairs = list(zip(x[:half], x[half:]))
            x = [f32(f32(a + b) * root) for a, b in pairs] + [f32(f32(a - b) * root) for a, b in pairs]
        first = 0 if turn % 2 == 0 else width - window
        part = x[first : first + window]
        half = window // 2
        for _ in range(window.bit_length() - 1):
            part = [v for a, b in zip(part[:half], part[half:]) for v in (f32(a + b), f32(a - b))]
        x[first : first + window] = part
        for i in range(width):
            sign = -1.0 if splitmix64(0x526F746174696F6E + turn * width + i) & 1 else 1.0
            x[i] = f32(x[i] * (sign * scale if first <= i < first + window else sign))
    return x[:dim]


def rotate(vector):
    """What the rotation of docs/format.md makes of a vector, in single precision."""
    width = up(len(vector), 16)
    window = 1 << (width.bit_length() - 1)
    rounds = 3 if window == width else 4
    scale = f32(1 / math.sqrt(window))
    x = list(vector) + [0.0] * (width - len(vector))
    for turn in range(rounds):
        first = 0 if turn % 2 == 0 else width - window
        for i in range(width):
            sign = -1.0 if splitmix64(0x526F746174696F6E + turn * width + i) & 1 else 1.0
            x[i] = f32(x[i] * (sign * scale if first <= i < first + window else sign))
        part = x[first : first + window]
        half = window // 2
        for _ in range(window.bit_length() - 1):
            part = [v for a, b in zip(part[:half], part[half:]) for v in (f32(a + b), f32(a - b))]
        x[first : first + window] = part
        if window != width:
            root, half = f32(0.70710678), width // 2
            pairs = list(zip(x[:half], x[half:]))
            x = [f32(f32(a + b) * root) for a, b in pairs] + [f32(f32(a - b) * root) for a, b in pairs]
    return x


def rabitq_decoder(bits, dim, center):
    width = up(dim, 16)

    def decode(code):
        scale = struct.unpack_from("<f", code)[0]
        planes = code[16:]
        turned = []
        for i in range(width):
            level = 0
            for plane in range(bits):
                level = level * 2 + (planes[plane * width // 8 + i // 8] >> (i % 8) & 1)
            turned.append(f32(scale * (level - (2**bits - 1) / 2)))
        return [f32(a + b) for a, b in zip(rotate_back(turned, dim), center)]

    return decode


def code_size(codec, dim):
    if codec.startswith("rabitq"):
        return 16 + int(codec[6:]) * up(dim, 16) // 8
    sizes = {"f32": 4 * dim, "f16": 2 * dim, "bf16": 2 * dim, "sq8": dim, "sq4": (dim + 1) // 2, "pq": (dim + 3) // 4,
             "bits": (dim + 7) // 8, "i8": dim, "u8": dim}
    return sizes[codec]


def stride(kind, size):
    if kind != "hnsw":
        return up(size, 4)
    for alignment in (64, 32, 16, 8):
        if up(size, alignment) - size <= size // 8:
            return up(size, alignment)
    return up(size, 4)


def bits_of(code, dim):
    number = int.from_bytes(code[:(dim + 7) // 8], "little")
    require(number >> dim == 0, "bits past the last component")
    return [float(number >> i & 1) for i in range(dim)]


def decoder(file, codec, learned):
    """A function from a code's bytes to dim floats."""
    dim = file.dim
    if codec == "f32":
        return lambda code: struct.unpack_from("<%df" % dim, code)
    if codec == "f16":
        return lambda code: struct.unpack_from("<%de" % dim, code)
    if codec == "bf16":
        words = lambda code: struct.unpack_from("<%dH" % dim, code)
        return lambda code: [struct.unpack("<f", struct.pack("<I", w << 16))[0] for w in words(code)]
    if codec == "bits":
        return lambda code: bits_of(code, dim)
    if codec in ("i8", "u8"):
        least = -128 if codec == "i8" else 0
        return lambda code: [float(byte + least) for byte in code[:dim]]
    numbers = file.sections[learned][1]
    numbers = struct.unpack("<%df" % (len(numbers) // 4), numbers)
    if codec.startswith("rabitq"):
        require(len(numbers) == dim, "center")
        return rabitq_decoder(int(codec[6:]), dim, numbers)
    if codec == "pq":
        require(len(numbers) == 32 * ((dim + 1) // 2), "centroids")
        require(dim % 2 == 0 or not any(numbers[-31::2]), "a component that an odd dimension lacks")
        named = lambda code, pair: code[pair // 2] >> (4 * (pair % 2)) & 15
        return lambda code: [numbers[32 * (i // 2) + 2 * named(code, i // 2) + i % 2] for i in range(dim)]
    half = len(numbers) // 2
    require(half in (1, dim), "ranges")
    low = lambda i: numbers[i if half > 1 else 0]
    step = lambda i: numbers[half + (i if half > 1 else 0)]
    if codec == "sq8":
        level = lambda code, i: code[i]
    else:
        level = lambda code, i: code[i // 2] >> (4 * (i % 2)) & 15
    return lambda code: [f32(low(i) + step(i) * level(code, i)) for i in range(dim)]


def decoders_about_centroids(file, codec):
    """For each place in the lists, a function from a code's bytes to dim floats."""
    require(codec.startswith("rabitq"), "codec of CDRV")
    numbers = file.array("IVF_")
    require(len(numbers) == 4 and numbers[3] == 1, "codes about centroids")
    dim, width = file.dim, up(file.dim, 16)
    centroids, derived, offsets = file.array("CENT", "f"), file.array("CDRV", "f"), file.array("LOFF")
    require(len(derived) == numbers[2] * width, "CDRV")
    found = []
    for i in range(numbers[2]):
        centroid = centroids[dim * i : dim * (i + 1)]
        require(tuple(rotate(centroid)) == derived[width * i : width * (i + 1)], "a rotated centroid")
        found += [rabitq_decoder(int(codec[6:]), dim, centroid)] * (offsets[i + 1] - offsets[i])
    return found


def vectors(file):
    """The decoded vector of each row, by the fine codec if there are two."""
    names = file.codec.split("+")
    codec = names[-1]
    which = 1 if len(names) == 2 else 0
    codes = file.sections["COD%d" % which][1]
    size = code_size(codec, file.dim)
    wide = stride(file.kind, size)
    require(len(codes) == wide * file.rows, "codes")
    decode = decoder(file, codec, "LRN%d" % which)
    rows = list(range(file.rows))
    decoders = [decode] * file.rows
    if file.kind == "ivf" and which == 0:
        rows = file.array("LSLT")
        if "CDRV" in file.sections:
            decoders = decoders_about_centroids(file, codec)
    found = {}
    for place, row in enumerate(rows):
        code = codes[wide * place : wide * (place + 1)]
        require(not any(code[size:]), "padding of a code")
        found[row] = decoders[place](code)
    return found


def hexadecimal(values):
    return "".join(" %08x" % struct.unpack("<I", struct.pack("<f", x)) for x in values)


def links(values):
    values = list(values)
    end = values.index(NONE) if NONE in values else len(values)
    require(all(value == NONE for value in values[end:]), "links after the last")
    return "".join(" %d" % value for value in values[:end])


def copies(file, levels, parents, base, degree):
    """Which row is the next copy of the same vector, and that those rows are outside the graph."""
    following = file.array("COPY")
    states, found, node = file.array("STAT"), vectors(file), {}
    named = [row for row in following if row != NONE]
    require(named and len(set(named)) == len(named) and max(named) < file.rows, "lists of copies")
    for head in range(file.rows):
        row = following[head] if head not in named else NONE
        while row != NONE:
            node[row] = head
            require(row < following[row], "the order of copies")
            row = following[row]
    require(sorted(node) == sorted(named), "a ring of copies")
    for row, head in node.items():
        require(states[row] == 1 and states[head] == 1 and found[row] == found[head], "a copy")
        require(levels[row] == 0 and parents[row] == NONE, "a copy in the graph")
        require(all(link == NONE for link in base[2 * degree * row : 2 * degree * (row + 1)]), "links of a copy")
    require(not any(link in node for link in base), "a link to a copy")
    return ["copy after %d: %d" % (row, after) for row, after in enumerate(following) if after != NONE]


def describe(file):
    lines = [
        "%s %s %s dim %d rows %d ids %s" % (file.kind, file.metric, file.codec, file.dim, file.rows, file.id_name)
    ]
    ids = file.ids()
    states = file.array("STAT")
    require(len(ids) == len(states) == file.rows, "rows")
    require(file.array("LIVE") == (states.count(1),), "live rows")
    decoded = vectors(file)
    for row in range(file.rows):
        live = states[row] == 1
        require(live or (states[row] == 2 and ids[row] == 0), "state")
        lines.append("row %d id %d%s" % (row, ids[row], hexadecimal(decoded[row])) if live else "row %d retired" % row)
    if file.kind == "ivf":
        _asked, _seed, trained = file.array("IVF_")[:3]
        offsets = file.array("LOFF")
        centroids = file.array("CENT", "f")
        rows = file.array("LSLT")
        require(len(offsets) == trained + 1 and sorted(rows) == list(range(file.rows)), "lists")
        for i in range(trained):
            at = hexadecimal(centroids[file.dim * i : file.dim * (i + 1)])
            lines.append("list %d at%s rows%s" % (i, at, links(rows[offsets[i] : offsets[i + 1]])))
    if file.kind == "hnsw":
        degree, beam, seed, entry, level, upper_rows = file.array("HNSW")
        lines.append("degree %d build_beam %d seed %d entry %d level %d" % (degree, beam, seed, entry, level))
        levels, parents, first = file.array("LEVL"), file.array("TREE"), file.array("UPPF")
        base, upper = file.array("LNK0"), file.array("LNKU")
        require(len(base) == 2 * degree * file.rows and len(upper) == degree * upper_rows, "links")
        taken = 0
        for row in range(file.rows):
            require(first[row] == (taken if levels[row] else 0), "upper links")
            lines.append("parent of %d:%s" % (row, links([parents[row]])))
            lines.append("links of %d:%s" % (row, links(base[2 * degree * row : 2 * degree * (row + 1)])))
            for l in range(1, levels[row] + 1):
                on = links(upper[degree * taken : degree * (taken + 1)])
                lines.append("links of %d on level %d:%s" % (row, l, on))
                taken += 1
        require(taken == upper_rows, "upper links")
        lines += copies(file, levels, parents, base, degree) if "COPY" in file.sections else []
    if "METR" in file.sections:
        require(file.metric != "weighted_l2" or len(file.array("METR", "B")) == 4 * file.dim, "weights")
        lines.append("state of the metric " + " ".join(str(byte) for byte in file.array("METR", "B")))
    if "NOTE" in file.sections:
        width, note = file.sections["NOTE"]
        require(width == 1 and 1 <= len(note) <= 65536, "note")
        lines.append("note " + " ".join(str(byte) for byte in note))
    return "\n".join(lines) + "\n"


def refuses_changes(data):
    """Whether the file is refused after a change of one bit, in every seventh byte."""
    for i in range(0, len(data), 7):
        changed = bytearray(data)
        changed[i] ^= 1 << (i % 8)
        try:
            File(bytes(changed))
        except Refused:
            continue
        return False
    return True


def check(folder):
    paths = sorted(pathlib.Path(folder).glob("*.vic"))
    wrong = []
    for path in paths:
        data = path.read_bytes()
        if describe(File(data)) != path.with_suffix(".txt").read_text():
            wrong.append("%s does not hold what %s says" % (path, path.with_suffix(".txt").name))
        if not refuses_changes(data):
            wrong.append("%s: a change is not noticed" % path)
    for line in wrong:
        print(line)
    print("%d files read, %d wrong" % (len(paths), len(wrong)))
    return 0 if paths and not wrong else 1


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(check(sys.argv[2]))
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(describe(File(pathlib.Path(sys.argv[1]).read_bytes())))
