"""From settings to a responder: the keys that answer how regions' certificates stand. Answers nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from keys.errors import KeysError
from keys.signer import Signer
from keys.x509 import parse_pem_certificates
from server.errors import InvalidSettings
from server.observation import log
from server.settings import Settings
from trust_registry.model import RegionCode, TrustView
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
