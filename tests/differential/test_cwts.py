"""COSE_Sign1: our envelope against python-cwt's."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keys.envelopes.cose import parse_cose_sign1
from keys.errors import MalformedEnvelope
from tests.differential.comparing import Difference, Explained, assert_explained, compared
from tests.differential.cwts import KID, KINDS, SIGNER
from tests.peers import HOW, Peer, installed

CASES: Final = 4500
WE, THEY = Difference.WE_ACCEPT, Difference.THEY_ACCEPT

ALG = "RFC 9052 section 3.1: the algorithm is the protected header's; theirs is the key's, whatever the header says."
WELL_FORMED = "RFC 8949 section 5.3: a decoder of untrusted data refuses duplicate keys and what is not of the item."

CWT: Final[Explained] = {
    "a label twice": (THEY, f"RFC 9052 section 3. {WELL_FORMED}"),
    "a protected header that is no map": (THEY, "RFC 9052 section 3: the protected header is a map."),
    "alg ES384": (THEY, ALG),
    "alg HS256": (THEY, ALG),
    "alg as text": (THEY, f"Algorithms are registered by number. {ALG}"),
    "alg in both headers": (THEY, "RFC 9052 section 3: a label occurs in one of the two headers only."),
    "alg in both headers, different": (THEY, "RFC 9052 section 3: a label occurs in one of the two headers only."),
    "alg unprotected": (THEY, ALG),
    "an array of open length": (
        THEY,
        "RFC 9052 section 9 lets a profile ask for definite lengths; one form is signed.",
    ),
    "an empty protected header": (THEY, ALG),
    "bytes after the end": (THEY, WELL_FORMED),
    "bytes after the protected map": (THEY, WELL_FORMED),
    "crit empty": (THEY, "RFC 9052 section 3.1: crit has at least one label."),
    "crit unprotected": (THEY, "RFC 9052 section 3.1: crit stands in the protected header."),
    "crit with an unknown label": (THEY, "RFC 9052 section 3.1: a critical label that is not understood is an error."),
    "kid of another key": (WE, "RFC 9052 section 3.1: kid is a hint; which key to try is the caller's choice here."),
    "no alg": (THEY, ALG),
    "no tag": (WE, "RFC 9052 section 2: the tag may be left out where the type is known otherwise."),
}


def cases() -> Iterator[tuple[str, bytes]]:
    random, kinds = Random(3), list(KINDS)
    for number in range(CASES):
        kind = kinds[number % len(kinds)] if number % 4 else "honest"
        yield kind, KINDS[kind](random)


def ours(data: bytes) -> Any:
    try:
        found = parse_cose_sign1(data)
    except MalformedEnvelope:
        return None
    return found.payload.hex() if found.verified_by(SIGNER.public_key) else None


@pytest.mark.interop
@pytest.mark.skipif(not installed(), reason=HOW)
def test_python_cwt_agrees_or_the_table_says_why() -> None:
    key = load_der_public_key(SIGNER.public_key.spki)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with Peer("cwt_script.py") as peer:
        peer.ask(what="key", pem=pem, kid=KID.hex())

        def theirs(data: bytes) -> Any:
            answer = peer.ask(what="holds", cose=data.hex())
            return answer["payload"] if answer["holds"] else None

        assert_explained(compared(cases(), ours, theirs), CWT, CASES)
