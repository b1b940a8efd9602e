"""Random changes that keep a file's form: what random bytes would not get past the first reader."""

import contextlib
import csv
import io
import json
import math
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from sparse_rigl_lands.points import bundle
from tests.fuzz import tables

# What a file holds, and a source of chance, to what it holds instead.
Mutation = Callable[[bytes, random.Random], bytes]

_VALUES: list[Any] = [None, True, False, 0, 1, -1, 7, 0.5, -0.5, 1e308, 1e-308, 2**31, 2**63, 10**30, 10**400]
_VALUES += [math.nan, math.inf, -math.inf, "", "x", "0", "1.5", "nan", "\0", "\ud800", "é" * 9, "a/b", "../..", "{x}"]
_VALUES += [[], {}, [[]], [None], {"": 0}, [0, 1], ["x"], {"step": 1}]
_WORDS = ["", " ", ",", '"', "\0", "é", "text", "nan", "inf", "-inf", "-1", "0", "1e999", "0x1", "True", "None"]
_WORDS += ["1" * 400]
_LINES = ["", "a = ", "= 1", "  steps = 1", "Recipe.steps = @Recipe()", "Recipe.none = 1", "None.steps = 1", "a: b"]
_LINES += [
    "import sparse_rigl_lands.files",
    "import sparse_rigl_lands.none",
    "from x import y",
    "include 'gin/none.gin'",
]
_LINES += ["Recipe.steps = 1 +", "a = %a", "a.b.c = @d.e()", "Recipe:", "x/", "@", "%", "%x", "@a()", '"""', "'", "\\"]
_LINES += ["(", "[", "{", ")"]
_LITERALS = ["[" * 300 + "]" * 300, "-" * 9999 + "1", "9" * 5000, "'" + "x" * 99 + "'", "{1: 2}", "{[]: 1}", "{1, 2}"]
_LITERALS += ["lambda: 0", "1 + 1", "None", "-1", "1e999", "'x", "[1,", "(1)", "b'x'", "1j", "...", "0_0", "f'x'"]
_LITERALS += ["@Recipe", "%none", "@a/b()"]
_NAMES = ["", "\0", "\n", "\ud800", "x" * 300, "/", "..", ".", "~", "٣", "step_", "00000007", ".index", "path", "run"]


def of_json(content: bytes, chance: random.Random) -> bytes:
    """Another JSON document: values, keys and whole branches replaced, left out or nested deeply."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return of_bytes(content, chance)
    for _ in range(chance.randint(1, 3)):
        document = _with_a_change(document, chance)
    text = json.dumps(document)
    if chance.random() < 0.05:
        depth = chance.choice([10, 100, 1000, 20_000])
        text = text.replace("0", "[" * depth + "]" * depth, 1)
    return text.encode()


def of_csv(content: bytes, chance: random.Random) -> bytes:
    """Another table: cells, columns and rows replaced, left out or added."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode())))
    except (ValueError, csv.Error):
        return of_bytes(content, chance)
    for _ in range(chance.randint(1, 3)):
        row = chance.choice(rows or [[]])
        column = chance.randrange(max(map(len, rows), default=0) or 1)
        match chance.randrange(7):
            case 0 | 1 if row:
                row[column % len(row)] = chance.choice(_WORDS)
            case 2:
                for each in rows:
                    del each[column : column + 1]
            case 3:
                row.insert(column, chance.choice(_WORDS))
            case 4 if rows:
                rows.remove(row)
            case 5:
                rows += [list(row) for _ in range(chance.choice([1, 1, 9]))]
            case 6 if rows:
                rows[0] = [chance.choice([*rows[0], *_WORDS]) for _ in rows[0]]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def of_gin(content: bytes, chance: random.Random) -> bytes:
    """Other statements, as a person may type them."""
    lines = content.decode(errors="replace").splitlines() or [""]
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(lines))
        name, equals, value = lines[place].partition("=")
        match chance.randrange(6):
            case 0:
                lines[place] = name + "= " + chance.choice(_LITERALS)
            case 1:
                lines.insert(place, chance.choice(_LINES))
            case 2:
                lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
            case 3:
                lines[place] = chance.choice(["Recipe.", "train.", "Study.", "@", "a/"]) + name.strip() + equals + value
            case 4:
                lines[place] = name + equals + value.replace("1", chance.choice(_LITERALS))
            case 5:
                del lines[place]
                lines = lines or [""]
    return "\n".join(lines).encode()


def of_text(content: bytes, chance: random.Random) -> bytes:
    """Another short text: a name, or a part of one."""
    text = content.decode(errors="surrogateescape")
    place = chance.randrange(len(text) + 1)
    text = text[:place] + chance.choice(_NAMES) + text[place + chance.randrange(4) :]
    return text.encode(errors="surrogatepass")


def of_bytes(content: bytes, chance: random.Random) -> bytes:
    """A byte flipped, a part left out or repeated, or the end cut off."""
    changed = bytearray(content or b"\0")
    start = chance.randrange(len(changed))
    end = min(start + chance.choice([1, 2, 8, 64]), len(changed))
    match chance.randrange(5):
        case 0:
            changed[start] ^= 1 << chance.randrange(8)
        case 1:
            changed[start:end] = chance.randbytes(end - start)
        case 2:
            del changed[start:end]
        case 3:
            changed[start:start] = changed[start:end]
        case 4:
            del changed[start:]
    return bytes(changed)


def of_checkpoint(content: bytes, chance: random.Random) -> bytes:
    """Another index, or other values: the two as ``joined`` has them."""
    index, data = parted(content)
    match chance.randrange(4):
        case 0:
            index = of_bytes(index, chance)
        case 1:
            data = of_bytes(data, chance)
        case 2:
            index, data = of_bytes(index, chance), of_bytes(data, chance)
        case 3:
            index, data = _described_otherwise(index, data, chance)
    return joined(index, data)


def of_npz(content: bytes, chance: random.Random) -> bytes:
    """Arrays with other heads and other bytes, in an archive whose own checksums are right."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, OSError, ValueError, EOFError):
        return of_bytes(content, chance)
    name = chance.choice([*members, "items.npy"])
    array = members.get(name, b"")
    heads = {
        b"'<f8'": [b"'|O'", b"'<U9'", b"'<i8'", b"'|V8'", b"'<c16'", b"'>f8'", b"'x'", b"[('a', '<f8')]", b"'<M8[s]'"],
        b"'<i8'": [b"'<f8'", b"'|b1'", b"'|S8'", b"'<m8[s]'"],
        b"False": [b"True", b"None", b"(" * 200],
        b"()": [b"(1,)", b"(0,)", b"(-1,)", b"(2, 2)", b"(10**9,)", b"'x'"],
        b"(2, 3)": [b"(3, 2)", b"(1099511627776, 1)", b"(100000000, 9)", b"(-2, -3)", b"(2,)", b"(0, 3)", b"(2, 3, 1)"],
        b"(2, 2)": [b"(4,)", b"(9223372036854775807, 2)", b"(2.0, 2)", b"(True, 4)"],
    }
    match chance.randrange(5):
        case 0 | 1:
            was = chance.choice([each for each in heads if each in array] or [b""])
            array = array.replace(was, chance.choice(heads.get(was, [b""])), 1)
            if len(array) > 10:  # the length of its head is told before it
                array = array[:8] + struct.pack("<H", max(array.find(b"\n", 10) - 9, 0)) + array[10:]
            members[name] = array
        case 2:
            members[name] = of_bytes(array, chance)
        case 3:
            members.pop(name, None)
        case 4:
            members[chance.choice(["other.npy", "items", "../x.npy", "count.npy", ""])] = array
    written = io.BytesIO()
    kind = chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    with contextlib.suppress(ValueError, IndexError), zipfile.ZipFile(written, "w", kind) as archive:
        for name, array in members.items():
            archive.writestr(name, array)
    return written.getvalue()


def joined(index: bytes, data: bytes) -> bytes:
    """Both files of a checkpoint as one input."""
    return struct.pack("<I", len(index)) + index + data


def parted(content: bytes) -> tuple[bytes, bytes]:
    """The index and the values that were ``joined``; of any other input, some two parts."""
    length = int.from_bytes(content[:4], "little")
    return content[4 : 4 + length], content[4 + length :]


def _described_otherwise(index: bytes, data: bytes, chance: random.Random) -> tuple[bytes, bytes]:
    """What the index says of one tensor is changed."""
    try:
        entries = dict(bundle.entries(index))
        name = chance.choice([name for name in entries if name])
        entry = BundleEntryProto.FromString(entries[name])
    except (ValueError, IndexError, DecodeError):
        return of_bytes(index, chance), data
    number = chance.choice([-1, 0, 1, 3, 8, 12, 300, 2**31, 2**40, 2**62, 2**63 - 1])
    match chance.randrange(11):
        case 0:
            entry.dtype = chance.choice([0, *range(1, 33), 101, 109, 999])
        case 1 if entry.shape.dim:
            chance.choice(entry.shape.dim).size = number
        case 2:
            entry.shape.dim.add(size=number)
        case 3:
            entry.offset = number
        case 4:
            entry.size = number
        case 5:
            entry.shard_id = number & 0xFFFF
        case 6:
            entry.shape.unknown_rank = True
        case 7:
            entry.slices.add().extent.add(start=0)
        case 8:
            header = BundleHeaderProto(num_shards=number & 0xFFFF, endianness=chance.randrange(2))
            entries[b""] = header.SerializeToString()
        case 9:
            data = data[: entry.offset] + tables.length_of_string(max(number, 0)) + data[entry.offset + 5 :]
        case 10:
            return tables.index_of(sorted({**entries, of_bytes(name, chance): entries.pop(name)}.items())), data
    return tables.index_of({**entries, name: entry.SerializeToString()}.items()), data


def _with_a_change(document: Any, chance: random.Random) -> Any:
    """The same document, but for one place in it."""
    if not isinstance(document, dict | list) or not document or chance.random() < 0.1:
        return chance.choice(_VALUES)
    changed = document.copy()
    place = chance.choice(list(changed)) if isinstance(changed, dict) else chance.randrange(len(changed))
    match chance.randrange(8):
        case 0:
            del changed[place]
        case 1 if isinstance(changed, list):
            changed *= chance.choice([2, 9])
        case 2 if isinstance(changed, dict):
            changed[str(chance.choice(_VALUES))] = changed.pop(place)
        case 3:
            changed[place] = chance.choice([[changed[place]], {"x": changed[place]}, str(changed[place])])
        case _:
            changed[place] = _with_a_change(changed[place], chance)
    return changed
