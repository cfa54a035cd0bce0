"""Copies for wallets: what is made, for whom, and when none is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from issuer.copy_rules import COPIES, COPIES_WITHIN
from issuer.errors import (
    CertificateNotFound,
    CertificateNotPublished,
    CertificateOver,
    CertificateRevoked,
    CertificateSuspended,
    CertificateVoided,
    CopyKeysInvalid,
    IssuerNotEntitled,
    IssuerNotListed,
    SealNotInForce,
    TooManyCopies,
    TypeUnknown,
)
from issuer.explaining import explain
from issuer.model import RenderingKind
from keys.algorithms import EDDSA, ES256, ES384
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import bind_key, parse_sd_jwt
from keys.signer import EphemeralSigner
from tests.issuer.copying import ALL_PLACES, INVALID, KEYS, MDOC, SD_JWT, SUSPENDED, VALID, Desk, jwks, place_of, rows
from tests.issuer.office import (
    CLAIMS,
    DAY,
    DAY_0,
    OTHER_OFFICE,
    Office,
    history,
)
from trust_registry.edges import HolderId
from trust_registry.model import EntryReason, EntryStatus, StatusReason
from verifier.evidence import parse
from verifier.model import Credential, ExpectedBinding, Indication, MobileDocument, Policy


def test_an_sd_jwt_copy_is_the_certificate_bound_to_the_wallets_key(desk: Desk) -> None:
    office = desk.office
    made = desk.one()
    bound = bind_key(made, signer=KEYS[0], nonce="n", audience="hall", issued_at=office.clock())
    report = desk.judged(bound, Policy(binding=ExpectedBinding("n", "hall")))
    assert report.indication is Indication.PASSED, report.findings
    assert report.attestation is not None
    assert (report.attestation.certificate_id, dict(report.attestation.claims)) == (desk.certificate_id, CLAIMS)
    assert place_of(made) != office.reference(desk.certificate_id)


def test_an_mdoc_copy_is_the_certificate_bound_to_the_wallets_key(desk: Desk) -> None:
    made = desk.one(MDOC)
    report = desk.judged(made)
    assert report.indication is Indication.PASSED, report.findings
    assert report.attestation is not None
    assert (report.attestation.certificate_id, dict(report.attestation.claims)) == (desk.certificate_id, CLAIMS)
    assert report.attestation.holder_key == jwks(1)[0]


@pytest.mark.parametrize("algorithm", [ES256, ES384, EDDSA])
@pytest.mark.parametrize("kind", [SD_JWT, MDOC])
def test_nothing_but_the_public_key_is_signed_of_a_wallets_key(desk: Desk, kind: RenderingKind, algorithm: Any) -> None:
    jwk = EphemeralSigner.generate(algorithm).public_key.jwk()
    (made,) = desk.make(kind, keys=[{**jwk, "kid": "device-1", "use": "sig", "alg": algorithm.jose, "x5c": ["AA=="]}])
    evidence = parse(made)
    assert isinstance(evidence, Credential | MobileDocument)
    assert evidence.attestation is not None
    assert evidence.attestation.holder_key == jwk


def test_copies_come_in_the_order_of_their_keys(desk: Desk) -> None:
    made = desk.make(count=5)
    assert [parse_sd_jwt(str(each)).claims["cnf"]["jwk"] for each in made] == jwks(5)


def test_a_certificate_bound_to_a_key_gives_copies_for_other_keys_alone(office: Office) -> None:
    desk = Desk(office)
    bound = office.service.issue(office.request("bound", holder_key=jwks(1, 9)[0])).summary.certificate_id
    (made,) = desk.make(certificate_id=bound)
    assert parse_sd_jwt(str(made)).claims["cnf"] == {"jwk": jwks(1)[0]}


def test_only_an_sd_jwt_or_an_mdoc_can_be_copied(desk: Desk) -> None:
    for kind in (RenderingKind.PDF, RenderingKind.QR):
        with pytest.raises(ValueError, match="SD-JWT VCs or mdocs"):
            desk.make(kind)


# --- refusals: each says what to do, and nothing is recorded


def refused(desk: Desk, error: type[Exception], **changes: Any) -> Any:
    before = rows(desk.office, ALL_PLACES)
    for kind in (SD_JWT, MDOC):
        with pytest.raises(error) as caught:
            desk.make(kind, **changes)
    assert rows(desk.office, ALL_PLACES) == before
    words = explain(caught.value)  # type: ignore[arg-type]
    assert words.zh
    assert words.en
    return caught.value


def test_no_copies_of_what_is_not_there(desk: Desk) -> None:
    refused(desk, CertificateNotFound, certificate_id="1.2.156.3005.2.nothing")


def test_no_copies_of_another_holders_certificate(desk: Desk) -> None:
    office = desk.office
    other = office.service.issue(office.request_for(40)).summary.certificate_id
    refused(desk, CertificateNotFound, certificate_id=other)
    refused(desk, CertificateNotFound, holder_id=HolderId(""))


def test_no_copies_of_what_is_recorded_and_not_sealed(desk: Desk) -> None:
    office = desk.office
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_certificates SET state = 'recorded'"))
    refused(desk, CertificateNotPublished)
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_certificates SET state = 'voided'"))
    refused(desk, CertificateVoided)


def test_no_copies_while_it_is_suspended(desk: Desk) -> None:
    desk.change(SUSPENDED, StatusReason.UNDER_REVIEW)
    assert refused(desk, CertificateSuspended).since == DAY_0
    desk.change(VALID, StatusReason.REVIEW_ENDED)
    assert desk.status(desk.one()) is VALID


def test_no_copies_of_what_is_revoked(desk: Desk) -> None:
    desk.change(INVALID, StatusReason.SUPERSEDED)
    assert refused(desk, CertificateRevoked).since == DAY_0


def test_no_copies_of_what_is_over_or_nearly(desk: Desk) -> None:
    """The end is rounded down to the hour, so in its last hour a copy would be over already."""
    office = desk.office
    with office.engine.begin() as connection:
        end = DAY_0 + timedelta(hours=30, minutes=20)
        connection.execute(text("UPDATE issuer_certificates SET valid_until = :end"), {"end": stored(office, end)})
    office.clock.turn(timedelta(hours=29, minutes=59))
    assert parse_sd_jwt(desk.one()).claims["exp"] == int((DAY_0 + timedelta(hours=30)).timestamp())
    assert parse_mdoc(desk.one(MDOC)).mso.validity.valid_until == DAY_0 + timedelta(hours=30)
    for minutes in (1, 21):
        office.clock.turn(timedelta(minutes=minutes))
        assert refused(desk, CertificateOver).valid_until == end


def stored(office: Office, instant: datetime) -> Any:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def test_no_copies_under_a_seal_that_may_not_be_used_now(desk: Desk) -> None:
    office, entry = desk.office, desk.office.entry
    gone = history(
        (EntryStatus.GRANTED, DAY_0 - DAY, EntryReason.INITIAL),
        (EntryStatus.SUSPENDED, DAY_0, EntryReason.KEY_COMPROMISE),
    )
    office.entry = replace(entry, seals=(replace(entry.seals[0], history=gone),))
    refused(desk, SealNotInForce)
    office.entry = replace(entry, grants=())
    refused(desk, IssuerNotEntitled)
    office.entry = replace(entry, id=OTHER_OFFICE)
    office.other_entry = replace(entry, id=OTHER_OFFICE)
    refused(desk, IssuerNotListed)
    office.entry, office.types = entry, ()
    refused(desk, TypeUnknown)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "there is none"),
        ([{"kty": "oct", "k": "AAAA"}], "not a public JWK"),
        ([{**jwks(1)[0], "d": "AAAA"}], "not a public JWK"),
        ([{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}], "not a public JWK"),
        ([{**jwks(1)[0], "y": jwks(1)[0]["x"]}], "not a public JWK"),
        ([{**jwks(1)[0], "crv": ["P-256"]}], "not a public JWK"),
        ([{}], "not a public JWK"),
        ([*jwks(2), {**jwks(1)[0], "kid": "again"}], "the same key is there twice"),
    ],
)
def test_keys_that_no_copy_is_bound_to(desk: Desk, keys: list[Any], said: str) -> None:
    assert refused(desk, CopyKeysInvalid, keys=keys).reason == said


def test_so_many_copies_and_no_more_until_the_first_are_old(desk: Desk) -> None:
    office = desk.office
    desk.make(count=COPIES - 10)
    office.clock.turn(timedelta(hours=5))
    desk.make(count=10)
    later = refused(desk, TooManyCopies)
    assert (later.limit, later.again_at) == (COPIES, DAY_0 + COPIES_WITHIN)
    assert refused(desk, TooManyCopies, keys=jwks(COPIES - 9)).again_at == DAY_0 + timedelta(hours=5) + COPIES_WITHIN
    assert refused(desk, TooManyCopies, keys=jwks(COPIES + 1)).limit == COPIES
    office.clock.now = DAY_0 + COPIES_WITHIN
    office.service.publish_due()
    desk.make(count=COPIES - 10)
    assert desk.copies.count(desk.certificate_id) == 2 * COPIES - 10
