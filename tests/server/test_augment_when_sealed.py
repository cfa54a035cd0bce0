"""Stapling: a PDF carries from the start what this server's own responder says of its seal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keys.algorithms import ES256
from keys.envelopes.pades import Modification, parse_signed_pdf
from keys.envelopes.pades.augmenting import Material, level_of
from keys.envelopes.pades.levels import Level
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile
from server.errors import InvalidSettings
from server.revocation import open_responder, stapling
from server.settings import Settings
from tests.keys.pdf_files import sign
from tests.trust_registry import test_responder as there
from trust_registry.model import EntryReason, EntryStatus, KeyUse, TrustView

TSA_SIGNER = EphemeralSigner.generate(ES256)
TSA_CERTIFICATE = there.REGION.certify(Profile.TIMESTAMP, TSA_SIGNER)
TSA = EmbeddedTimestamper(TSA_SIGNER, TSA_CERTIFICATE, (), lambda: there.NOW)


def sealed() -> bytes:
    return sign(signer=there.SIGNER, certificate=there.SEAL, timestamper=TSA, signed_at=there.NOW)


def view(*history) -> TrustView:
    found = there.view(*history)
    ((code, region_list),) = found.lists.items()
    authorities = (*region_list.authorities, there.entry(KeyUse.TIMESTAMP, TSA_CERTIFICATE))
    return TrustView({code: replace(region_list, authorities=authorities)}, {}, {}, there.NOW, found.expires_at)


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "responders").mkdir()
    (tmp_path / "responders" / "990100.pem").write_bytes(there.RESPONDER_CERTIFICATE.pem())
    return Settings(data=tmp_path, responder_keys={"990100": "file:/responder.key"}, pdf_level="B-LT")


def staple(settings, found):
    return stapling(settings, lambda uri: there.RESPONDER_SIGNER, lambda: found, lambda: there.NOW)


def test_a_sealed_pdf_carries_what_verifying_it_needs(settings):
    pdf = sealed()
    made = staple(settings, view())(pdf)
    assert made.startswith(pdf)
    parsed = parse_signed_pdf(made)
    assert parsed.signatures[0].modification is Modification.LTV
    anchors = Material((there.REGION.ca,), lambda certificate, issuer: ())
    assert level_of(parsed, anchors, there.NOW) is Level.B_LT


def test_what_cannot_be_answered_is_sealed_all_the_same(settings):
    pdf = sealed()
    assert staple(settings, None)(pdf) == pdf  # no list, no answers
    held = there.change(EntryStatus.SUSPENDED, EntryReason.REORGANISATION)
    assert staple(settings, view(held))(pdf) == pdf


def test_nothing_is_stapled_unless_the_settings_say_so(settings):
    assert staple(settings.model_copy(update={"pdf_level": "B-T"}), view()) is None
    assert staple(settings.model_copy(update={"responder_keys": {}}), view()) is None


def test_a_responder_without_its_certificate_or_with_anothers_is_refused_at_the_start(settings, tmp_path):
    def opened(signer):
        return open_responder(settings, lambda uri: signer, lambda: None, lambda: there.NOW)

    assert opened(there.RESPONDER_SIGNER) is not None
    with pytest.raises(InvalidSettings, match="is not the one"):
        opened(there.SIGNER)
    (tmp_path / "responders" / "990100.pem").write_bytes(b"junk")
    with pytest.raises(InvalidSettings, match="no certificate"):
        opened(there.RESPONDER_SIGNER)
