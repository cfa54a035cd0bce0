"""From settings to a responder: the keys that answer how regions' certificates stand; and PDFs sealed with its answers.

Answers nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from keys.envelopes.pades.augmenting import Material, augment_pdf
from keys.envelopes.pades.levels import Level
from keys.errors import CannotAugment, KeysError
from keys.revocation import make_ocsp_request
from keys.signer import Signer
from keys.x509 import Certificate, parse_certificate, parse_pem_certificates
from server.errors import InvalidSettings
from server.observation import log
from server.settings import Settings
from trust_registry.model import KeyUse, RegionCode, TrustView
from trust_registry.responder import Responder, ResponderKey


def open_responder(
    settings: Settings,
    signers: Callable[[str], Signer],
    view: Callable[[], TrustView | None],
    now: Callable[[], datetime],
) -> Responder | None:
    """The responder for the regions that the settings name; None if they name none. Raises InvalidSettings, and what
    opening a key raises."""
    keys = {}
    for code, uri in settings.responder_keys.items():
        file = settings.path(settings.responder_dir) / f"{code}.pem"
        try:
            certificate = parse_pem_certificates(file.read_bytes())[0]
        except (OSError, KeysError) as err:
            raise InvalidSettings(f"responder_keys: {file} is no certificate that can be read") from err
        signer = signers(uri)
        if signer.public_key != certificate.public_key:
            raise InvalidSettings(f"responder_keys: the key of {code} is not the one in {file}")
        ca_uri = settings.responder_ca_keys.get(code)
        keys[RegionCode(code)] = ResponderKey(signer, certificate, None if ca_uri is None else signers(ca_uri))
        if certificate.not_after <= now():
            log.warning("responder certificate has expired", region=code)
    return Responder(keys, view, now) if keys else None


def stapling(
    settings: Settings,
    signers: Callable[[str], Signer],
    view: Callable[[], TrustView | None],
    now: Callable[[], datetime],
) -> Callable[[bytes], bytes] | None:
    """Brings a PDF just sealed to B-LT with this server's own answers, if the settings want it and it can answer."""
    responder = open_responder(settings, signers, view, now) if settings.pdf_level == Level.B_LT.value else None
    if responder is None:
        return None

    def answers(certificate: Certificate, issuer: Certificate) -> Iterable[bytes]:
        return (responder.answer(make_ocsp_request(certificate, issuer)).der,)

    def staple(pdf: bytes) -> bytes:
        try:
            material = Material(_authorities(view()), answers)
            return augment_pdf(pdf, to=Level.B_LT, timestamper=None, material=material, now=now()).data
        except CannotAugment as err:
            log.warning("sealed without validation data", reason=err.why)
            return pdf  # what is sealed is sealed; anybody may add to it later

    return staple


def _authorities(view: TrustView | None) -> tuple[Certificate, ...]:
    lists = () if view is None else view.lists.values()
    return tuple(parse_certificate(e.certificate) for each in lists for e in each.authorities if e.use is KeyUse.CA)
