"""ZIP from strangers: one way to read it, bounded size, nothing hidden. No file system: names are keys, never paths.

Central directory and local headers must agree, entries must follow each other without gaps or overlaps, so that every
reader sees the same members. No encryption, no ZIP64, no method but stored and deflated. Spec: APPNOTE 6.3.10.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Final

from keys.errors import MalformedEnvelope

MAX_MEMBERS: Final = 65_535
_FIRST: Final = (1980, 1, 1, 0, 0, 0)  # the first instant that a ZIP can say: the same members make the same file
_PRIVATE: Final = 0o100600 << 16
_ENCRYPTED, _DESCRIPTOR, _PATCHED, _STRONG, _UTF8 = 0x1, 0x8, 0x20, 0x40, 0x800
_LOCAL: Final = b"PK\x03\x04"
_END: Final = b"PK\x05\x06"
_MAX_NAME: Final = 512
_ERRORS: Final = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, KeyError, IndexError, OverflowError),
)


def write_zip(members: Mapping[str, bytes], *, stored: Collection[str] = ()) -> bytes:
    """A ZIP of these members in this order, all but `stored` compressed. Raises: ValueError for a name that no reader
    would take."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            if not _plain(name):
                raise ValueError("not a name for a member")
            info = zipfile.ZipInfo(name, _FIRST)
            info.create_system, info.external_attr = 3, _PRIVATE
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return target.getvalue()


def read_zip(data: bytes, *, max_inside: int) -> dict[str, bytes]:
    """Every member's content by name, in the order of the file; at most `max_inside` bytes together.

    Raises: MalformedEnvelope for anything that two readers could read differently.
    """
    if not data.startswith(_LOCAL) or data[-22:-18] != _END or data[-2:] != b"\0\0":
        raise MalformedEnvelope("not a ZIP from its first byte to its last")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _read(data, archive, max_inside)
    except _ERRORS as err:
        raise MalformedEnvelope("not a ZIP that can be read") from err


def _read(data: bytes, archive: zipfile.ZipFile, max_inside: int) -> dict[str, bytes]:
    entries = sorted(archive.infolist(), key=lambda each: each.header_offset)
    if len(entries) > MAX_MEMBERS or sum(each.file_size for each in entries) > max_inside:
        raise MalformedEnvelope(f"a ZIP of more than {MAX_MEMBERS} members or {max_inside} bytes")
    found: dict[str, bytes] = {}
    folded: set[str] = set()
    position = 0
    for entry in entries:
        position = _check_local(data, entry, position)
        name = entry.filename
        if name.endswith("/") and entry.file_size == 0:
            continue
        if not _plain(name) or name.casefold() in folded:
            raise MalformedEnvelope("a ZIP with a name that is no plain path, or one that occurs twice")
        folded.add(name.casefold())
        with archive.open(entry) as member:
            content = member.read(entry.file_size + 1)
        if len(content) != entry.file_size:
            raise MalformedEnvelope("a member of another size than announced")
        found[name] = content
    if position != archive.start_dir:
        raise MalformedEnvelope("a ZIP with something between its members and its directory")
    return found


def _check_local(data: bytes, entry: zipfile.ZipInfo, position: int) -> int:
    """Where the entry ends: it begins at `position` and says what the directory says. Raises: MalformedEnvelope.

    Spec: APPNOTE sections 4.3.7 and 4.3.9.
    """
    flags = entry.flag_bits
    if entry.header_offset != position or data[position : position + 4] != _LOCAL:
        raise MalformedEnvelope("a ZIP with gaps between its members, or members that overlap")
    if flags & (_ENCRYPTED | _STRONG | _PATCHED) or entry.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise MalformedEnvelope("a ZIP with encrypted members, or methods but stored and deflated")
    header = data[position : position + 30]

    def number(start: int, size: int) -> int:
        return int.from_bytes(header[start : start + size], "little")

    name_end = position + 30 + number(26, 2)
    begin = name_end + number(28, 2)
    name = data[position + 30 : name_end].decode("utf-8" if flags & _UTF8 else "cp437")
    if name != entry.orig_filename or number(6, 2) != flags or number(8, 2) != entry.compress_type:
        raise MalformedEnvelope("a ZIP whose directory says other than its members")
    end = begin + entry.compress_size
    if flags & _DESCRIPTOR:
        return _after_descriptor(data, entry, end)
    if (number(14, 4), number(18, 4), number(22, 4)) != (entry.CRC, entry.compress_size, entry.file_size):
        raise MalformedEnvelope("a ZIP whose directory says other than its members")
    return end


def _after_descriptor(data: bytes, entry: zipfile.ZipInfo, end: int) -> int:
    facts = b"".join(value.to_bytes(4, "little") for value in (entry.CRC, entry.compress_size, entry.file_size))
    for descriptor in (b"PK\x07\x08" + facts, facts):
        if data.startswith(descriptor, end):
            return end + len(descriptor)
    raise MalformedEnvelope("a ZIP whose directory says other than its members")


def _plain(name: str) -> bool:
    """A relative path of plain parts, as every system reads it."""
    if not name or len(name) > _MAX_NAME or "\\" in name or ":" in name or not name.isprintable():
        return False
    return all(part not in ("", ".", "..") for part in name.split("/"))
