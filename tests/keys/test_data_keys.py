"""Data at rest: what is sealed opens with its own key, in its own place, and nowhere else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import data_keys
from keys.data_keys import DeploymentKey, load_or_create_deployment_key, new_data_key, open_data, seal_data
from keys.errors import DamagedKeyFile, DecryptionFailed, KeyAlreadyExists

HERE = DeploymentKey(bytes(range(32)))
ELSEWHERE = DeploymentKey(bytes(32))
DATA_KEY = new_data_key()


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_sealed_data_opens_again(plaintext: bytes, context: bytes) -> None:
    assert open_data(DATA_KEY, seal_data(DATA_KEY, plaintext, context), context) == plaintext


def test_the_same_data_never_looks_the_same() -> None:
    assert seal_data(DATA_KEY, b"x", b"c") != seal_data(DATA_KEY, b"x", b"c")
    assert HERE.wrap(DATA_KEY, b"c") != HERE.wrap(DATA_KEY, b"c")


def test_a_wrapped_key_opens_only_in_its_deployment_and_context() -> None:
    wrapped = HERE.wrap(DATA_KEY, b"holder 1")
    assert HERE.unwrap(wrapped, b"holder 1") == DATA_KEY
    with pytest.raises(DecryptionFailed):
        HERE.unwrap(wrapped, b"holder 2")
    with pytest.raises(DecryptionFailed):
        ELSEWHERE.unwrap(wrapped, b"holder 1")


def test_erasing_a_data_key_erases_the_data() -> None:
    sealed = seal_data(DATA_KEY, b"claims", b"row 1")
    with pytest.raises(DecryptionFailed):
        open_data(new_data_key(), sealed, b"row 1")
    with pytest.raises(DecryptionFailed):
        open_data(DATA_KEY, sealed, b"row 2")


@given(st.data())
def test_altered_bytes_do_not_open(data: st.DataObject) -> None:
    for make, read in ((HERE.wrap, HERE.unwrap), (_seal, _open)):
        whole = bytearray(make(DATA_KEY, b"c"))
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
        with pytest.raises(DecryptionFailed):
            read(bytes(whole), b"c")


@given(st.binary(max_size=80))
def test_any_other_bytes_do_not_open(noise: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        HERE.unwrap(noise, b"c")
    with pytest.raises(DecryptionFailed):
        open_data(DATA_KEY, noise, b"c")


def _seal(plaintext: bytes, context: bytes) -> bytes:
    return seal_data(DATA_KEY, plaintext, context)


def _open(sealed: bytes, context: bytes) -> bytes:
    return open_data(DATA_KEY, sealed, context)


def test_look_ups_find_equals_and_tell_kinds_and_deployments_apart() -> None:
    number = HERE.lookup("citizen", "990100199001011234")
    assert len(number) == 32
    assert number == HERE.lookup("citizen", "990100199001011234")
    others = {
        HERE.lookup("citizen", "990100199001011235"),
        HERE.lookup("organisation", "990100199001011234"),
        HERE.lookup("citizen9", "90100199001011234"),
        ELSEWHERE.lookup("citizen", "990100199001011234"),
    }
    assert len(others) == 4
    assert number not in others


def test_a_deployment_key_has_32_bytes_and_is_never_printed() -> None:
    with pytest.raises(ValueError, match="32"):
        DeploymentKey(b"short")
    assert repr(HERE) == "<DeploymentKey>"


def test_a_deployment_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "deployment.key"
    first = load_or_create_deployment_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = load_or_create_deployment_key(path)
    assert again.unwrap(first.wrap(DATA_KEY, b"c"), b"c") == DATA_KEY


def test_two_processes_starting_together_agree_on_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deployment.key"
    write = data_keys.write_new_secret

    def beaten(target: Path, content: bytes) -> None:
        write(target, content.replace(content[24:88], b"11" * 32))  # the other process, with a damaged key
        raise KeyAlreadyExists

    monkeypatch.setattr(data_keys, "write_new_secret", beaten)
    with pytest.raises(DamagedKeyFile):  # it was the other's file that was read
        load_or_create_deployment_key(path)


@pytest.mark.parametrize("content", [b"", b"yinxin-deployment-key/1 ", b"a b c", b"\xff\xfe", b"x" * 5000])
def test_a_damaged_deployment_key_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "deployment.key"
    path.write_bytes(content)
    with pytest.raises(DamagedKeyFile):
        load_or_create_deployment_key(path)
    assert path.read_bytes() == content


def test_a_key_that_is_not_hex_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "deployment.key"
    path.write_bytes(b"yinxin-deployment-key/1 zz " + data_keys._checksum(b"zz"))
    with pytest.raises(DamagedKeyFile):
        load_or_create_deployment_key(path)
