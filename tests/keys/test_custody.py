"""Software custody: a key file opens with its passphrase, and says clearly why it does not."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.algorithms import ALGORITHMS, ES256
from keys.custody.software import create_key_file, open_key_file, read_key_file_header
from keys.errors import (
    DamagedKeyFile,
    KeyAlreadyExists,
    KeyNotFound,
    KeysError,
    KeyUriNotSupported,
    PassphraseMissing,
    WrongPassphrase,
)
from keys.model import Algorithm
from keys.signer import EphemeralSigner, open_signer

PASSPHRASE = "正确的口令".encode()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "seal.key"
    create_key_file(path, ES256, PASSPHRASE, demo=True)
    return path


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_a_created_key_opens_again_by_its_uri(algorithm: Algorithm, tmp_path: Path) -> None:
    created = create_key_file(tmp_path / "a.key", algorithm, PASSPHRASE, demo=True)
    opened = open_signer(created.uri, lambda uri: PASSPHRASE)
    assert opened.uri == created.uri == f"file:{tmp_path / 'a.key'}"
    assert opened.algorithm is algorithm
    assert created.public_key.verify(opened.sign(b"document"), b"document")


def test_a_production_key_is_stretched_with_rfc9106_parameters(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    created = create_key_file(path, ES256, PASSPHRASE)
    kdf = json.loads(path.read_bytes().splitlines()[0])["kdf"]
    assert (kdf["name"], kdf["passes"], kdf["memory_kib"], kdf["lanes"]) == ("argon2id", 3, 65536, 4)
    assert open_key_file(path, PASSPHRASE).public_key == created.public_key


def test_only_the_owner_may_read_it_and_nothing_else_is_left_behind(key_file: Path) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]


def test_the_private_key_is_not_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = EphemeralSigner.generate(ES256)
    monkeypatch.setattr(type(ES256.primitive), "generate", lambda self: known._private_key)
    create_key_file(tmp_path / "a.key", ES256, PASSPHRASE, demo=True)
    secret = known._private_key.pkcs8()[36:68]
    content = (tmp_path / "a.key").read_bytes()
    assert secret not in content
    assert secret.hex().encode() not in content


def test_a_wrong_passphrase_is_not_a_damaged_file(key_file: Path) -> None:
    with pytest.raises(WrongPassphrase):
        open_key_file(key_file, b"guess")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_not_a_wrong_passphrase(key_file: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = key_file.read_bytes()
    position = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.integers(1, 255))
    damaged = tmp_path / "damaged.key"
    damaged.write_bytes(content[:position] + bytes((content[position] ^ flip,)) + content[position + 1 :])
    with pytest.raises(DamagedKeyFile):
        open_key_file(damaged, PASSPHRASE)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_cut_short_is_damaged(key_file: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = key_file.read_bytes()
    short = tmp_path / "short.key"
    short.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DamagedKeyFile):
        open_key_file(short, PASSPHRASE)


@given(content=st.binary(max_size=300) | st.lists(st.text(max_size=40)).map(lambda lines: "\n".join(lines).encode()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_file_is_damaged_never_a_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.key"
    path.write_bytes(content)
    with pytest.raises(DamagedKeyFile):
        open_key_file(path, PASSPHRASE)


def _forge(path: Path, **changes: Any) -> None:
    """Change the header and make the checksum fit again, as an attacker with write access would."""
    header_line, sealed, _, _ = path.read_bytes().split(b"\n")
    header = {**json.loads(header_line), **changes}
    body = json.dumps(header).encode() + b"\n" + sealed + b"\n"
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode() + b"\n")


def _kdf(path: Path, **changes: Any) -> dict[str, Any]:
    return {**json.loads(path.read_bytes().splitlines()[0])["kdf"], **changes}


def test_the_header_is_authenticated_a_demo_mark_cannot_be_removed(key_file: Path) -> None:
    assert read_key_file_header(key_file).demo is True
    _forge(key_file, demo=False)
    with pytest.raises(DamagedKeyFile, match="altered"):
        open_key_file(key_file, PASSPHRASE)


def test_a_header_may_not_name_another_public_key(key_file: Path) -> None:
    other = EphemeralSigner.generate(ES256).public_key.spki
    _forge(key_file, spki=__import__("base64").b64encode(other).decode())
    with pytest.raises(DamagedKeyFile):
        open_key_file(key_file, PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [{"passes": 10**6}, {"memory_kib": 1 << 40}, {"lanes": 0}, {"lanes": True}, {"passes": "3"}, {"memory_kib": 4}],
    ids=str,
)
def test_a_forged_cost_cannot_exhaust_the_machine(key_file: Path, change: dict[str, Any]) -> None:
    _forge(key_file, kdf=_kdf(key_file, **change))
    with pytest.raises(DamagedKeyFile):
        open_key_file(key_file, PASSPHRASE)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "yinxin-key/9"},
        {"alg": "none"},
        {"alg": "ES384"},
        {"spki": "AAAA"},
        {"spki": 5},
        {"demo": "yes"},
        {"kdf": {"name": "md5"}},
        {"kdf": None},
        {"check": "!"},
        {"nonce": ""},
    ],
    ids=str,
)
def test_a_header_that_is_not_ours_is_damage(key_file: Path, changes: dict[str, Any]) -> None:
    _forge(key_file, **changes)
    with pytest.raises(DamagedKeyFile):
        open_key_file(key_file, PASSPHRASE)


def test_weak_salts_and_other_derivations_are_damage(key_file: Path) -> None:
    for change in ({"salt": "AAAA"}, {"name": "scrypt"}):
        _forge(key_file, kdf=_kdf(key_file, **change))
        with pytest.raises(DamagedKeyFile):
            open_key_file(key_file, PASSPHRASE)


def test_a_sealed_key_that_is_not_base64_is_damage(key_file: Path) -> None:
    header_line, *_ = key_file.read_bytes().split(b"\n")
    body = header_line + b"\n???\n"
    key_file.write_bytes(body + hashlib.sha256(body).hexdigest().encode() + b"\n")
    with pytest.raises(DamagedKeyFile, match="base64"):
        open_key_file(key_file, PASSPHRASE)


def test_a_key_file_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(KeyAlreadyExists):
        create_key_file(key_file, ES256, PASSPHRASE, demo=True)
    assert key_file.read_bytes() == before
    assert list(key_file.parent.iterdir()) == [key_file]


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        create_key_file(tmp_path / "a.key", ES256, PASSPHRASE, demo=True)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    for path in (tmp_path / "none.key", tmp_path):
        with pytest.raises(KeyNotFound):
            open_key_file(path, PASSPHRASE)
        with pytest.raises(KeyNotFound):
            read_key_file_header(path)


def test_a_file_larger_than_any_key_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.key"
    path.write_bytes(b"{" * 70000)
    with pytest.raises(DamagedKeyFile, match="larger"):
        open_key_file(path, PASSPHRASE)


def test_an_empty_passphrase_is_a_missing_one(key_file: Path) -> None:
    with pytest.raises(PassphraseMissing):
        open_key_file(key_file, b"")
    with pytest.raises(PassphraseMissing):
        create_key_file(key_file.with_name("b.key"), ES256, b"")


def test_the_caller_s_passphrase_source_is_asked_by_uri(key_file: Path) -> None:
    def missing(uri: str) -> bytes:
        raise PassphraseMissing(uri)

    with pytest.raises(PassphraseMissing, match=r"seal\.key"):
        open_signer(f"file:{key_file}", missing)


@pytest.mark.parametrize("uri", ["pkcs11:token=dongling", "seal.key", "file:relative.key", "http://x/y.key", ""])
def test_uris_that_no_custody_answers_to_are_refused(uri: str) -> None:
    with pytest.raises(KeyUriNotSupported):
        open_signer(uri, lambda _: PASSPHRASE)


def test_the_header_of_a_file_that_is_not_ours_cannot_be_read(key_file: Path) -> None:
    _forge(key_file, format="other")
    with pytest.raises(DamagedKeyFile):
        read_key_file_header(key_file)


def test_nothing_secret_is_printed(key_file: Path) -> None:
    signer = open_key_file(key_file, PASSPHRASE)
    assert repr(signer) == f"<PrivateKeySigner file:{key_file}>"
    with pytest.raises(KeysError) as refusal:
        open_key_file(key_file, b"guess")
    assert "guess" not in str(refusal.value)
