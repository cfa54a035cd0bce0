"""All renderings, one certificate: the same identity, the same status reference, all under the seal's key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from issuer.errors import GlyphMissing, RenderingNotMade
from issuer.model import RenderingKind
from issuer.renderings.sealing import QR_PREFIX, check_printable
from keys.algorithms import ES256
from keys.envelopes.cose import parse_cose_sign1
from keys.envelopes.mdoc import ItemOutcome, parse_mdoc
from keys.envelopes.pades import Modification, parse_signed_pdf
from keys.envelopes.qr_text import decode_qr_text
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.signer import EphemeralSigner
from keys.x509 import parse_certificate
from tests.issuer.office import CLAIMS, DAY_0, MARRIAGE, NUMBER, Office, open_office
from trust_registry.attestations import Attestation, from_cwt, from_json, from_sd_jwt_claims
from trust_registry.catalogue import COMMON_TYPES_BY_ID
from trust_registry.mdoc_attestations import from_mdoc


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder: Path = tmp_path_factory.mktemp("office")
    with open_office(f"sqlite:///{folder}/issuer.db", folder / "status", paper=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def renderings(office: Office) -> dict[RenderingKind, bytes]:
    jwk = EphemeralSigner.generate(ES256).public_key.jwk()
    found = office.service.issue(office.request(valid_from=DAY_0 + timedelta(days=1), holder_key=jwk)).summary
    return {kind: office.service.rendering(found.certificate_id, kind) for kind in RenderingKind}


def read(renderings: dict[RenderingKind, bytes]) -> tuple[Attestation, Attestation, Attestation]:
    pdf = from_json(parse_signed_pdf(renderings[RenderingKind.PDF]).attachments["yinxin-certificate.json"])
    sd_jwt = from_sd_jwt_claims(parse_sd_jwt(renderings[RenderingKind.SD_JWT_VC].decode()).claims)
    cose = parse_cose_sign1(decode_qr_text(renderings[RenderingKind.QR].decode(), QR_PREFIX))
    return pdf, sd_jwt, from_cwt(cose.payload)


def test_one_identity_and_one_status(renderings: dict[RenderingKind, bytes]) -> None:
    pdf, sd_jwt, qr = read(renderings)
    assert pdf == sd_jwt
    assert replace(qr, claims=pdf.claims, holder_key=pdf.holder_key) == pdf
    assert dict(pdf.claims) == CLAIMS


def test_the_mdoc_says_what_the_others_say_and_is_signed_with_the_seal(renderings: dict[RenderingKind, bytes]) -> None:
    pdf, sd_jwt, _ = read(renderings)
    mdoc = parse_mdoc(renderings[RenderingKind.MDOC])
    assert from_mdoc(mdoc) == pdf
    auth = mdoc.issuer_signed.issuer_auth
    seal = parse_certificate(auth.chain()[0])
    assert auth.verified_by(seal.public_key)
    assert seal.extended_key_usage >= {"1.0.18013.5.1.2"}
    assert {mdoc.issuer_signed.compare(item) for item in mdoc.issuer_signed.items} == {ItemOutcome.OK}
    assert mdoc.mso.device_key == sd_jwt.holder_key


def test_a_certificate_without_a_holders_key_has_an_mdoc_that_nobody_can_present(office: Office) -> None:
    found = office.service.issue(office.request_for(71)).summary
    mdoc = parse_mdoc(office.service.rendering(found.certificate_id, RenderingKind.MDOC))
    assert not mdoc.mso.names_device


def test_a_form_that_was_not_made_when_it_was_sealed_is_named(office: Office) -> None:
    found = office.service.issue(office.request_for(72)).summary
    with office.engine.begin() as connection:
        connection.execute(text("DELETE FROM issuer_renderings WHERE kind = 'mdoc'"))
    with pytest.raises(RenderingNotMade):
        office.service.rendering(found.certificate_id, RenderingKind.MDOC)


def test_the_printed_code_shows_what_the_type_makes_public_and_masks_numbers(
    renderings: dict[RenderingKind, bytes],
) -> None:
    _, _, qr = read(renderings)
    assert "spouse_identity_number" not in qr.claims
    assert qr.claims["identity_number"] == NUMBER[:3] + "*" * 11 + NUMBER[-4:]
    assert NUMBER.encode() not in decode_qr_text(renderings[RenderingKind.QR].decode(), QR_PREFIX)


def test_all_are_signed_with_the_seals_key(office: Office, renderings: dict[RenderingKind, bytes]) -> None:
    key = office.keys.seal.public_key
    (signature,) = parse_signed_pdf(renderings[RenderingKind.PDF]).signatures
    assert signature.certificate == office.keys.seal
    assert signature.digest_ok
    assert signature.signature_ok
    assert signature.covers_whole_file
    assert signature.modification is Modification.NONE
    sd_jwt = parse_sd_jwt(renderings[RenderingKind.SD_JWT_VC].decode())
    assert sd_jwt.jws.verified_by(key)
    assert sd_jwt.jws.header["typ"] == "dc+sd-jwt"
    assert len(sd_jwt.jws.header["x5c"]) == 1
    cose = parse_cose_sign1(decode_qr_text(renderings[RenderingKind.QR].decode(), QR_PREFIX))
    assert cose.verified_by(key)
    assert cose.kid == bytes.fromhex(office.keys.seal.thumbprint)[:8]


def test_the_pdf_proves_when_it_was_sealed(office: Office, renderings: dict[RenderingKind, bytes]) -> None:
    (signature,) = parse_signed_pdf(renderings[RenderingKind.PDF]).signatures
    assert signature.timestamp is not None
    assert signature.timestamp_ok
    assert signature.timestamp.generated_at == DAY_0
    assert signature.timestamp.certificate == office.keys.timestamp


def test_only_marked_claims_can_be_withheld(renderings: dict[RenderingKind, bytes]) -> None:
    sd_jwt = parse_sd_jwt(renderings[RenderingKind.SD_JWT_VC].decode())
    always = {c.name for c in COMMON_TYPES_BY_ID[MARRIAGE].claims if not c.selective}
    assert {d.name for d in sd_jwt.disclosures} == CLAIMS.keys() - always
    assert always <= json.loads(sd_jwt.jws.payload).keys()


@pytest.mark.parametrize("value", ["\U0003134a", ["ok", "\U0003134a"], {"name": "\U0003134a"}, "a\u202eb"])
def test_claims_that_cannot_be_printed_are_refused_before_they_are_recorded(value: object) -> None:
    with pytest.raises(GlyphMissing) as caught:
        check_printable(COMMON_TYPES_BY_ID[MARRIAGE], {"spouse_name": value})
    assert caught.value.claim == "spouse_name"
    check_printable(COMMON_TYPES_BY_ID[MARRIAGE], {"spouse_name": ["周", {"of": 7}], "registered_on": None})
