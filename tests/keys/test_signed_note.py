"""Signed notes: the specification's examples, its MUSTs, and what strangers may send instead."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import EDDSA, ES256
from keys.envelopes.signed_note import (
    MAX_NOTE,
    NoteKey,
    NoteKeyKind,
    NoteSignature,
    SignedNote,
    cosign_note,
    merged_note,
    note_key,
    parse_note,
    parse_note_key,
    parse_signature_lines,
    sign_note,
    verify_note,
)
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.signer import EphemeralSigner

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SIGNER = EphemeralSigner.generate(EDDSA)
TEXT = "example.com/log\n1\nAAAA\n"


def test_the_specifications_example_verifies_with_its_verifier_key() -> None:
    key = parse_note_key(VKEY)
    assert str(key) == VKEY
    note = parse_note(NOTE)
    assert note.to_bytes() == NOTE
    (verified,) = verify_note(note, [key])
    assert (verified.key, verified.signed_at) == (key, None)


def test_an_altered_text_makes_a_known_keys_note_malformed() -> None:
    """signed-note: if a signature from a known key fails to verify, clients SHOULD reject the whole note."""
    with pytest.raises(MalformedEnvelope, match=r"example\.com/foo does not hold"):
        verify_note(parse_note(NOTE.replace(b"example message", b"exemple message")), [parse_note_key(VKEY)])


def test_signatures_from_unknown_keys_are_ignored() -> None:
    """MUST ignore signatures from unknown keys, even if they share a name or ID (but not both) with a known key."""
    known = parse_note_key(VKEY)
    note = parse_note(NOTE)
    same_name = NoteSignature(known.name, b"\0\0\0\0", b"x" * 64)
    same_id = NoteSignature("example.com/other", known.key_id, b"x" * 64)
    crowd = merged_note(note.text, [same_name, same_id, *note.signatures])
    assert [each.key for each in verify_note(crowd, [known])] == [known]
    assert verify_note(crowd, []) == ()


def test_a_cosignature_says_when_and_differs_from_a_signature() -> None:
    witness = note_key("witness.example/w1", NoteKeyKind.COSIGNATURE, SIGNER.public_key)
    log = note_key("witness.example/w1", NoteKeyKind.ED25519, SIGNER.public_key)
    assert witness.key_id != log.key_id
    note = merged_note(TEXT, [sign_note(TEXT, log.name, SIGNER), cosign_note(TEXT, witness.name, SIGNER, AT)])
    again = parse_note(note.to_bytes())
    assert {each.key.kind: each.signed_at for each in verify_note(again, [witness, log])} == {
        NoteKeyKind.COSIGNATURE: AT,
        NoteKeyKind.ED25519: None,
    }


def test_a_cosignature_with_another_time_or_none_does_not_hold() -> None:
    """tlog-cosignature: the timestamp is signed; it MUST NOT exceed 2^63 - 1."""
    key = note_key("w", NoteKeyKind.COSIGNATURE, SIGNER.public_key)
    made = cosign_note(TEXT, "w", SIGNER, AT)
    for forged in (
        (int(AT.timestamp()) + 1).to_bytes(8, "big") + made.signature[8:],
        made.signature[8:],
        b"\xff" * 8 + SIGNER.sign(b"cosignature/v1\ntime %d\n%b" % (2**64 - 1, TEXT.encode())),
        bytes(8) + SIGNER.sign(b"cosignature/v1\ntime 0\n" + TEXT.encode()),
    ):
        with pytest.raises(MalformedEnvelope, match="w does not hold"):
            verify_note(SignedNote(TEXT, (NoteSignature("w", key.key_id, forged),)), [key])


def test_one_key_counts_once_however_often_it_signs() -> None:
    key = note_key("w", NoteKeyKind.COSIGNATURE, SIGNER.public_key)
    early = cosign_note(TEXT, "w", SIGNER, AT)
    late = cosign_note(TEXT, "w", SIGNER, AT.replace(hour=9))
    for order in ((early, late), (late, early)):
        (verified,) = verify_note(SignedNote(TEXT, order), [key])
        assert verified.signed_at == AT.replace(hour=9)
    assert merged_note(TEXT, (early, late)).signatures == (late,)


def test_the_text_ends_at_the_last_empty_line() -> None:
    text = "one\n\ntwo\n"
    note = parse_note(merged_note(text, [sign_note(text, "log", SIGNER)]).to_bytes())
    assert note.text == text


def line(value: bytes = b"abcdx", name: str = "n") -> str:
    return f"— {name} {b64encode(value).decode()}\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "blank line"),
        (b"text\n" + line().encode(), "blank line"),
        (b"text\n\n", "signature lines"),
        (b"text\n\n" + line().encode()[:-1], "newline"),
        (b"text\n\n" + b"-- n YWJjZHg=\n", "dash"),
        (b"text\n\n" + line(b"abcd").encode(), "without a signature"),
        (b"text\n\n" + line(name="").encode(), "key name"),
        (b"text\n\n" + line(name="a+b").encode(), "key name"),
        (b"text\n\n" + line(name="a\u00a0b").encode(), "key name"),
        ("text\n\n— n YWJjZHg\n".encode(), "base64"),
        ("text\n\n— n YWJjZHh=\n".encode(), "canonical"),
        ("text\n\n— n YWJj ZHg=\n".encode(), "base64"),
        (b"te\rxt\n\n" + line().encode(), "control"),
        (b"te\xffxt\n\n" + line().encode(), "UTF-8"),
        (b"text\n\n" + line().encode() * 65, "signature lines"),
        (b"x" * (MAX_NOTE + 1), "more than"),
    ],
)
def test_what_is_no_note_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedEnvelope, match=words):
        parse_note(data)


def test_sixteen_large_signatures_are_accepted() -> None:
    """MUST accept at least up to 16 signatures; post-quantum ones can be nearly 5 kB each."""
    note = SignedNote("text\n", tuple(NoteSignature(f"n{n}", b"abcd", b"x" * 5000) for n in range(16)))
    assert parse_note(note.to_bytes()) == note


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("+Aek", "+Bek"),
        VKEY[:-4],
        "example com/foo" + VKEY[15:],
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_note_key(text)


def test_only_ed25519_keys_and_proper_texts_are_signed() -> None:
    with pytest.raises(AlgorithmNotSupported):
        sign_note(TEXT, "log", EphemeralSigner.generate(ES256))
    for text in ("no newline", "bell\a\n"):
        with pytest.raises(MalformedEnvelope, match="newline"):
            sign_note(text, "log", SIGNER)
    with pytest.raises(MalformedEnvelope, match="key name"):
        sign_note(TEXT, "a log", SIGNER)
    with pytest.raises(MalformedEnvelope, match="more than"):
        parse_signature_lines(b"x" * (MAX_NOTE + 1))


PIECES = st.sampled_from(["text", "\n", "\n\n", "— ", "n ", "YWJjZHg=", "YWJjZA==", " ", "+", "\u2014", "\x00", "é"])


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=12).map(lambda parts: "".join(parts).encode()) | st.binary(max_size=200))
def test_any_bytes_are_a_note_or_malformed(data: bytes) -> None:
    try:
        note = parse_note(data)
    except MalformedEnvelope:
        return
    assert note.to_bytes() == data
    assert parse_note(note.to_bytes()) == note


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60))
def test_any_text_is_a_verifier_key_or_malformed(text: str) -> None:
    try:
        key: NoteKey = parse_note_key(text)
    except MalformedEnvelope:
        return
    assert str(key) == text
