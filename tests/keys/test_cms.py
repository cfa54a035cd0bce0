"""CMS with one signer: what is made is read back; what is ambiguous is refused."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import der
from keys.algorithms import EDDSA, ES256
from keys.cms import (
    DATA,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    attribute,
    digest_identifier,
    make_signed_data,
    parse_signed_data,
    single,
)
from keys.errors import MalformedEnvelope
from keys.signature_problems import SignatureProblem
from keys.signer import EphemeralSigner
from keys.x509 import make_region_ca

DAY_0 = datetime(2026, 11, 1, tzinfo=UTC)


def authority(algorithm=ES256):
    signer = EphemeralSigner.generate(algorithm)
    certificate = make_region_ca(
        signer,
        common_name="CA",
        organisation="Dongling",
        region="990100",
        not_before=DAY_0,
        not_after=DAY_0 + timedelta(days=1),
    )
    return signer, certificate


SIGNER, CERTIFICATE = authority()


def signed(signer=SIGNER, certificate=CERTIFICATE, **changes) -> bytes:
    digest = hashlib.new(signer.algorithm.digest, b"content").digest()
    fields = {"chain": (), "content_type": DATA, "content": None, "message_digest": digest, **changes}
    return make_signed_data(signer=signer, certificate=certificate, **fields)


CMS = signed()


def opened(data: bytes = CMS) -> cms.ContentInfo:
    return cms.ContentInfo.load(data)


def reads(structure: cms.ContentInfo):
    return parse_signed_data(structure.dump(force=True))


def test_what_is_made_reads_back():
    parsed = parse_signed_data(signed(content=b"content"))
    assert (parsed.content_type, parsed.content, parsed.digest) == (DATA, b"content", "sha256")
    assert parsed.signature_holds()
    assert parsed.names_its_certificate()
    assert parsed.message_digest == hashlib.sha256(b"content").digest()


def test_zeros_may_follow_and_nothing_else():
    assert parse_signed_data(CMS + bytes(100)) == parse_signed_data(CMS)
    with pytest.raises(MalformedEnvelope):
        parse_signed_data(CMS + bytes(10) + b"x")


def test_a_signer_named_by_key_identifier_is_found():
    structure = opened()
    structure["content"]["signer_infos"][0]["sid"] = cms.SignerIdentifier("subject_key_identifier", CERTIFICATE.ski)
    assert reads(structure).certificate == CERTIFICATE
    structure["content"]["signer_infos"][0]["sid"] = cms.SignerIdentifier("subject_key_identifier", b"other")
    parsed = reads(structure)
    assert parsed.certificate is None
    assert not parsed.signature_holds()
    assert not parsed.names_its_certificate()


def test_the_signature_must_be_of_the_algorithm_that_it_names():
    """RSA-as-EC and the like: the key's algorithm, the signature's and the digest's are one."""
    _, other = authority(EDDSA)
    assert not parse_signed_data(signed(certificate=other)).signature_holds()
    structure = opened()
    structure["content"]["signer_infos"][0]["signature_algorithm"]["algorithm"] = "sha256_rsa"
    assert reads(structure).algorithm is None
    structure = opened()
    structure["content"]["signer_infos"][0]["digest_algorithm"]["algorithm"] = "sha1"
    assert reads(structure).digest == "sha1"
    assert SignatureProblem.ALGORITHM_MISMATCH in reads(structure).problems()
    assert not reads(structure).signature_holds()


def test_rfc5652_11_1_the_content_type_attribute_must_match():
    structure = opened()
    structure["content"]["encap_content_info"]["content_type"] = "encrypted_data"
    assert not reads(structure).signature_holds()


def test_an_attribute_twice_is_none():
    twice = parse_signed_data(signed(attributes=[attribute("1.2.3", b"\x05\x00"), attribute("1.2.3", b"\x05\x00")]))
    assert single(twice.attributes, "1.2.3") is None
    assert len(twice.attributes["1.2.3"]) == 2


@pytest.mark.parametrize(
    ("certificate_id", "names_it"),
    [
        (der.sequence(digest_identifier("sha512"), der.octets(hashlib.sha512(CERTIFICATE.der).digest())), True),
        (der.sequence(digest_identifier("sha256"), der.octets(hashlib.sha512(CERTIFICATE.der).digest())), False),
        (
            der.sequence(der.sequence(der.oid("1.3.14.3.2.26")), der.octets(hashlib.sha1(CERTIFICATE.der).digest())),
            False,
        ),
        (der.sequence(der.integer(1)), False),
    ],
    ids=["sha512", "other digest", "sha1", "not a digest"],
)
def test_rfc5035_the_certificate_is_pinned_by_a_digest_we_accept(certificate_id, names_it):
    parsed = parse_signed_data(CMS)
    pinned = {**parsed.attributes, SIGNING_CERTIFICATE_V2: (der.sequence(der.sequence(certificate_id)),)}
    assert type(parsed)(**{**as_fields(parsed), "attributes": pinned}).names_its_certificate() is names_it


@pytest.mark.parametrize("value", [b"", b"\x30", b"\x30\x02\x30\x00", b"\x30\x00", b"\x02\x01\x01"])
def test_a_signing_certificate_attribute_that_is_none(value):
    parsed = parse_signed_data(CMS)
    broken = {**parsed.attributes, SIGNING_CERTIFICATE_V2: (value,)}
    assert not type(parsed)(**{**as_fields(parsed), "attributes": broken}).names_its_certificate()


def as_fields(parsed):
    return {name: getattr(parsed, name) for name in type(parsed).__dataclass_fields__}


def test_exactly_one_signer():
    for count in (0, 2):
        structure = opened()
        infos = structure["content"]["signer_infos"]
        structure["content"]["signer_infos"] = cms.SignerInfos([infos[0]] * count)
        with pytest.raises(MalformedEnvelope):
            reads(structure)


def test_other_content_and_too_much_of_it():
    with pytest.raises(MalformedEnvelope):
        parse_signed_data(der.sequence(der.oid(DATA), der.tlv(0xA0, der.octets(b"x"))))
    with pytest.raises(MalformedEnvelope):
        parse_signed_data(der.sequence(der.oid(SIGNED_DATA)))
    with pytest.raises(MalformedEnvelope, match="more than"):
        parse_signed_data(der.sequence(bytes(1_100_000)))
    assert parse_signed_data(CMS + bytes(3_000_000)).signature_holds()  # empty room is not counted


def test_too_many_certificates():
    structure = opened()
    one = structure["content"]["certificates"][0]
    structure["content"]["certificates"] = cms.CertificateSet([one] * 33)
    with pytest.raises(MalformedEnvelope):
        reads(structure)


def test_no_certificates():
    parsed = parse_signed_data(signed(embed_certificates=False))
    assert (parsed.certificate, parsed.intermediates) == (None, ())


def test_ber_of_indefinite_length_is_read():
    body = der.elements(CMS)[0]
    indefinite = b"\x30\x80" + CMS[body[2] : body[3]] + b"\0\0"
    assert parse_signed_data(indefinite + bytes(20)).signature_holds()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_is_malformed_or_does_not_hold(data):
    damaged = bytearray(CMS)
    damaged[data.draw(st.integers(0, len(CMS) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        parsed = parse_signed_data(bytes(damaged))
    except MalformedEnvelope:
        return
    if parsed.signature_holds() and parsed.names_its_certificate():
        assert parsed.message_digest == hashlib.sha256(b"content").digest()


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes(data):
    with pytest.raises(MalformedEnvelope):
        parse_signed_data(data)
