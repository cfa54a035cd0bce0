"""Time-stamps: what the embedded authority makes, what OpenSSL thinks of it, and what is refused when read."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import algos, cms, core, tsp, x509
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import asn1crypto_patch, der
from keys.algorithms import ALGORITHMS, ES256
from keys.cms import digest_identifier, make_signed_data
from keys.errors import MalformedTimestamp, TimestampUnavailable
from keys.signer import EphemeralSigner
from keys.timestamps import (
    QUERY_TYPE,
    TST_INFO,
    EmbeddedTimestamper,
    HttpTimestamper,
    parse_timestamp_token,
)
from keys.x509 import Profile, make_certificate, make_region_ca

DAY_0 = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)
CA_SIGNER = EphemeralSigner.generate(ES256)
CA = make_region_ca(
    CA_SIGNER,
    common_name="Dongling CA",
    organisation="Dongling",
    region="990100",
    not_before=DAY_0,
    not_after=DAY_0 + timedelta(days=3650),
)


def certify(signer, profile=Profile.TIMESTAMP):
    return make_certificate(
        profile,
        ca_signer=CA_SIGNER,
        ca=CA,
        subject_key=signer.public_key,
        common_name="Time-stamping",
        organisation="Dongling",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=DAY_0 + timedelta(days=1000),
    )


def authority(algorithm=ES256):
    signer = EphemeralSigner.generate(algorithm)
    return EmbeddedTimestamper(signer, certify(signer), (), lambda: NOW)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def query(digest: bytes, **changes) -> bytes:
    fields = {
        "version": 1,
        "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest},
        "nonce": 4711,
        "cert_req": True,
    }
    return tsp.TimeStampReq({**fields, **changes}).dump()


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: a.jose)
def test_a_stamp_says_what_was_stamped_and_when(algorithm):
    token = parse_timestamp_token(authority(algorithm).timestamp(sha256(b"document")))
    assert token.signature_ok, token.problems
    assert token.generated_at == NOW
    assert token.covers(b"document")
    assert not token.covers(b"another")
    assert token.certificate.common_name == "Time-stamping"


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: a.jose)
def test_a_token_fits_the_room_that_is_asked_for_it(algorithm):
    tsa = authority(algorithm)
    assert tsa.room - 600 < len(tsa.timestamp(sha256(b"document"))) < tsa.room - 200


def test_only_a_time_stamping_certificate_serves():
    signer = EphemeralSigner.generate(ES256)
    with pytest.raises(ValueError, match="not a time-stamping certificate"):
        EmbeddedTimestamper(signer, certify(signer, Profile.SEAL), (), lambda: NOW)
    with pytest.raises(ValueError, match="different keys"):
        EmbeddedTimestamper(EphemeralSigner.generate(ES256), certify(signer), (), lambda: NOW)


@pytest.mark.interop
@pytest.mark.parametrize("algorithm", ALGORITHMS[:2], ids=lambda a: a.jose)
def test_openssl_verifies_a_stamp(tmp_path, algorithm):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    (tmp_path / "data").write_bytes(b"document")
    (tmp_path / "ca.pem").write_bytes(CA.pem())

    def run(*args):
        return subprocess.run(["openssl", "ts", *args], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("-query", "-data", "data", "-sha256", "-cert", "-out", "query.tsq").returncode == 0
    (tmp_path / "reply.tsr").write_bytes(authority(algorithm).answer_query((tmp_path / "query.tsq").read_bytes()))
    (tmp_path / "token.der").write_bytes(authority(algorithm).timestamp(sha256(b"document")))
    verify = ("-verify", "-CAfile", "ca.pem", "-attime", str(int(NOW.timestamp())))
    by_reply = run(*verify, "-queryfile", "query.tsq", "-in", "reply.tsr")
    assert "Verification: OK" in by_reply.stdout, by_reply.stderr
    by_token = run(*verify, "-data", "data", "-in", "token.der", "-token_in")
    assert "Verification: OK" in by_token.stdout, by_token.stderr
    (tmp_path / "data").write_bytes(b"another")
    assert "Verification: OK" not in run(*verify, "-data", "data", "-in", "token.der", "-token_in").stdout


def test_queries_are_answered_with_their_nonce_and_only_the_certificates_asked_for():
    response = tsp.TimeStampResp.load(authority().answer_query(query(sha256(b"x"))))
    token = parse_timestamp_token(response["time_stamp_token"].dump())
    assert (token.nonce, token.signature_ok) == (4711, True)
    bare = tsp.TimeStampResp.load(authority().answer_query(query(sha256(b"x"), cert_req=False)))
    with pytest.raises(MalformedTimestamp, match="not embedded"):
        parse_timestamp_token(bare["time_stamp_token"].dump())


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (
            query(b"\1" * 20, message_imprint={"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": b"\1" * 20}),
            "bad_alg",
        ),
        (query(b"\1" * 31), "bad_data_format"),
        (query(b"\1" * 32, version=2), "bad_request"),
        (query(b"\1" * 32, req_policy="1.2.3.4"), "unaccepted_policy"),
        (
            query(b"\1" * 32, extensions=[{"extn_id": "1.2.3.4", "critical": False, "extn_value": b""}]),
            "unaccepted_extensions",
        ),
        (b"", "bad_data_format"),
        (b"\x30\x80", "bad_data_format"),
        (b"\x30" * 5000, "bad_data_format"),
    ],
)
def test_bad_queries_are_rejected_with_the_reason(asked, reason):
    status = rejection(authority().answer_query(asked))
    assert status["status"].native == "rejection"
    assert status["fail_info"].native == {reason}


def rejection(response: bytes) -> tsp.PKIStatusInfo:
    (status,) = core.SequenceOf.load(response, spec=tsp.PKIStatusInfo, strict=True)
    return status


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_query_is_answered(asked):
    assert rejection(authority_for_any.answer_query(asked))["status"].native == "rejection"


authority_for_any = authority()


class TestOverHttp:
    def test_a_stamp_is_fetched(self):
        tsa, asked = authority(), []

        def post(url, body, content_type):
            asked.append((url, content_type))
            return tsa.answer_query(body)

        token = parse_timestamp_token(HttpTimestamper("https://tsa.example/", post).timestamp(sha256(b"x")))
        assert token.covers(b"x")
        assert asked == [("https://tsa.example/", QUERY_TYPE)]

    def test_no_connection(self):
        def post(url, body, content_type):
            raise ConnectionError

        with pytest.raises(TimestampUnavailable, match="could not be reached"):
            HttpTimestamper("https://tsa.example/", post).timestamp(sha256(b"x"))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda tsa, body: b"<html>busy</html>", "gave no token"),
            (lambda tsa, body: b"\0" * 200_000, "too long"),
            (lambda tsa, body: tsa.answer_query(b""), "refused"),
            (lambda tsa, body: tsa.answer_query(query(sha256(b"x"))), "another question"),  # replayed: other nonce
            (
                lambda tsa, body: tsa.answer_query(
                    query(sha256(b"y"), nonce=tsp.TimeStampReq.load(body)["nonce"].native)
                ),
                "another question",
            ),
        ],
    )
    def test_a_wrong_answer_is_no_stamp(self, answer, reason):
        tsa = authority()
        with pytest.raises(TimestampUnavailable, match=reason):
            HttpTimestamper("https://tsa.example/", lambda u, body, c: answer(tsa, body)).timestamp(sha256(b"x"))

    def test_a_token_whose_signature_fails_is_no_stamp(self):
        tsa = authority()

        def post(url, body, content_type):
            answer = tsa.answer_query(body)
            return answer[:-1] + bytes([answer[-1] ^ 1])

        with pytest.raises(TimestampUnavailable, match="token is wrong: signature"):
            HttpTimestamper("https://tsa.example/", post).timestamp(sha256(b"x"))


class TestReadingTokens:
    def test_rfc3161_2_3_the_certificate_must_be_for_time_stamping_alone(self):
        signer = EphemeralSigner.generate(ES256)
        assert parse_timestamp_token(token_by(signer, certify(signer, Profile.SEAL))).problems == (
            "extended key usage",
        )

    def test_esscertidv2_must_name_the_certificate(self):
        token = reopened(authority().timestamp(sha256(b"x")))
        attributes = token["content"]["signer_infos"][0]["signed_attrs"]
        ess = next(a for a in attributes if a["type"].native == "signing_certificate_v2")
        ess["values"][0]["certs"][0]["cert_hash"] = b"\0" * 32
        # pinning another certificate breaks the signature too: both are named
        problems = parse_timestamp_token(token.dump(force=True)).problems
        assert problems == ("signature", "signing certificate attribute: another certificate")

    def test_the_content_must_be_what_was_signed(self):
        token = authority().timestamp(sha256(b"x"))
        forged = token.replace(b"20261121093015Z", b"20251121093015Z")
        assert forged != token
        assert parse_timestamp_token(forged).problems == ("digest",)

    def test_another_keys_signature_fails(self):
        signer, other = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
        certificate = certify(signer)
        assert parse_timestamp_token(token_by(other, certificate)).problems == ("signature",)

    @pytest.mark.parametrize("cut", [0, 1, 10, 100, -1])
    def test_a_token_cut_short(self, cut):
        with pytest.raises(MalformedTimestamp):
            parse_timestamp_token(authority_for_any.timestamp(b"\1" * 32)[:cut])

    def test_bytes_after_the_token(self):
        with pytest.raises(MalformedTimestamp):
            parse_timestamp_token(authority_for_any.timestamp(b"\1" * 32) + b"x")

    def test_too_long(self):
        with pytest.raises(MalformedTimestamp, match="more than"):
            parse_timestamp_token(b"\x30" * 200_000)

    def test_content_that_is_no_tst_info(self):
        signer = EphemeralSigner.generate(ES256)
        certificate = certify(signer)
        for content_type, content in ((TST_INFO, b"hello"), (TST_INFO, None), ("1.2.840.113549.1.7.1", b"hello")):
            signed = make_signed_data(
                signer=signer,
                certificate=certificate,
                chain=(),
                content_type=content_type,
                content=content,
                message_digest=sha256(content or b""),
            )
            with pytest.raises(MalformedTimestamp):
                parse_timestamp_token(signed)

    def test_a_certificate_of_a_version_that_does_not_exist(self):
        forged = TOKEN.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020105"))
        assert forged != TOKEN
        with pytest.raises(MalformedTimestamp, match="not embedded"):
            parse_timestamp_token(forged)

    @settings(max_examples=300)
    @given(st.data())
    def test_any_damage_is_malformed_or_a_problem(self, data):
        token = bytearray(TOKEN)
        for _ in range(data.draw(st.integers(1, 3))):
            token[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))
        try:
            parsed = parse_timestamp_token(bytes(token))
        except MalformedTimestamp:
            return
        # Some bytes are not covered: the certificate set's order, the sets of digest names. Time and imprint are.
        if parsed.signature_ok:
            assert (parsed.generated_at, parsed.digest) == (NOW, b"\1" * 32)

    @settings(max_examples=200)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, data):
        with pytest.raises(MalformedTimestamp):
            parse_timestamp_token(data)


TOKEN = authority_for_any.timestamp(b"\1" * 32)


def token_by(signer, certificate) -> bytes:
    info = der.sequence(
        der.integer(1),
        der.oid("1.2.3"),
        der.sequence(digest_identifier("sha256"), der.octets(sha256(b"x"))),
        der.integer(7),
        der.tlv(0x18, b"20261121093015Z"),
    )
    return make_signed_data(
        signer=signer,
        certificate=certificate,
        chain=(),
        content_type=TST_INFO,
        content=info,
        message_digest=sha256(info),
    )


def reopened(token: bytes) -> cms.ContentInfo:
    return cms.ContentInfo.load(token)


class TestAsn1cryptoPatch:
    """The repaired `dump` writes what the original writes, without encoding subtrees again and again."""

    def test_it_is_in_place_for_the_version_that_needs_it(self):
        assert asn1crypto_patch.apply()
        assert core.Asn1Value.dump is asn1crypto_patch.linear_dump

    def test_another_version_is_left_alone(self, monkeypatch):
        monkeypatch.setattr(asn1crypto_patch.asn1crypto, "__version__", "1.6.0")
        monkeypatch.setattr(core.Asn1Value, "dump", original_dump)
        assert not asn1crypto_patch.apply()
        assert core.Asn1Value.dump is original_dump

    @pytest.mark.parametrize("force", [False, True])
    def test_the_bytes_are_identical(self, monkeypatch, force):
        patched = [make().dump(force=force) for make in SAMPLES]
        monkeypatch.setattr(core.Asn1Value, "dump", original_dump)
        assert [make().dump(force=force) for make in SAMPLES] == patched

    def test_it_does_not_encode_again_and_again(self, monkeypatch):
        def encodings(depth: int) -> int:
            count = 0
            original = core.Sequence._set_contents

            def counted(self, force=False):
                nonlocal count
                count += 1
                original(self, force)

            class Nested(core.Sequence):
                pass

            Nested._fields = [("inner", Nested, {"optional": True}), ("value", core.Integer)]
            value = Nested({"value": 1})
            for _ in range(depth):
                value = Nested({"inner": value, "value": 1})
            with monkeypatch.context() as patch:
                patch.setattr(core.Sequence, "_set_contents", counted)
                value.dump()
            return count

        assert encodings(8) < 3 * encodings(4)


def original_dump(self, force=False):
    """asn1crypto 1.5.1's own `Asn1Value.dump`, to compare with."""
    contents = self.contents
    if self._header is not None and self._header[-1:] == b"\x80":
        force = True
    if self._header is None or force:
        if isinstance(self, core.Constructable) and self._indefinite:
            self.method = 0
        header = core._dump_header(self.class_, self.method, self.tag, self.contents)
        if self.explicit is not None:
            for class_, tag in self.explicit:
                header = core._dump_header(class_, 1, tag, header + self.contents) + header
        self._header = header
        self._trailer = b""
    return self._header + contents + self._trailer


def changed_certificate() -> x509.Certificate:
    certificate = x509.Certificate.load(CA.der)
    certificate["tbs_certificate"]["serial_number"] = 99
    return certificate


SAMPLES = [
    lambda: x509.Certificate.load(CA.der),
    changed_certificate,
    lambda: cms.ContentInfo.load(TOKEN),
    lambda: tsp.TimeStampReq.load(query(b"\1" * 32)),
    lambda: algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    lambda: core.OctetString.load(bytes.fromhex("2480040201020401030000")),
    lambda: x509.GeneralName(name="directory_name", value=x509.Certificate.load(CA.der).subject),
    lambda: core.Integer(5, explicit=3),
]
