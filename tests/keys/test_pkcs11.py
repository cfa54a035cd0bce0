"""Keys in a real token: made there, never leaving it, and every way in which it may refuse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pkcs11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ALGORITHMS, EDDSA, ES256
from keys.custody import pkcs11 as custody
from keys.custody.pkcs11 import create_pkcs11_key
from keys.custody.pkcs11_uri import DEFAULT_MODULE, Pkcs11Uri, parse_pkcs11_uri
from keys.errors import (
    KeyAlreadyExists,
    KeyNotFound,
    KeyUriNotSupported,
    PassphraseMissing,
    TokenUnavailable,
    WrongPassphrase,
)
from keys.model import Algorithm
from keys.signer import open_signer
from tests import hsm
from tests.keys import pdf_files


def no_passphrase(uri: str) -> bytes:
    raise AssertionError(f"nobody should have asked for the PIN of {uri}")


def forget_token(uri: str) -> None:
    custody._run(lambda: custody._token(parse_pkcs11_uri(uri), uri, hsm.pin).forget())


# Tokens


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_a_key_made_in_the_token_signs_by_its_uri(algorithm: Algorithm) -> None:
    made = create_pkcs11_key(hsm.key_uri(), algorithm, hsm.pin)
    opened = open_signer(made.uri, hsm.pin)
    assert (opened.algorithm, opened.public_key) == (algorithm, made.public_key)
    for size in (0, 1, 5000):
        assert opened.public_key.verify(opened.sign(b"d" * size), b"d" * size)


def test_the_private_key_can_not_be_read_out() -> None:
    made = create_pkcs11_key(hsm.key_uri(), ES256, hsm.pin)
    place = parse_pkcs11_uri(made.uri)
    private = custody._run(lambda: custody._token(place, made.uri, hsm.pin).private_key(place))
    said = custody._run(lambda: (private[pkcs11.Attribute.SENSITIVE], private[pkcs11.Attribute.EXTRACTABLE]))
    assert said == (True, False)
    with pytest.raises(pkcs11.exceptions.PKCS11Error):
        custody._run(lambda: private[pkcs11.Attribute.VALUE])


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_a_pdf_is_sealed_with_a_key_in_the_token(algorithm: Algorithm) -> None:
    signer = create_pkcs11_key(hsm.key_uri(), algorithm, hsm.pin)
    certificate = pdf_files.certify(signer)
    signature = pdf_files.only_signature(pdf_files.sign(signer=signer, certificate=certificate))
    assert signature.problems == ()
    assert (signature.digest_ok, signature.signature_ok, signature.certificate) == (True, True, certificate)


def test_many_threads_share_one_session() -> None:
    signers = [create_pkcs11_key(hsm.key_uri(), algorithm, hsm.pin) for algorithm in ALGORITHMS]

    def sign(number: int) -> bool:
        signer, data = signers[number % 3], b"%d" % number
        return signer.public_key.verify(signer.sign(data), data)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(sign, range(300)))


def test_a_token_that_was_pulled_and_put_back_is_opened_anew() -> None:
    made = create_pkcs11_key(hsm.key_uri(), ES256, hsm.pin)
    place = parse_pkcs11_uri(made.uri)
    token = custody._run(lambda: custody._token(place, made.uri, hsm.pin))
    custody._run(lambda: token.open(writable=False).close())
    assert made.public_key.verify(made.sign(b"again"), b"again")


def test_no_key_is_made_over_another() -> None:
    uri = hsm.key_uri()
    first = create_pkcs11_key(uri, ES256, hsm.pin)
    with pytest.raises(KeyAlreadyExists):
        create_pkcs11_key(uri, EDDSA, hsm.pin)
    assert open_signer(uri, hsm.pin).public_key == first.public_key


def test_a_key_is_found_by_its_id_alone() -> None:
    uri = hsm.key_uri().replace("?", ";id=%AB%01%7F?")
    made = create_pkcs11_key(uri, ES256, hsm.pin)
    by_id = f"pkcs11:token={hsm.token()};id=%AB%01%7F?module-path={hsm.module()}"
    assert open_signer(by_id, hsm.pin).public_key == made.public_key


def test_the_pin_is_read_from_its_source_and_nobody_is_asked(tmp_path: Path) -> None:
    uri = hsm.key_uri()
    create_pkcs11_key(uri, ES256, hsm.pin)
    forget_token(uri)
    (tmp_path / "pin").write_text(f"{hsm.PIN}\n")
    opened = open_signer(f"{uri}&pin-source=file://{tmp_path / 'pin'}", no_passphrase)
    assert opened.public_key.verify(opened.sign(b"x"), b"x")
    assert hsm.PIN not in repr(opened)


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_pin_file_that_says_nothing_is_named_without_its_folder(content: str | None, tmp_path: Path) -> None:
    forget_token(create_pkcs11_key(hsm.key_uri(), ES256, hsm.pin).uri)
    if content is not None:
        (tmp_path / "pin").write_text(content)
    uri = f"{hsm.key_uri()}&pin-source={tmp_path / 'pin'}"
    with pytest.raises(PassphraseMissing, match="PIN file") as refused:
        open_signer(uri, no_passphrase)
    assert str(tmp_path) not in str(refused.value)


def test_an_object_that_is_missing_or_not_alone_is_refused() -> None:
    uri = hsm.key_uri()
    with pytest.raises(KeyNotFound, match="no key"):
        open_signer(uri, hsm.pin)
    create_pkcs11_key(uri.replace("?", ";id=%01%02?"), ES256, hsm.pin)
    place = parse_pkcs11_uri(uri)
    custody._run(
        lambda: custody._token(place, uri, hsm.pin, writable=True).generate(
            Pkcs11Uri(token=place.token, object=place.object + "2", id=b"\x09\x09", module=place.module), ES256
        )
    )
    custody._run(lambda: _rename(place, uri))
    with pytest.raises(KeyNotFound, match="several"):
        open_signer(uri, hsm.pin)


def _rename(place: Pkcs11Uri, uri: str) -> None:
    session = custody._token(place, uri, hsm.pin).open(writable=True)
    for found in session.get_objects({pkcs11.Attribute.LABEL: f"{place.object}2"}):
        found[pkcs11.Attribute.LABEL] = place.object


def test_another_keys_public_half_beside_it_is_noticed() -> None:
    """A public object with the right id and another key in it would have us publish a key that nobody can sign with."""
    one, other = (hsm.key_uri().replace("?", f";id=%EE%0{n}?") for n in (1, 2))
    for uri in (one, other):
        create_pkcs11_key(uri, ES256, hsm.pin)

    def swap() -> None:
        place = parse_pkcs11_uri(one)
        session = custody._token(place, one, hsm.pin).open(writable=True)
        public = pkcs11.ObjectClass.PUBLIC_KEY
        for number in (1, 2):
            (found,) = session.get_objects({pkcs11.Attribute.CLASS: public, pkcs11.Attribute.ID: bytes((0xEE, number))})
            if number == 1:
                found.destroy()
            else:
                found[pkcs11.Attribute.ID] = b"\xee\x01"

    custody._run(swap)
    with pytest.raises(KeyNotFound, match="other half"):
        open_signer(one, hsm.pin)
    with pytest.raises(KeyNotFound, match="no public key beside"):
        open_signer(other, hsm.pin)


def test_a_module_or_token_that_is_not_there_is_said() -> None:
    with pytest.raises(TokenUnavailable, match="module"):
        open_signer("pkcs11:token=a;object=b?module-path=/nowhere/module.so", hsm.pin)
    with pytest.raises(TokenUnavailable, match="no token nobody"):
        open_signer(f"pkcs11:token=nobody;object=b?module-path={hsm.module()}", hsm.pin)


def test_a_wrong_pin_is_tried_once_so_that_the_token_does_not_lock() -> None:
    hsm.token()
    uri = hsm.key_uri()
    create_pkcs11_key(uri, ES256, hsm.pin)
    forget_token(uri)
    for expected in ("does not open", "was refused", "was refused"):
        with pytest.raises(WrongPassphrase, match=expected):
            open_signer(uri, lambda _: b"000000")
    assert open_signer(uri, hsm.pin).sign(b"x")


def test_a_token_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    waiting = threading.Event()
    monkeypatch.setattr(custody, "_PATIENCE", 0.05)
    with pytest.raises(TokenUnavailable, match="did not answer"):
        custody._run(waiting.wait)
    waiting.set()


# URIs


def test_every_attribute_of_a_uri_is_read() -> None:
    uri = (
        "pkcs11:token=The%20Software%20PKCS%2311;manufacturer=Snake%20Oil%2C%20Inc.;serial=1;model=1.0;"
        "object=my-key;type=private;id=%69%95%3E%5C?module-path=/usr/lib/m.so&pin-source=file:/etc/token_pin"
    )
    assert parse_pkcs11_uri(uri) == Pkcs11Uri(
        token="The Software PKCS#11",
        manufacturer="Snake Oil, Inc.",
        serial="1",
        model="1.0",
        object="my-key",
        id=b"\x69\x95\x3e\x5c",
        module="/usr/lib/m.so",
        pin_source=Path("/etc/token_pin"),
    )
    assert parse_pkcs11_uri("pkcs11:object=a").module == DEFAULT_MODULE


@pytest.mark.parametrize(
    ("uri", "match"),
    [
        ("file:/a", "not a pkcs11"),
        ("pkcs11:", "needs object"),
        ("pkcs11:token=a", "needs object"),
        ("pkcs11:object=a;object=b", "once"),
        ("pkcs11:object=a;colour=b", "no attribute"),
        ("pkcs11:object", "no attribute"),
        ("pkcs11:object=a%2", "no attribute"),
        ("pkcs11:object=a;type=cert", "type=private"),
        ("pkcs11:object=a?pin-value=1234", "pin-source"),
        ("pkcs11:object=a?module-name=x", "module-path"),
        ("pkcs11:object=a?pin-source=relative", "absolute"),
        ("pkcs11:object=" + "a" * 3000, "not a pkcs11"),
    ],
)
def test_a_uri_that_is_not_one_is_refused(uri: str, match: str) -> None:
    with pytest.raises(KeyUriNotSupported, match=match) as refused:
        open_signer(uri, no_passphrase) if uri.startswith("pkcs11:") else parse_pkcs11_uri(uri)
    assert "1234" not in str(refused.value)


@given(st.one_of(st.text(), st.text(alphabet="=;?&%0aobjecttoken").map(lambda t: f"pkcs11:object=a{t}")))
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    with suppress(KeyUriNotSupported):
        assert parse_pkcs11_uri(text).object is not None or parse_pkcs11_uri(text).id is not None
