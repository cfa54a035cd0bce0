"""The offline kit as a file: what is in it is what was signed, and a delta makes the newer kit or nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.small_world import DAY, EAST, NOW, WEST, receipt_key
from trust_registry.model import RegionCode
from verifier.errors import KitRefused, MalformedKit
from verifier.kits import MANIFEST, Kit, apply_delta, make_delta, make_kit, read_kit

ROOT = b"a first root"
FILES = {"metadata/timestamp.json": b"{}" * 500, "lists/aa.json": b"list" * 1000, "status/1.jwt": b"a.b.c"}
NEWER = {**FILES, "metadata/timestamp.json": b"[]" * 500, "status/2.jwt": b"d.e.f"}


def made(
    files: Mapping[str, bytes] = FILES, later: timedelta = timedelta(0), region: RegionCode = WEST, root: bytes = ROOT
) -> bytes:
    moment = NOW + later
    return make_kit(files, region=region, first_root=root, confirmed_at=moment - DAY, made_at=moment, key=receipt_key())


def rezipped(data: bytes, **changes: bytes | None) -> bytes:
    """The same zip with files replaced, added or (None) left out; `__` in a name stands for a slash."""
    wanted = {name.replace("__", "/").replace("_DOT_", "."): content for name, content in changes.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in dict.fromkeys([*old.namelist(), *wanted]):
            content = wanted[name] if name in wanted else old.read(name)
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


def test_a_kit_gives_back_what_was_put_in() -> None:
    kit = read_kit(made())
    assert dict(kit.files) == FILES
    assert (kit.manifest.region, kit.manifest.made_at, kit.manifest.confirmed_at) == (WEST, NOW, NOW - DAY)
    assert kit.certificate == receipt_key().certificate


def test_the_same_pieces_make_the_same_file_but_for_the_signature() -> None:
    names = [
        zipfile.ZipFile(io.BytesIO(made(dict(order)))).namelist() for order in (FILES.items(), [*FILES.items()][::-1])
    ]
    assert names[0] == names[1] == [MANIFEST, *sorted(FILES)]


def test_a_delta_makes_the_newer_kit() -> None:
    old, new = read_kit(made()), read_kit(made(NEWER, DAY))
    delta = make_delta(old, new)
    assert zipfile.ZipFile(io.BytesIO(delta)).namelist() == [
        MANIFEST,
        "base",
        "metadata/timestamp.json",
        "status/2.jwt",
    ]
    assert read_kit(apply_delta(old, delta)) == new


def test_a_piece_that_only_moved_is_not_sent_again() -> None:
    old, new = read_kit(made()), read_kit(made({"lists/bb.json": FILES["lists/aa.json"]}, DAY))
    delta = make_delta(old, new)
    assert zipfile.ZipFile(io.BytesIO(delta)).namelist() == [MANIFEST, "base"]
    assert dict(read_kit(apply_delta(old, delta)).files) == {"lists/bb.json": FILES["lists/aa.json"]}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (made(NEWER, -DAY), "newer"),
        (made(NEWER, DAY, EAST), "different regions"),
        (made(NEWER, DAY, root=b"another network"), "different regions or networks"),
    ],
)
def test_no_delta_leads_back_or_elsewhere(other: bytes, why: str) -> None:
    with pytest.raises(KitRefused, match=why):
        make_delta(read_kit(made()), read_kit(other))


def test_a_delta_for_another_kit_is_refused() -> None:
    first, second, third = (read_kit(made(files, DAY * day)) for day, files in enumerate((FILES, NEWER, {})))
    delta = make_delta(second, third)
    with pytest.raises(KitRefused, match="another kit"):
        apply_delta(first, delta)


def test_a_delta_that_leads_back_is_refused_when_applied() -> None:
    """Whoever serves deltas could else take a revocation back that the kit already has."""
    old, new = read_kit(made(FILES, DAY)), read_kit(made(NEWER, 2 * DAY))
    replayed = rezipped(make_delta(old, new), manifest_DOT_jws=read_kit(made()).token)
    with pytest.raises(KitRefused, match="newer"):
        apply_delta(old, replayed)


def test_a_delta_without_a_piece_that_is_needed_makes_nothing() -> None:
    old, new = read_kit(made()), read_kit(made(NEWER, DAY))
    lacking = rezipped(make_delta(old, new), status__2_DOT_jwt=None)
    with pytest.raises(MalformedKit, match="neither"):
        apply_delta(old, lacking)


def test_a_kit_is_no_delta_and_a_delta_is_no_kit() -> None:
    old, new = read_kit(made()), read_kit(made(NEWER, DAY))
    with pytest.raises(MalformedKit, match="not a delta"):
        apply_delta(old, made(NEWER, DAY))
    with pytest.raises(MalformedKit, match="a delta"):
        read_kit(make_delta(old, new))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lists__aa_DOT_json": b"List" * 1000}, "not what was signed"),
        ({"lists__aa_DOT_json": b"list" * 1001}, "not what was signed"),
        ({"lists__aa_DOT_json": b"list"}, "not what was signed"),
        ({"lists__aa_DOT_json": None}, "not those"),
        ({"lists__more_DOT_json": b""}, "not those"),
        ({"manifest_DOT_jws": None}, "no manifest"),
        ({"manifest_DOT_jws": b"a.b.c"}, "can't be read"),
        ({"manifest_DOT_jws": b"x" * (1 << 21)}, "can't be read"),
    ],
)
def test_what_was_not_signed_is_refused(changes: dict[str, bytes | None], why: str) -> None:
    with pytest.raises(MalformedKit, match=why):
        read_kit(rezipped(made(), **changes))


def test_an_altered_manifest_is_refused() -> None:
    token = read_kit(made()).token
    header, payload, signature = token.split(b".")
    altered = b".".join((header, payload[:-2] + (b"AA" if payload[-2:] != b"AA" else b"QQ"), signature))
    with pytest.raises(MalformedKit):
        read_kit(rezipped(made(), manifest_DOT_jws=altered))


def test_a_receipt_is_no_manifest() -> None:
    """What the same key signed for another purpose must not pass as a kit."""
    from keys.envelopes.jws import sign_jws

    key = receipt_key()
    token = sign_jws({"typ": "yinxin-receipt+jwt", "x5c": []}, b"{}", key.signer).encode()
    with pytest.raises(MalformedKit, match="not as a kit"):
        read_kit(rezipped(made(), manifest_DOT_jws=token))


def test_an_archive_with_a_name_twice_is_refused() -> None:
    out = io.BytesIO(made())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr("lists/aa.json", b"another")
    with pytest.raises(MalformedKit, match="not a kit"):
        read_kit(out.getvalue())


def test_a_bomb_is_not_inflated() -> None:
    """There is an end to what is read, whatever the zip promises."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, bytes(300 << 20) if name == "status/1.jwt" else old.read(name))
    assert len(out.getvalue()) < 1 << 20
    with pytest.raises(MalformedKit, match="not a kit"):
        read_kit(out.getvalue())


def test_there_is_an_end_to_what_a_kit_holds() -> None:
    with pytest.raises(KitRefused, match="MiB"):
        made({f"status/{number}": b"" for number in range(10_001)})


KIT = made()


@given(st.integers(0, len(KIT) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_kit_is_refused_or_is_the_same(place: int, junk: bytes) -> None:
    data = KIT[:place] + junk + KIT[place + len(junk) :]
    try:
        found: Kit | None = read_kit(data)
    except MalformedKit:
        found = None
    assert found is None or dict(found.files) == FILES


@given(st.binary(max_size=300))
def test_anything_is_a_kit_or_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedKit):
        read_kit(data)
