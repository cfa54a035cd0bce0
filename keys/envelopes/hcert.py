"""Electronic health certificates (HCERT, "HC1:"): reading what health authorities of other networks put into QR codes.

More lenient than `cose`, as that specification asks: a key identifier in either header (the protected one counts), tags
around the message and inside it. One key has one algorithm here, so that where the algorithm stands decides nothing.
Verifies nothing by itself, and knows no schema of what is certified. Makes none.
Spec: Electronic Health Certificate Specification 1.0.8; RFC 8392; RFC 9052 section 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from keys.algorithms import VERIFIED_ONLY, by_cose
from keys.envelopes import cbor
from keys.envelopes.qr_text import decode_qr_text
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.model import Algorithm
from keys.public_key import PublicKey

PREFIX: Final = "HC1:"
_ALG, _CRIT, _KID, _X5CHAIN = 1, 2, 4, 33
_ISS, _EXP, _NBF, _IAT, _HCERT, _DCC = 1, 4, 5, 6, -260, 1
KINDS: Final = ("v", "t", "r")
_LAST_SECOND: Final = 253402300799  # of the year 9999
_MAX_SIGNATURE: Final = 1024
_MAX_CHAIN: Final = 6
_FOREIGN: Final = {algorithm.cose: algorithm for algorithm in VERIFIED_ONLY}


@dataclass(frozen=True, slots=True)
class HealthCertificate:
    """A parsed code, not verified. Times are UTC, as claimed.

    `issuer` is a country (ISO 3166-1 alpha-2) where one is named; some put their own name there. `kid` only selects
    keys to try. `content` is the European certificate (`eu_dcc_v1`). `chain` holds the DER of the certificates that the
    code brings (RFC 9360 `x5chain`, signer first; few do): strangers' words until a path from them leads to somebody
    trusted.
    """

    algorithm: Algorithm
    kid: bytes | None
    issuer: str | None
    issued_at: datetime | None
    expires_at: datetime | None
    content: Mapping[Any, Any]
    signed: bytes
    signature: bytes
    chain: tuple[bytes, ...] = ()
    not_before: datetime | None = None

    @property
    def kind(self) -> str | None:
        """What is certified: "v" vaccinations, "t" tests, "r" recoveries; None unless it is exactly one of these.

        Several of one kind, as the schema's first versions allow, are of that kind.
        """
        found = [kind for kind in KINDS if self.content.get(kind)]
        return found[0] if len(found) == 1 and self.entries(found[0]) else None

    def entries(self, kind: str) -> tuple[Mapping[Any, Any], ...]:
        """What is certified, of one kind; nothing where it is not a list of objects."""
        entries = self.content.get(kind)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            return ()
        return tuple(entries)

    def verified_by(self, spki: bytes) -> bool:
        """Whether the key in `spki` (DER SubjectPublicKeyInfo) made the signature. Never raises on content."""
        key = self._key(spki)
        return key is not None and key.verify(self.signature, self.signed)

    def could_be_by(self, spki: bytes) -> bool:
        """Whether the key in `spki` is one that this algorithm is verified with here: else nothing is known of it."""
        return self._key(spki) is not None

    def _key(self, spki: bytes) -> PublicKey | None:
        try:
            return PublicKey.of_foreign(spki, self.algorithm)
        except AlgorithmNotSupported:
            return None


def parse_health_certificate(text: str) -> HealthCertificate:
    """The health certificate in a QR code's text. Raises MalformedEnvelope."""
    message = cbor.decode_untagged(decode_qr_text(text, PREFIX, plain=False))
    if not isinstance(message, list) or len(message) != 4:
        raise MalformedEnvelope("a COSE_Sign1 is an array of four")
    protected_bytes, unprotected, payload, signature = message
    if not isinstance(unprotected, dict) or not all(
        isinstance(x, bytes) for x in (protected_bytes, payload, signature)
    ):
        raise MalformedEnvelope("not the parts of a COSE_Sign1")
    protected = _map(protected_bytes) if protected_bytes else {}
    if _CRIT in protected or _CRIT in unprotected or len(signature) > _MAX_SIGNATURE:
        raise MalformedEnvelope("the COSE message has critical headers, or no signature of a usual length")
    claims = _map(payload)
    health = claims.get(_HCERT)
    content = health.get(_DCC) if isinstance(health, dict) else None
    if not isinstance(content, dict):
        raise MalformedEnvelope("no health certificate in the CWT")
    return HealthCertificate(
        algorithm=_algorithm(protected.get(_ALG, unprotected.get(_ALG))),
        kid=_kid(protected.get(_KID, unprotected.get(_KID))),
        issuer=_issuer(claims.get(_ISS)),
        issued_at=_instant(claims.get(_IAT)),
        expires_at=_instant(claims.get(_EXP)),
        content=MappingProxyType(content),
        signed=cbor.encode(["Signature1", protected_bytes, b"", payload]),
        signature=signature,
        chain=_chain(protected.get(_X5CHAIN, unprotected.get(_X5CHAIN))),
        not_before=_instant(claims.get(_NBF)),
    )


def _map(data: bytes) -> Mapping[Any, Any]:
    found = cbor.decode_untagged(data)
    if not isinstance(found, dict):
        raise MalformedEnvelope("a map is needed in COSE headers and in the CWT")
    return found


def _algorithm(number: object) -> Algorithm:
    if type(number) is int and number in _FOREIGN:
        return _FOREIGN[number]
    try:
        return by_cose(number)
    except AlgorithmNotSupported as err:
        raise MalformedEnvelope("the COSE algorithm is not supported") from err


def _kid(value: object) -> bytes | None:
    if value is not None and not isinstance(value, bytes):
        raise MalformedEnvelope("the COSE key identifier is not a byte string")
    return value


def _chain(value: object) -> tuple[bytes, ...]:
    """Spec: RFC 9360 section 2, COSE_X509: one certificate, or an array of them."""
    found = [value] if isinstance(value, bytes) else value
    if found is None:
        return ()
    if not isinstance(found, list) or len(found) > _MAX_CHAIN or not all(isinstance(each, bytes) for each in found):
        raise MalformedEnvelope(f"x5chain is not at most {_MAX_CHAIN} certificates")
    return tuple(found)


def _issuer(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise MalformedEnvelope("the issuer is not text")
    return value


def _instant(value: object) -> datetime | None:
    """Spec: RFC 8392 section 2, NumericDate. Beyond the years that there are dates for: the first or the last."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise MalformedEnvelope("a time that is not a number")
    return datetime.fromtimestamp(min(max(value, 0), _LAST_SECOND), UTC)
