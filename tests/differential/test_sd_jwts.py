"""SD-JWTs: our envelope against the package of the RFC's authors, our evidence against openvc-core's SD-JWT VC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest

from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.errors import MalformedEnvelope
from tests.differential.comparing import Difference, Explained, assert_explained, compared
from tests.differential.sd_jwts import ISSUER, SPOILINGS, honest
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Credential

CASES: Final = 4500
KEY: Final = ISSUER.public_key
WE, THEY = Difference.WE_ACCEPT, Difference.THEY_ACCEPT
UNREFERENCED = "RFC 9901 section 7.1 step 5: a disclosure that no digest refers to is to be rejected."
JSON_ONLY = "RFC 8259 knows no such value; what one reader takes for a number, another takes for none."
TWICE = "RFC 7515 section 4 lets a parser refuse or take the last; what two readers read differently is refused."
SALT = "RFC 9901 section 4.2.1: the salt is a string."

SD_JWT: Final[Explained] = {
    "NaN": (THEY, JSON_ONLY),
    "_sd that holds a number": (THEY, "RFC 9901 section 7.1 step 3.a: the elements of _sd are strings."),
    "_sd that is text": (THEY, "RFC 9901 section 7.1 step 3.a: _sd refers to an array."),
    "_sd_alg another": (WE, "The package knows no SHA-512; without disclosures there is nothing to disagree about."),
    "_sd_alg within": (THEY, "RFC 9901 section 4.1.1: _sd_alg stands at the top level and nowhere else."),
    "a disclosure altered": (THEY, UNREFERENCED),
    "a disclosure left out": (THEY, f"Of a nested claim whose inner disclosures stayed. {UNREFERENCED}"),
    "a disclosure named ...": (THEY, "RFC 9901 section 7.1 step 3.c.ii.3: reject a claim name of _sd or ..."),
    "a disclosure named _sd": (THEY, "RFC 9901 section 7.1 step 3.c.ii.3: reject a claim name of _sd or ..."),
    "a disclosure named by a number": (THEY, "RFC 9901 section 4.2.1: the claim name is a string."),
    "a disclosure that nothing declares": (THEY, UNREFERENCED),
    "a member twice": (THEY, TWICE),
    "a salt that is a number": (THEY, SALT),
    "crit empty": (THEY, "RFC 7515 section 4.1.11: crit is not to be empty."),
    "disclosures with padding": (THEY, "RFC 7515 section 2: base64url without padding; the digest is of other text."),
    "more beside ... in an array": (THEY, "RFC 9901 section 7.1 step 3.d: the object has ... and no other key."),
    "the last tilde left out": (THEY, "RFC 9901 section 4: without key binding the last character is a tilde."),
}
OPENVC: Final[Explained] = {
    "NaN": (THEY, JSON_ONLY),
    "_sd_alg within": (THEY, "RFC 9901 section 4.1.1: _sd_alg stands at the top level and nowhere else."),
    "a member twice": (THEY, TWICE),
    "a salt that is a number": (THEY, SALT),
    "an empty disclosure": (THEY, "RFC 9901 section 4: between two tildes stands a disclosure."),
}


def cases(seed: int) -> Iterator[tuple[str, str]]:
    random, kinds = Random(seed), list(SPOILINGS)
    for number in range(CASES):
        kind = kinds[number % len(kinds)] if number % 4 else "honest"
        yield kind, SPOILINGS[kind](random, honest(random))


def envelope(text: str) -> Any:
    try:
        found = parse_sd_jwt(text)
    except MalformedEnvelope:
        return None
    return dict(found.claims) if found.jws.verified_by(KEY) else None


def evidence(text: str) -> Any:
    try:
        found = parse(text)
    except MalformedEvidence:
        return None
    assert isinstance(found, Credential)
    return dict(found.sd_jwt.claims) if found.sd_jwt.jws.verified_by(KEY) else None


@pytest.mark.interop
def test_the_authors_package_agrees_or_the_table_says_why() -> None:
    jwk = pytest.importorskip("jwcrypto.jwk", reason="jwcrypto is not installed: pip install sd-jwt")
    verifier = pytest.importorskip("sd_jwt.verifier", reason="sd-jwt is not installed: pip install sd-jwt")
    key = jwk.JWK.from_json(json.dumps(KEY.jwk()))

    def theirs(text: str) -> Any:
        try:
            return verifier.SDJWTVerifier(text, lambda *_: key).get_verified_payload()
        except Exception:  # it raises what it stumbles over
            return None

    assert_explained(compared(cases(1), envelope, theirs), SD_JWT, CASES)


@pytest.mark.interop
def test_openvc_agrees_or_the_table_says_why() -> None:
    suite = pytest.importorskip("openvc.proof.sd_jwt", reason="openvc-core is not installed").SdJwtVcProofSuite()

    def theirs(text: str) -> Any:
        try:
            return suite.verify(text, public_key_jwk=KEY.jwk(), check_temporal=False).claims
        except Exception:  # one of many errors, and what Python raises
            return None

    assert_explained(compared(cases(2), evidence, theirs), OPENVC, CASES)
