"""What a file brings along must not crowd out what the asker knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from keys.envelopes.pades import ValidationData
from keys.revocation import Crl, make_crl
from tests.keys.conftest import make_region
from tests.verifier.small_world import NOW
from tests.verifier.test_pdf import sealed, signature
from verifier.core.material import material_of
from verifier.model import Policy

REGION = make_region()


def crl(at: datetime) -> bytes:
    return make_crl(REGION.signer, REGION.ca, [], number=1, this_update=at, next_update=at + timedelta(days=1))


def test_a_store_full_of_old_lists_leaves_room_for_what_the_asker_brings() -> None:
    old = tuple(crl(NOW - timedelta(days=2, seconds=number)) for number in range(64))
    file = sealed(signature())
    file = replace(file, pdf=replace(file.pdf, validation_data=ValidationData(crls=old)))
    pieces = material_of(file, Policy(revocation=(crl(NOW),))).evidence
    assert max(piece.this_update for piece in pieces if isinstance(piece, Crl)) == NOW.replace(microsecond=0)
