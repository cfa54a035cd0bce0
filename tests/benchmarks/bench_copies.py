"""Making one copy for a wallet: cleared, recorded in the embedded database, signed. No HTTP, no protocol.

Counted in what the copy's flow costs in signatures anyway: one made, and two checked (the wallet's proof, its DPoP).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from issuer.copies import WalletCopies
from issuer.copy_rules import COPIES_WITHIN
from issuer.model import HolderKind, RenderingKind
from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.benchmarks.interleaved import times_as_fast
from tests.issuer.office import NUMBER, Office, open_office

_CALLS = 4


@contextmanager
def _office() -> Iterator[Office]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_office(f"sqlite:///{folder}/issuer.db", Path(folder) / "status", list_size=2**17) as office,
    ):
        view = office.view
        office.service.trust = lambda: view  # type: ignore[method-assign]  # that of a real house is made once
        yield office


def run() -> list[tuple[str, float, str]]:
    """(name, the cost of a copy in one signature and two verifications, goal)."""
    signer = EphemeralSigner.generate(ES256)
    signature = signer.sign(b"proof")
    key = signer.public_key
    wallet = [EphemeralSigner.generate(ES256).public_key.jwk()]

    def bare() -> None:
        signer.sign(b"copy")
        for _ in range(2):
            key.verify(signature, b"proof")

    found = []
    with _office() as office:
        certificate_id = office.service.issue(office.request()).summary.certificate_id
        holder = office.service.find_holder(HolderKind.CITIZEN, NUMBER)
        assert holder is not None
        copies = WalletCopies(office.service)
        for kind in (RenderingKind.SD_JWT_VC, RenderingKind.MDOC):

            def one(kind: RenderingKind = kind) -> None:
                office.clock.turn(COPIES_WITHIN / 100 + timedelta(seconds=1))  # so that there are never too many
                copies.make(certificate_id, holder, kind, wallet)

            cost = 1 / times_as_fast(one, bare, rounds=121, calls=_CALLS)
            found.append((f"wallet copy ({kind.value}), in 1 signature + 2 verifications", cost, "reported"))
    return found
