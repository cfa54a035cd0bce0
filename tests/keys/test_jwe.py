"""JWE: the worked examples of the specifications, what is refused, and a peer (joserfc) in both directions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as peer
from joserfc.jwk import ECKey

from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jwe import ENCRYPTIONS, AgreementKey, decrypt_jwe, encrypt_jwe, parse_jwe_header
from keys.errors import AlgorithmNotSupported, MalformedEnvelope

# OpenID4VP 1.0 section 8.3
TOKEN = (
    "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSIsImtpZCI6ImFjIiwiZXBrIjp7Imt"
    "0eSI6IkVDIiwieCI6Im5ubVZwbTNWM2piaGNhZlFhUkJrU1ZOSGx3Wkh3dC05ck9wSnVmeVlJdWsiLCJ5I"
    "joicjRmakRxd0p5czlxVU9QLV9iM21SNVNaRy0tQ3dPMm1pYzVWU05UWU45ZyIsImNydiI6IlAtMjU2In1"
    "9..uAYcHRUSSn2X0WPX.yVzlGSYG4qbg0bq18JcUiDRw56yVnbKR8E7S7YlEtzT00RqE3Pw5oTpUG3hdLN"
    "4taHZ9gC1kwak8JOnJgQ.1wR024_3-qtAlx1oFIUpQQ"
)
SECRET = b64url_decode(b"Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww")
PLAIN = b'{"vp_token":{"q":["x"]}}'


def b64(text: str) -> bytes:
    return b64url_decode(text.encode("ascii"))


@pytest.fixture(scope="module")
def key() -> AgreementKey:
    return AgreementKey.generate()


@pytest.fixture(scope="module")
def token(key: AgreementKey) -> str:
    return encrypt_jwe(PLAIN, key.encryption_jwk("k1"), enc="A256GCM")


def private_jwk(key: AgreementKey) -> dict[str, str | list[str]]:
    return {**key.public_key.jwk(), "d": b64url_encode(key.unsafe_secret()).decode("ascii")}


def with_header(token: str, **changes: Any) -> str:
    protected, rest = token.split(".", 1)
    header = json.loads(b64(protected))
    header.update(changes)
    kept = {name: value for name, value in header.items() if value is not None}
    return b64url_encode(json.dumps(kept).encode("utf-8")).decode("ascii") + "." + rest


class TestWorkedExamples:
    def test_openid4vp_section_8_3_decrypts_with_its_key(self) -> None:
        key = AgreementKey.from_secret(SECRET)
        assert key.public_key.jwk()["x"] == "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk"
        header, plain = decrypt_jwe(TOKEN, key, kid="ac")
        assert json.loads(plain) == {"vp_token": {"example_credential_id": ["eyJhb...YMetA"]}}
        assert header["kid"] == "ac"
        assert parse_jwe_header(TOKEN) == header

    def test_rfc_7518_appendix_c(self) -> None:
        """The derived key is not what a JWE shows: so Bob's side of the appendix, down to a message under that key."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        bob = AgreementKey.from_secret(b64("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"))
        header = {
            "alg": "ECDH-ES",
            "enc": "A128GCM",
            "apu": "QWxpY2U",
            "apv": "Qm9i",
            "epk": {
                "kty": "EC",
                "crv": "P-256",
                "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
                "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
            },
        }
        protected = b64url_encode(json.dumps(header).encode("utf-8"))
        derived = b64("VqqN6vgjbSBcIijNcacQGg")  # the appendix's result
        sealed = AESGCM(derived).encrypt(bytes(12), PLAIN, protected)
        parts = (protected, b"", b64url_encode(bytes(12)), b64url_encode(sealed[:-16]), b64url_encode(sealed[-16:]))
        assert decrypt_jwe(b".".join(parts), bob)[1] == PLAIN


class TestAPeer:
    @pytest.mark.parametrize("enc", ENCRYPTIONS)
    def test_reads_what_we_write(self, key: AgreementKey, enc: str) -> None:
        token = encrypt_jwe(PLAIN, key.encryption_jwk("k1"), enc=enc, apu=b"wallet", apv=b"nonce")
        registry = peer.JWERegistry(algorithms=["ECDH-ES", enc])
        found = peer.decrypt_compact(token, ECKey.import_key(private_jwk(key)), registry=registry)
        assert found.plaintext == PLAIN
        assert found.headers()["kid"] == "k1"

    @pytest.mark.parametrize("enc", ENCRYPTIONS)
    @pytest.mark.parametrize("parties", [{}, {"apu": "QWxpY2U", "apv": "Qm9i"}])
    def test_writes_what_we_read(self, key: AgreementKey, enc: str, parties: dict[str, str]) -> None:
        registry = peer.JWERegistry(algorithms=["ECDH-ES", enc])
        header = {"alg": "ECDH-ES", "enc": enc, **parties}
        token = peer.encrypt_compact(header, PLAIN, ECKey.import_key(dict(key.public_key.jwk())), registry=registry)
        assert decrypt_jwe(token, key)[1] == PLAIN


class TestRefusals:
    def test_encrypted_to_another_key(self, token: str) -> None:
        with pytest.raises(MalformedEnvelope, match="another key"):
            decrypt_jwe(token, AgreementKey.generate())

    @pytest.mark.parametrize("kid", ["k2", ""])
    def test_a_kid_that_is_not_the_keys(self, token: str, key: AgreementKey, kid: str) -> None:
        with pytest.raises(MalformedEnvelope, match="for another key"):
            decrypt_jwe(token, key, kid=kid)

    def test_no_kid_where_the_key_has_one(self, token: str, key: AgreementKey) -> None:
        with pytest.raises(MalformedEnvelope, match="for another key"):
            decrypt_jwe(encrypt_jwe(PLAIN, key.public_key.jwk(), enc="A128GCM"), key, kid="k1")

    @pytest.mark.parametrize("part", [0, 2, 3, 4])
    def test_an_altered_part(self, token: str, key: AgreementKey, part: int) -> None:
        parts = token.split(".")
        first = parts[part][3]
        parts[part] = parts[part][:3] + ("A" if first != "A" else "B") + parts[part][4:]
        with pytest.raises(MalformedEnvelope):
            decrypt_jwe(".".join(parts), key)

    @pytest.mark.parametrize(
        "changes",
        [
            {"alg": "none"},
            {"alg": "dir"},
            {"alg": "ECDH-ES+A128KW"},
            {"alg": "RSA-OAEP"},
            {"alg": None},
            {"enc": "A128CBC-HS256"},
            {"enc": ["A128GCM"]},
            {"enc": None},
            {"zip": "DEF"},
            {"crit": ["exp"], "exp": 1},
            {"epk": None},
            {"epk": "x"},
            {"epk": {}},
            {"kid": 7},
            {"apu": 7},
            {"apu": "QQ=="},
            {"apv": "ä"},
        ],
        ids=str,
    )
    def test_a_header_that_is_not_allowed(self, token: str, key: AgreementKey, changes: dict[str, Any]) -> None:
        with pytest.raises(MalformedEnvelope):
            decrypt_jwe(with_header(token, **changes), key)

    def test_a_compressed_body_is_never_inflated(self, token: str, key: AgreementKey) -> None:
        with pytest.raises(MalformedEnvelope, match="compressed"):
            decrypt_jwe(with_header(token, zip="DEF"), key)

    def test_an_ephemeral_key_off_the_curve(self, token: str, key: AgreementKey) -> None:
        point = AgreementKey.generate().public_key.jwk()
        other = AgreementKey.generate().public_key.jwk()
        with pytest.raises(MalformedEnvelope, match="P-256"):
            decrypt_jwe(with_header(token, epk={**point, "y": other["y"]}), key)

    def test_an_ephemeral_key_on_another_curve(self, token: str, key: AgreementKey) -> None:
        from keys.algorithms import ES384
        from keys.signer import EphemeralSigner

        epk = EphemeralSigner.generate(ES384).public_key.jwk()
        with pytest.raises(MalformedEnvelope, match="P-256"):
            decrypt_jwe(with_header(token, epk=epk), key)

    def test_a_private_ephemeral_key(self, token: str, key: AgreementKey) -> None:
        with pytest.raises(MalformedEnvelope, match="public key"):
            decrypt_jwe(with_header(token, epk=private_jwk(AgreementKey.generate())), key)

    def test_an_encrypted_key_beside_direct_agreement(self, token: str, key: AgreementKey) -> None:
        with pytest.raises(MalformedEnvelope, match="no encrypted key"):
            decrypt_jwe(token.replace("..", ".AAAA.", 1), key)

    @pytest.mark.parametrize("part", [2, 4])
    def test_a_vector_or_tag_of_another_length(self, token: str, key: AgreementKey, part: int) -> None:
        parts = token.split(".")
        parts[part] = parts[part][:8]
        with pytest.raises(MalformedEnvelope, match="wrong length"):
            decrypt_jwe(".".join(parts), key)

    def test_more_than_the_bound(self, token: str, key: AgreementKey) -> None:
        assert decrypt_jwe(token, key, max_size=len(token))[1] == PLAIN
        with pytest.raises(MalformedEnvelope, match="more than"):
            decrypt_jwe(token, key, max_size=len(token) - 1)

    @pytest.mark.parametrize("bad", [{"alg": "ECDH-ES+A128KW"}, {"use": "sig"}, {"crv": "P-384"}, {"d": "AA"}], ids=str)
    def test_a_recipient_that_is_not_for_this(self, key: AgreementKey, bad: dict[str, str]) -> None:
        with pytest.raises(AlgorithmNotSupported):
            encrypt_jwe(PLAIN, {**key.encryption_jwk("k"), **bad}, enc="A128GCM")

    def test_an_enc_that_is_not_registered(self, key: AgreementKey) -> None:
        with pytest.raises(AlgorithmNotSupported):
            encrypt_jwe(PLAIN, key.public_key.jwk(), enc="A128CBC-HS256")

    @pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, bytes(31)])
    def test_a_secret_that_is_no_key(self, secret: bytes) -> None:
        with pytest.raises(AlgorithmNotSupported):
            AgreementKey.from_secret(secret)

    def test_only_p256_keys_agree(self, key: AgreementKey) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        from keys.algorithms import ES384
        from keys.signer import EphemeralSigner

        with pytest.raises(AlgorithmNotSupported):
            AgreementKey(ec.generate_private_key(ec.SECP384R1()))
        with pytest.raises(ValueError, match="another curve"):
            key(EphemeralSigner.generate(ES384).public_key)

    def test_shows_no_secret(self, key: AgreementKey) -> None:
        assert str(private_jwk(key)["d"]) not in repr(key)
        assert AgreementKey.from_secret(key.unsafe_secret()).public_key == key.public_key


@settings(deadline=None, max_examples=60)
@given(text=st.one_of(st.text(max_size=60), st.from_regex(r"[\w-]{0,40}(\.[\w-]{0,20}){4}", fullmatch=True)))
def test_anything_is_decrypted_or_refused(text: str) -> None:
    with pytest.raises(MalformedEnvelope):
        decrypt_jwe(text, AgreementKey.from_secret(SECRET))
