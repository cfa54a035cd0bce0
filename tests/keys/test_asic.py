"""ASiC-E with time-stamps: inside is what was stamped, every reader sees the same, and nothing is slipped in."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.envelopes import asic, strict_zip
from keys.envelopes.asic import MIMETYPE, is_container, make_container, read_container, renew_container
from keys.envelopes.strict_zip import read_zip, write_zip
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile, make_certificate, make_region_ca

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
OBJECTS = {
    "evidence.pdf": b"%PDF- a certificate",
    "report.json": b'{"indication":"PASSED"}' * 50,
    "README.txt": "证".encode(),
}
INSIDE = 1 << 20


def _stamper() -> Callable[[datetime], EmbeddedTimestamper]:
    ca_signer, key = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
    until = DAY_0 + 50 * YEAR
    ca = make_region_ca(
        ca_signer, common_name="CA", organisation="o", region="990100", not_before=DAY_0, not_after=until
    )
    certificate = make_certificate(
        Profile.TIMESTAMP,
        ca_signer=ca_signer,
        ca=ca,
        subject_key=key.public_key,
        common_name="TSA",
        organisation="o",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=until,
    )
    return lambda at: EmbeddedTimestamper(key, certificate, (), lambda: at)


stamper = _stamper()
MADE = make_container(OBJECTS, stamper(DAY_0))


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(changed: dict[str, bytes]) -> bytes:
    return write_zip(changed, stored=("mimetype",))


def test_what_goes_in_comes_out_with_its_time() -> None:
    found = read_container(MADE)
    assert {name: found.files[name] for name in OBJECTS} == OBJECTS
    (assertion,) = found.assertions
    assert assertion.token is not None
    assert (assertion.token.generated_at, assertion.holds, assertion.archive) == (DAY_0, True, False)
    assert all(assertion.covers(name) for name in OBJECTS)
    assert (found.broken, found.uncovered) == ((), ())


def test_the_media_type_stands_first_and_as_it_is() -> None:
    """EN 319 162-1 clause 4.4.2.2 and A.1: readable at a fixed place without a ZIP reader."""
    assert is_container(MADE)
    assert MADE[30:38] == b"mimetype"
    assert MADE[38 : 38 + len(MIMETYPE)] == MIMETYPE.encode()
    assert members(MADE).keys() >= {"META-INF/ASiCManifest.xml", "META-INF/timestamp001.tst"}


def test_renewals_cover_everything_before_and_keep_every_byte() -> None:
    once = renew_container(MADE, stamper(DAY_0 + YEAR), {"trust/002/x.json": b"{}"})
    twice = renew_container(once, stamper(DAY_0 + 2 * YEAR))
    found = read_container(twice)
    first, second, third = found.assertions
    assert [each.archive for each in found.assertions] == [False, True, True]
    assert third.manifest == "META-INF/ASiCArchiveManifest.xml"  # annex A.7: the newest has the plain name
    for older in (first, second):
        assert third.covers(older.manifest)
        assert third.covers(older.token_name)
    assert second.covers("trust/002/x.json")
    assert not first.covers("trust/002/x.json")
    assert (found.broken, found.uncovered) == ((), ())
    before = members(MADE)
    assert {name: content for name, content in members(twice).items() if name in before} == before


def test_the_digest_to_be_stamped_can_be_another() -> None:
    made = make_container(OBJECTS, stamper(DAY_0), imprint="sha512")
    token = read_container(made).assertions[0].token
    assert token is not None
    assert (token.digest_algorithm, len(token.digest)) == ("sha512", 64)


@pytest.mark.parametrize("name", [*OBJECTS, "META-INF/timestamp001.tst"])
def test_an_altered_member_is_named(name: str) -> None:
    changed = members(MADE)
    changed[name] = changed[name][:-1] + bytes([changed[name][-1] ^ 1])
    found = read_container(packed(changed))
    assert name in found.broken
    assert not found.assertions[0].covers(name) or name.endswith(".tst")


def test_a_removed_member_is_named() -> None:
    changed = members(MADE)
    del changed["report.json"]
    assert read_container(packed(changed)).broken == ("report.json",)


def test_a_member_that_no_manifest_names_is_told() -> None:
    found = read_container(packed({**members(MADE), "extra.txt": b"slipped in"}))
    assert (found.uncovered, found.broken) == (("extra.txt",), ())


def test_a_manifest_with_another_digest_is_not_what_was_stamped() -> None:
    changed = members(MADE)
    other = members(make_container({**OBJECTS, "report.json": b"{}"}, stamper(DAY_0)))
    changed["report.json"] = b"{}"
    changed["META-INF/ASiCManifest.xml"] = other["META-INF/ASiCManifest.xml"]
    found = read_container(packed(changed))
    assert found.broken == ("META-INF/timestamp001.tst",)
    assert not found.assertions[0].holds


def test_what_is_not_whole_is_not_renewed() -> None:
    """A new time-stamp over an altered file would launder it."""
    for changes in ({"report.json": b"altered"}, {"extra.txt": b"slipped in"}):
        with pytest.raises(MalformedEnvelope, match="not whole"):
            renew_container(packed({**members(MADE), **changes}), stamper(DAY_0 + YEAR))


@pytest.mark.parametrize("name", ["evidence.pdf", "mimetype", "META-INF/x.xml"])
def test_a_renewal_replaces_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="can't be added"):
        renew_container(MADE, stamper(DAY_0 + YEAR), {name: b""})


@pytest.mark.parametrize("names", [{}, {"mimetype": b""}, {"META-INF/a": b""}])
def test_nothing_can_be_made_of_nothing_nor_over_the_containers_own_names(names: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="data objects"):
        make_container(names, stamper(DAY_0))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mimetype": b"application/vnd.etsi.asic-s+zip"}, "another media type"),
        ({"META-INF/signature.p7s": b""}, "not supported"),
        ({"META-INF/signatures.xml": b""}, "not supported"),
        ({"META-INF/evidencerecord.ers": b""}, "not supported"),
        ({"META-INF/ASiCManifest.xml": b"<x/>"}, "none"),
        ({"META-INF/ASiCManifest.xml": b"<!DOCTYPE x><x/>"}, "document type"),
        ({"META-INF/ASiCManifest.xml": b""}, "not well-formed"),
    ],
)
def test_other_containers_are_refused_with_the_reason(changes: dict[str, bytes], reason: str) -> None:
    with pytest.raises(MalformedEnvelope, match=reason):
        read_container(packed({**members(MADE), **changes}))


def _manifest(inner: str) -> bytes:
    head = '<ASiCManifest xmlns="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
    return f"{head}{inner}</ASiCManifest>".encode()


_SIG = '<SigReference URI="META-INF/timestamp001.tst"/>'
_METHOD = '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
_REF = f'<DataObjectReference URI="README.txt">{_METHOD}<ds:DigestValue>AAAA</ds:DigestValue></DataObjectReference>'


@pytest.mark.parametrize(
    "inner",
    [
        "",
        _REF,
        _SIG,
        _SIG + _REF + _REF,
        _SIG + '<DataObjectReference URI="README.txt"/>',
        _SIG + _REF.replace("README.txt", ""),
        _SIG + _REF.replace("AAAA", "?"),
        _SIG.replace("timestamp001.tst", "signature.p7s") + _REF,
    ],
)
def test_a_manifest_out_of_shape_is_refused(inner: str) -> None:
    with pytest.raises(MalformedEnvelope):
        read_container(packed({**members(MADE), "META-INF/ASiCManifest.xml": _manifest(inner)}))


def test_sha_1_proves_nothing_and_names_may_be_percent_encoded() -> None:
    weak = _METHOD.replace("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1")
    inner = _SIG + _REF.replace(_METHOD, weak).replace("README.txt", "README%2Etxt")
    found = read_container(packed({**members(MADE), "META-INF/ASiCManifest.xml": _manifest(inner)}))
    (reference,) = found.assertions[0].references
    assert (reference.name, reference.digest_algorithm, reference.intact) == ("README.txt", None, False)


# --- the ZIP under it


def test_a_zip_bomb_is_refused_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asic, "MAX_INSIDE", INSIDE)
    bomb = packed({**members(MADE), "bomb": b"\0" * (INSIDE + 1)})
    assert len(bomb) < 64 * 1024
    with pytest.raises(MalformedEnvelope, match="more than"):
        read_container(bomb)


def test_a_size_that_lies_is_refused() -> None:
    """The directory says 10 bytes, the data inflate to a million: no reader here believes either."""
    data = bytearray(packed({**members(MADE), "bomb": b"\0" * 1_000_000}))
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        position = data.rfind(mark)
        while data[position + (46 if offset == 24 else 30) :][:4] != b"bomb":
            position = data.rfind(mark, 0, position)
        data[position + offset : position + offset + 4] = struct.pack("<I", 10)
    with pytest.raises(MalformedEnvelope):
        read_container(bytes(data))


def test_a_name_that_occurs_twice_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"2")
    with pytest.raises(MalformedEnvelope, match="twice"):
        read_zip(target.getvalue(), max_inside=INSIDE)
    with pytest.raises(MalformedEnvelope, match="twice"):
        read_zip(write_zip({"a": b"", "A": b""}), max_inside=INSIDE)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../b", "a//b", "a\\b", "C:x", "a\nb", "x" * 513])
def test_a_name_that_is_no_plain_path_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        write_zip({name: b""})
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"")
    with pytest.raises(MalformedEnvelope, match="plain"):
        read_zip(target.getvalue(), max_inside=INSIDE)


def _plain() -> bytes:
    return write_zip({"a": b"one", "b": b"two"}, stored=("a", "b"))


@pytest.mark.parametrize(
    "forge",
    [
        lambda data: b"#!/bin/sh\n" + data,  # something before the first member
        lambda data: data + b"tail",
        lambda data: data[:-2] + b"\x04\0tail",  # a comment
        lambda data: data.replace(b"PK\x01\x02", b"hid.PK\x01\x02", 1),
        lambda data: data.replace(b"a", b"c", 1),  # local header and directory name different members
        lambda data: data.replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0", 1),
        lambda data: data.replace(b"one", b"eno", 1),  # CRC
        lambda data: data[:-22],
        lambda data: b"",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(forge: Callable[[bytes], bytes]) -> None:
    assert read_zip(_plain(), max_inside=INSIDE) == {"a": b"one", "b": b"two"}
    with pytest.raises(MalformedEnvelope):
        read_zip(forge(_plain()), max_inside=INSIDE)


def test_encrypted_members_and_other_methods_are_refused() -> None:
    data = bytearray(_plain())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + offset] |= 1
    with pytest.raises(MalformedEnvelope):
        read_zip(bytes(data), max_inside=INSIDE)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"x" * 100)
    with pytest.raises(MalformedEnvelope, match="methods"):
        read_zip(target.getvalue(), max_inside=INSIDE)


def test_members_with_data_descriptors_and_folders_are_read() -> None:
    """Other programs write them: java.util.zip knows no sizes before the data."""

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    target = Stream()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/", b"")
        archive.writestr("META-INF/a", b"one" * 100)
        archive.writestr("b", b"two")
    assert read_zip(target.getvalue(), max_inside=INSIDE) == {"META-INF/a": b"one" * 100, "b": b"two"}


def test_too_many_members_and_too_large_a_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_zip, "MAX_MEMBERS", 1)
    with pytest.raises(MalformedEnvelope, match="members"):
        read_zip(_plain(), max_inside=INSIDE)
    monkeypatch.setattr(asic, "MAX_CONTAINER", 10)
    with pytest.raises(MalformedEnvelope, match="bytes"):
        read_container(MADE)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_damage_is_the_one_refusal_or_is_told(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(MADE) - 1))
    other = data.draw(st.binary(max_size=6))
    damaged = MADE[:position] + other + MADE[position + len(other) :]
    try:
        found = read_container(damaged)
    except MalformedEnvelope:
        return
    assert damaged == MADE or found.broken or {n: found.files.get(n) for n in OBJECTS} == OBJECTS


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_whatever_calls_itself_a_container_is_refused(junk: bytes) -> None:
    for data in (junk, b"PK\x03\x04" + junk, MADE[: len(junk)]):
        with pytest.raises(MalformedEnvelope):
            read_container(data)
