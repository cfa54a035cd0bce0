"""Certificates of a region: what they say, what openssl thinks of them, and paths at a given time."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from keys import der
from keys.algorithms import ALGORITHMS, ES256
from keys.errors import MalformedCertificate
from keys.model import Algorithm
from keys.signer import EphemeralSigner
from keys.x509 import (
    Certificate,
    PathOutcome,
    Profile,
    end_of_validity,
    make_certificate,
    make_region_ca,
    parse_certificate,
    parse_pem_certificates,
    signed_by,
    validate_path,
)
from tests.keys.conftest import NOW, SINCE, UNTIL, Region, make_region
from tests.keys.foreign_hierarchy import Node

SEAL = EphemeralSigner.generate(ES256)


def _outcome(leaf: Certificate, region: Region, at: datetime = NOW) -> PathOutcome:
    return validate_path(leaf, [], [region.ca], at).outcome


def test_a_region_s_ca_signs_end_entities_and_nothing_else(region: Region) -> None:
    ca = region.ca
    assert (ca.is_ca, ca.path_length) == (True, 0)
    assert ca.key_usage == {"keyCertSign", "cRLSign"}
    assert ca.issuer_name_der == ca.subject_name_der
    assert "990100" in ca.subject
    critical = {e.oid.dotted_string for e in x509.load_der_x509_certificate(ca.der).extensions if e.critical}
    assert critical == {"2.5.29.19", "2.5.29.15"}


def test_a_seal_certificate_names_its_owner_and_its_seal(region: Region) -> None:
    seal = region.certify(Profile.SEAL, SEAL)
    assert seal.common_name == "民政局电子印章"
    assert seal.organisation == "东岭市民政局"
    assert (seal.organisation_identifier, seal.uscc) == ("NTRCN-11990100MB0000001A", "11990100MB0000001A")
    assert seal.san_uris == ("urn:yinxin:seal:990100/civil-affairs/99010000000001",)
    assert seal.key_usage == {"digitalSignature", "nonRepudiation"}
    assert seal.policies == {Profile.SEAL.policy}
    assert not seal.is_ca
    assert seal.public_key == SEAL.public_key
    assert (seal.not_before, seal.not_after) == (SINCE, UNTIL)
    assert (seal.aki, seal.issuer_name_der) == (region.ca.ski, region.ca.subject_name_der)


def test_rfc3161_2_3_a_timestamping_certificate_has_one_critical_purpose(region: Region) -> None:
    timestamp = region.certify(Profile.TIMESTAMP, SEAL)
    assert timestamp.extended_key_usage == {ExtendedKeyUsageOID.TIME_STAMPING.dotted_string}
    assert timestamp.extended_key_usage_critical
    assert not region.certify(Profile.STATUS, SEAL).extended_key_usage


def test_an_owner_without_uscc_and_uri_has_neither(region: Region) -> None:
    certificate = region.certify(Profile.STATUS, SEAL, uscc=None, uri=None)
    assert (certificate.organisation_identifier, certificate.uscc, certificate.san_uris) == (None, None, ())


def test_rfc5280_4_1_2_2_serials_are_long_random_and_positive(region: Region) -> None:
    serials = {region.certify(Profile.SEAL, SEAL).serial for _ in range(20)}
    assert len(serials) == 20
    assert all(0 < serial < 1 << 159 and serial.bit_length() >= 128 for serial in serials)


def test_rfc5280_4_1_2_5_dates_from_2050_are_generalized_time() -> None:
    signer = EphemeralSigner.generate(ES256)
    until = datetime(2051, 2, 3, 4, 5, 6, tzinfo=UTC)
    ca = make_region_ca(signer, common_name="CA", organisation="O", region="990100", not_before=SINCE, not_after=until)
    assert ca.not_after == until
    assert b"20510203040506Z" in ca.der


def test_certificates_that_make_no_sense_are_not_made(region: Region) -> None:
    with pytest.raises(ValueError, match="end after"):
        region.certify(Profile.SEAL, SEAL, not_after=SINCE)
    with pytest.raises(ValueError, match="different keys"):
        replace(region, signer=SEAL).certify(Profile.SEAL, SEAL)


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: apt-get install openssl")
@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
@pytest.mark.parametrize("profile", Profile, ids=lambda p: p.name)
def test_openssl_verifies_the_path(algorithm: Algorithm, profile: Profile, tmp_path: Path) -> None:
    region = make_region(algorithm)
    (tmp_path / "ca.pem").write_bytes(region.ca.pem())
    dns = "hall.example" if profile is Profile.ACCESS else None
    (tmp_path / "leaf.pem").write_bytes(region.certify(profile, SEAL, dns=dns).pem())
    command = ["openssl", "verify", "-x509_strict", "-check_ss_sig", "-attime", str(int(NOW.timestamp()))]
    result = subprocess.run(
        [*command, "-CAfile", "ca.pem", "leaf.pem"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stdout == "leaf.pem: OK\n", result.stderr


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_a_path_is_valid_between_its_first_and_last_second(algorithm: Algorithm) -> None:
    region = make_region(algorithm)
    leaf = region.certify(Profile.SEAL, SEAL)
    result = validate_path(leaf, [], [region.ca], NOW)
    assert result.outcome is PathOutcome.OK
    assert result.chain == (leaf, region.ca)
    assert _outcome(leaf, region, SINCE) is PathOutcome.OK
    assert _outcome(leaf, region, UNTIL) is PathOutcome.OK
    assert _outcome(leaf, region, SINCE - timedelta(seconds=1)) is PathOutcome.NOT_YET_VALID
    assert _outcome(leaf, region, UNTIL + timedelta(seconds=1)) is PathOutcome.EXPIRED


def test_an_expired_ca_takes_its_certificates_with_it(region: Region) -> None:
    leaf = region.certify(Profile.SEAL, SEAL, not_after=UNTIL + timedelta(days=365))
    assert _outcome(leaf, region, UNTIL + timedelta(days=1)) is PathOutcome.EXPIRED


def test_a_signature_algorithm_past_its_sunset_does_not_count() -> None:
    assert ES256.sunset is not None
    late = ES256.sunset + timedelta(days=1)
    signer = EphemeralSigner.generate(ES256)
    ca = make_region_ca(
        signer, common_name="CA", organisation="O", region="990100", not_before=SINCE, not_after=late + timedelta(1)
    )
    leaf = Region(signer, ca).certify(Profile.SEAL, SEAL, not_after=late)
    assert validate_path(leaf, [], [ca], ES256.sunset - timedelta(days=1)).outcome is PathOutcome.OK
    assert validate_path(leaf, [], [ca], late).outcome is PathOutcome.ALGORITHM


def test_another_region_with_the_same_name_is_not_this_region(region: Region) -> None:
    namesake = make_region()
    leaf = namesake.certify(Profile.SEAL, SEAL)
    assert namesake.ca.subject_name_der == region.ca.subject_name_der
    assert _outcome(leaf, region) is PathOutcome.NO_CHAIN  # its authority key identifier says so


def test_a_forged_signature_under_the_region_s_name_is_found(region: Region) -> None:
    namesake = make_region()
    forged = make_certificate(
        Profile.SEAL,
        ca_signer=namesake.signer,
        ca=replace(namesake.ca, ski=region.ca.ski),
        subject_key=SEAL.public_key,
        common_name="假章",
        organisation="假局",
        uscc=None,
        uri=None,
        not_before=SINCE,
        not_after=UNTIL,
    )
    result = validate_path(forged, [namesake.ca], [region.ca], NOW)
    assert result.outcome is PathOutcome.BAD_SIGNATURE
    assert result.chain == (forged, region.ca)
    assert not signed_by(forged, region.ca)


def test_no_anchor_no_chain(region: Region) -> None:
    leaf = region.certify(Profile.SEAL, SEAL)
    assert validate_path(leaf, [region.ca], [], NOW) == validate_path(leaf, [], [make_region(name="西川").ca], NOW)
    assert validate_path(leaf, [region.ca], [], NOW).outcome is PathOutcome.NO_CHAIN


def test_a_leaf_that_is_an_anchor_is_its_own_path(region: Region) -> None:
    leaf = region.certify(Profile.SEAL, SEAL)
    assert validate_path(leaf, [], [leaf], NOW).chain == (leaf,)
    assert validate_path(leaf, [], [leaf], UNTIL + timedelta(days=1)).outcome is PathOutcome.EXPIRED


def _validate(leaf: Node, *between: Node, anchor: Node) -> PathOutcome:
    return validate_path(leaf.certificate, [node.certificate for node in between], [anchor.certificate], NOW).outcome


ROOT = Node("root")


def test_intermediates_are_followed_in_any_order() -> None:
    upper = Node("upper", ROOT)
    lower = Node("lower", upper)
    leaf = Node("leaf", lower, ca=False, usage=False)
    assert _validate(leaf, upper, lower, anchor=ROOT) is PathOutcome.OK
    assert _validate(leaf, lower, upper, anchor=ROOT) is PathOutcome.OK
    assert _validate(leaf, lower, anchor=ROOT) is PathOutcome.NO_CHAIN


def test_rfc5280_6_1_4_m_the_path_length_constraint_holds() -> None:
    root = Node("short root", path_length=0)
    middle = Node("middle", root)
    leaf = Node("leaf", middle, ca=False, usage=False)
    assert _validate(leaf, middle, anchor=root) is PathOutcome.CONSTRAINTS
    assert _validate(Node("direct", root, ca=False, usage=False), anchor=root) is PathOutcome.OK


def test_rfc5280_6_1_4_k_an_end_entity_cannot_issue() -> None:
    seal = Node("seal", ROOT, ca=False, usage=False)
    forged = Node("forged", seal, ca=False, usage=False)
    assert _validate(forged, seal, anchor=ROOT) is PathOutcome.CONSTRAINTS
    boastful = Node("boastful", ROOT, ca=False, usage=True)
    assert _validate(Node("leaf", boastful, ca=False), boastful, anchor=ROOT) is PathOutcome.CONSTRAINTS


def test_rfc5280_6_1_4_n_a_ca_needs_key_cert_sign_where_it_has_key_usage() -> None:
    unusual = Node("unusual", ROOT, usage=False)
    assert _validate(Node("leaf", unusual, ca=False), unusual, anchor=ROOT) is PathOutcome.CONSTRAINTS
    silent = Node("silent", ROOT, usage=None)
    assert _validate(Node("leaf", silent, ca=False), silent, anchor=ROOT) is PathOutcome.OK


def test_rfc5280_6_1_5_f_unknown_critical_extensions_fail_the_path() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    leaf = Node("leaf", ROOT, ca=False, usage=False, extra=[(unknown, True)])
    assert leaf.certificate.unknown_critical == {"1.2.3.4.5"}
    assert _validate(leaf, anchor=ROOT) is PathOutcome.CONSTRAINTS
    tolerated = Node("leaf", ROOT, ca=False, usage=False, extra=[(unknown, False)])
    assert _validate(tolerated, anchor=ROOT) is PathOutcome.OK


def test_name_constraints_are_not_processed_and_so_fail_the_path() -> None:
    constraints = x509.NameConstraints([x509.DNSName("example.cn")], None)
    middle = Node("constrained", ROOT, extra=[(constraints, True)])
    assert _validate(Node("leaf", middle, ca=False), middle, anchor=ROOT) is PathOutcome.CONSTRAINTS


def test_a_loop_of_certificates_ends() -> None:
    one, other = Node("one"), Node("other")
    crossed = Node("one", other, key=one.key)
    back = Node("other", one, key=other.key)
    leaf = Node("leaf", one, ca=False, usage=False)
    assert _validate(leaf, crossed, back, one, other, anchor=ROOT) is PathOutcome.NO_CHAIN


def test_a_maze_of_cross_certificates_is_given_up_in_time() -> None:
    keys = [Node("maze") for _ in range(9)]
    maze = [Node("maze", issuer, key=node.key) for node in keys for issuer in keys]
    leaf = Node("leaf", keys[0], ca=False, usage=False)
    assert _validate(leaf, *maze, anchor=ROOT) is PathOutcome.NO_CHAIN


def test_the_best_of_several_paths_is_reported() -> None:
    expired = Node("root", key=ROOT.key, until=SINCE + timedelta(days=1))
    leaf = Node("leaf", ROOT, ca=False, usage=False)
    anchors = [expired.certificate, ROOT.certificate, Node("root").certificate]
    assert validate_path(leaf.certificate, [], anchors, NOW).outcome is PathOutcome.OK
    assert validate_path(leaf.certificate, [], anchors[:1], NOW).outcome is PathOutcome.EXPIRED


def test_a_certificate_is_parsed_once(region: Region) -> None:
    assert parse_certificate(bytes(bytearray(region.ca.der))) is region.ca
    assert region.ca in {region.ca}
    assert region.ca != region.ca.der
    assert region.ca.thumbprint[:16] in repr(region.ca)


def test_pem_holds_what_der_does(region: Region) -> None:
    leaf = region.certify(Profile.SEAL, SEAL)
    assert parse_pem_certificates(b"# leaf\n" + leaf.pem() + region.ca.pem()) == (leaf, region.ca)
    assert x509.load_pem_x509_certificate(leaf.pem()).serial_number == leaf.serial
    assert load_der_public_key(leaf.spki) is not None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA",
    ],
)
def test_broken_pem_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        parse_pem_certificates(text)


def test_certificates_cut_short_or_too_long_are_malformed(region: Region) -> None:
    for broken in (region.ca.der[:-1], region.ca.der + b"\0", bytes(70000), b""):
        with pytest.raises(MalformedCertificate):
            parse_certificate(broken)


def test_odd_serials_are_malformed() -> None:
    for serial in (b"\x02\x01\x00", b"\x02\x01\xff"):
        with pytest.raises(MalformedCertificate):
            parse_certificate(_with_serial(serial))


def test_a_version_1_certificate_is_read_and_is_a_ca_only_as_an_anchor() -> None:
    """RFC 5280 section 6.1.4 (k): by other means than the certificate itself."""
    ours, (_, _, start, end) = ROOT.certificate, der.elements(ROOT.certificate.tbs)[0]
    fields = [ours.tbs[first:past] for _, first, _, past in der.elements(ours.tbs, start, end)]
    tbs = der.sequence(*fields[1:7])
    algorithm = ec.ECDSA(hashes.SHA256())
    old = parse_certificate(der.sequence(tbs, fields[2], der.bits(ROOT.key.sign(tbs, algorithm))))
    assert (old.version, old.is_ca, old.subject_name_der) == (1, False, ours.subject_name_der)
    leaf = Node("leaf", ROOT, ca=False, usage=False).certificate
    assert validate_path(leaf, [], [old], NOW).outcome is PathOutcome.OK
    middle = Node("middle", ROOT)
    assert validate_path(Node("x", middle, ca=False).certificate, [middle.certificate], [old], NOW).chain[-1] == old
    assert validate_path(leaf, [old], [Node("other").certificate], NOW).outcome is PathOutcome.NO_CHAIN


def test_rfc5280_4_1_1_2_both_statements_of_the_algorithm_must_agree() -> None:
    ours = ROOT.certificate
    other = der.sequence(der.oid("1.2.840.10045.4.3.3"))
    with pytest.raises(MalformedCertificate):
        parse_certificate(der.sequence(ours.tbs, other, der.bits(ours.signature)))


def _with_serial(serial: bytes) -> bytes:
    whole = ROOT.certificate.tbs
    ((_, _, start, end),) = der.elements(whole)
    fields = [whole[first:past] for _, first, _, past in der.elements(whole, start, end)]
    tbs = der.sequence(fields[0], serial, *fields[2:])
    return der.sequence(tbs, fields[2], der.bits(ROOT.certificate.signature))


_DER = make_region().ca.der


@given(st.data())
def test_any_bytes_are_a_certificate_or_malformed(data: st.DataObject) -> None:
    broken = bytearray(_DER)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    for candidate in (bytes(broken), data.draw(st.binary(max_size=200))):
        try:
            certificate = parse_certificate(candidate)
        except MalformedCertificate:
            continue
        validate_path(certificate, [], [certificate, ROOT.certificate], NOW)
        validate_path(certificate, [certificate], [parse_certificate(_DER)], NOW)


@given(st.binary(max_size=64))
def test_any_bytes_are_der_elements_or_a_value_error(data: bytes) -> None:
    try:
        found = der.elements(data)
    except ValueError:
        return
    assert b"".join(data[first:past] for _, first, _, past in found) == data


@pytest.mark.parametrize("data", ["30", "3080", "308500000000", "3081", "300500", "3082ffff00"])
def test_der_that_leads_beyond_its_end_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="DER"):
        der.elements(bytes.fromhex(data))


def test_der_lengths_grow_as_they_must() -> None:
    for size, head in ((127, "307f"), (128, "308180"), (256, "30820100"), (65536, "3083010000")):
        assert der.sequence(bytes(size))[: len(head) // 2].hex() == head


def test_the_end_of_validity_alone_is_that_of_the_whole_certificate(region: Region) -> None:
    assert end_of_validity(region.ca.der) == region.ca.not_after
    with pytest.raises(MalformedCertificate):
        end_of_validity(region.ca.der[:-1])
