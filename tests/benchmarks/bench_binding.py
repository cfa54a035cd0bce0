"""An SD-JWT VC with key binding, text to report, against two bare ES256 verifications: the seal's and the holder's.

The seal's key is at hand on both sides. Every holder is a new one, as at a counter, so a verifier of two signatures
has to load the holder's key, too: the second row counts that to the bare side, the first one does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keys.algorithms import ES256
from keys.envelopes.sd_jwt import bind_key, select_disclosures
from keys.signer import EphemeralSigner, ecdsa_der
from tests.benchmarks.interleaved import times_as_fast
from tests.verifier.small_world import NOW, SEALED, TRANSFER, WEST, SmallWorld, attestation, sd_jwt, signer
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import ExpectedBinding, Indication, Policy

HOLDERS = 4200  # more than keys are remembered: each holder's is loaded anew, from the coordinates in `cnf`
SHOWN = frozenset({"holder_name", "spouse_name", "registered_on"})


def _presentation(holder: EphemeralSigner, number: int) -> str:
    issued_at = SEALED + timedelta(seconds=number)
    made = replace(attestation(issued_at=issued_at, valid_from=issued_at), holder_key=holder.public_key.jwk())
    return bind_key(select_disclosures(sd_jwt(made), SHOWN), signer=holder, nonce="n-1", audience="hall", issued_at=NOW)


def run() -> list[tuple[str, float, str]]:
    """(name, our time as a multiple of two bare verifications', goal)."""
    world = SmallWorld()
    view, statuses = world.view(), world.statuses()
    holders = [EphemeralSigner.generate(ES256) for _ in range(HOLDERS)]
    shown = cycle([_presentation(holder, number) for number, holder in enumerate(holders)])
    policy = Policy(WEST, view.scenarios[TRANSFER], ExpectedBinding("n-1", "hall"))

    def ours() -> None:
        if judge(parse(next(shown)), view, statuses, policy, NOW).indication is not Indication.PASSED:
            raise AssertionError("the benchmark's own presentation does not pass")

    ours()
    return [
        (
            "SD-JWT VC with key binding, text to report / two bare verifications",
            1 / times_as_fast(ours, _bare(holders[0], loading=False), rounds=1001, calls=4),
            "<= 1.60",
        ),
        (
            "  the same / two bare ones and loading the holder's key",
            1 / times_as_fast(ours, _bare(holders[0], loading=True), rounds=1001, calls=4),
            "<= 1.60",
        ),
    ]


def _bare(holder: EphemeralSigner, *, loading: bool) -> Callable[[], None]:
    data, scheme = bytes(1000), ec.ECDSA(hashes.SHA256())
    keys, signatures = [], []
    for each in (signer("seal"), holder):
        key = load_der_public_key(each.public_key.spki)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        keys.append(key)
        signatures.append(ecdsa_der(each.sign(data)))
    spki = holder.public_key.spki

    def bare() -> None:
        keys[0].verify(signatures[0], data, scheme)
        second = load_der_public_key(spki) if loading else keys[1]
        second.verify(signatures[1], data, scheme)  # type: ignore[union-attr, call-arg, arg-type]

    return bare
