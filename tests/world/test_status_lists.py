"""Status lists that can't be had, are too old, or lie: cannot tell, never a pass, and no lie undoes a revocation."""

from __future__ import annotations

from datetime import timedelta

from keys.algorithms import ES256
from keys.signer import EphemeralSigner, Signer
from keys.x509 import Certificate, Profile, parse_certificate
from tests.world.asserting import assert_verdict
from tests.world.founding import DAY, DAY_0, status_url
from tests.world.simulator import Region, World
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from trust_registry.status_list import make_status_token, new_status_list
from verifier.model import Indication


def all_is_well(world: World, uri: str, signer: Signer, certificate: Certificate) -> bytes:
    """A list on which everything is valid, signed by whoever."""
    return make_status_token(
        new_status_list(64).freeze(),
        uri=uri,
        signer=signer,
        issued_at=world.now,
        expires_at=world.now + DAY,
        ttl=timedelta(minutes=10),
        certificate=certificate,
    ).encode()


def test_unreachable(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    world.wire.cut(status_url(east.code))
    for rendering in certificate.renderings:
        report = west.verify(rendering, at=world.now + timedelta(minutes=1))
        assert_verdict(report, "INDETERMINATE", "TRY_LATER", "status_unreachable")
    world.wire.mend()
    assert west.verify(certificate.qr, at=world.now + timedelta(minutes=1)).indication is Indication.PASSED


def test_stale_because_its_issuer_has_fallen_silent(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    silent = world.wire(certificate.status_list)
    world.wire.answer(certificate.status_list, silent)
    assert west.verify(certificate.qr).indication is Indication.PASSED
    report = west.verify(certificate.qr, at=DAY_0 + 2 * DAY)
    assert_verdict(report, "INDETERMINATE", "TRY_LATER", "status_stale")


def test_forged_with_a_key_that_nobody_lists(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    certificate = office.issue(MARRIAGE)
    office.revokes(certificate)
    uri = certificate.status_list
    shown = east.custody.certify("forger", Profile.STATUS).certificate
    world.wire.answer(uri, all_is_well(world, uri, EphemeralSigner.generate(ES256), shown))
    assert_verdict(west.verify(certificate.qr), "INDETERMINATE", "TRY_LATER", "status_forged")


def test_signed_by_another_office_of_the_same_region(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    uri = certificate.status_list
    other = east.office("public-security").entry.status_keys[0]
    signer = east.custody.signers["status public-security"]
    world.wire.answer(uri, all_is_well(world, uri, signer, parse_certificate(other.certificate)))
    assert_verdict(west.verify(certificate.qr), "INDETERMINATE", "TRY_LATER", "status_forged")


def test_an_older_list_replayed_does_not_undo_a_revocation(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    certificate = office.issue(MARRIAGE)
    innocent = world.wire(certificate.status_list)
    world.wait(timedelta(minutes=30))
    office.revokes(certificate)
    assert_verdict(west.verify(certificate.qr), "FAILED", "REVOKED", "status_revoked_because")
    world.wire.answer(certificate.status_list, innocent)
    report = west.verify(certificate.qr, at=world.now + timedelta(minutes=30))
    assert_verdict(report, "FAILED", "REVOKED", "status_revoked_because")


def test_noise_instead_of_a_list(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    for noise in (b"", b"<html>502 Bad Gateway</html>", b"a.b.c", b"\x00" * 100_000):
        world.wire.answer(certificate.status_list, noise)
        report = west.verify(certificate.qr, at=world.now + timedelta(minutes=1))
        assert_verdict(report, "INDETERMINATE", "TRY_LATER", "status_malformed")
