"""Printed-QR verification in the library, text in, report out, against a bare ES256 verification with a cached key."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keys.signer import ecdsa_der
from tests.benchmarks.interleaved import times_as_fast
from tests.verifier.small_world import NOW, SEALED, TRANSFER, WEST, SmallWorld, attestation, qr, signer
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Indication, Policy

CODES = 64  # different certificates, as at a counter


def run() -> list[tuple[str, float, str]]:
    """(name, rate as a share of one bare verification's, goal)."""
    world = SmallWorld()
    view, statuses = world.view(), world.statuses()
    texts = [qr(attestation(issued_at=SEALED.replace(second=n % 60, minute=n // 60))) for n in range(CODES)]
    bare_key = load_der_public_key(signer("seal").public_key.spki)
    assert isinstance(bare_key, ec.EllipticCurvePublicKey)
    data, scheme = bytes(300), ec.ECDSA(hashes.SHA256())
    signature = ecdsa_der(signer("seal").sign(data))

    def bare() -> None:
        bare_key.verify(signature, data, scheme)

    def verifying(policy: Policy) -> Callable[[], None]:
        following = cycle(texts)

        def verify_next() -> None:
            if judge(parse(next(following)), view, statuses, policy, NOW).indication is not Indication.PASSED:
                raise AssertionError("the benchmark's own code does not pass")

        return verify_next

    simple = times_as_fast(verifying(Policy()), bare, rounds=2001, calls=4)
    recognised = times_as_fast(verifying(Policy(WEST, view.scenarios[TRANSFER])), bare, rounds=2001, calls=4)
    return [
        ("printed QR, text to report, share of a bare ES256 verification's rate", simple, ">= 0.65"),
        ("  the same with recognition for a scenario", recognised, ">= 0.65"),
    ]
