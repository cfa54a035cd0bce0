"""Transaction data: what the citizen confirms together with a presentation. Known types alone; confirms nothing itself.

Spec: OpenID4VP 1.0 sections 5.1 and 8.4, appendix B.3.3.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from trust_registry.model import Names
from verifier.dcql import DcqlQuery
from wallet_api.openid.plain_words import deceptive
from wallet_api.openid.refusals import Flaw, RequestRefused

MAX_TRANSACTIONS: Final = 8
MAX_SIZE: Final = 8192  # characters of one, encoded
_MAX_WORDS: Final = 1000  # characters that a citizen can be expected to read
_HASHES: Final = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
_COMMON: Final = frozenset({"type", "credential_ids", "transaction_data_hashes_alg"})
CONFIRMATION: Final = "urn:yinxin:transaction:confirmation"
# Type -> the members that it has: a sentence in Chinese, which binds, and in English.
_TYPES: Final[Mapping[str, frozenset[str]]] = {CONFIRMATION: frozenset({"zh", "en"})}


@dataclass(frozen=True, slots=True)
class Transaction:
    """One thing to confirm. `encoded` as received, what is hashed; `words` what the citizen reads.

    `hash_named`: the request named algorithms, so that the answer must say which was used.
    """

    encoded: str
    type: str
    credential_ids: tuple[str, ...]
    algorithm: str
    hash_named: bool
    words: Names

    @property
    def digest(self) -> str:
        """Over the string as it was received, base64url."""
        return b64url_encode(_HASHES[self.algorithm](self.encoded.encode("ascii")).digest()).decode("ascii")


def read_transactions(value: Any, query: DcqlQuery) -> tuple[Transaction, ...]:
    """The `transaction_data` of a request; () where there is none.

    Raises RequestRefused for a single one that is not understood or not fit for the credentials it names.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_TRANSACTIONS:
        raise RequestRefused(Flaw.TRANSACTION)
    read = tuple(_read(each, query) for each in value)
    if len({each.algorithm for each in read}) > 1:  # a key binding names one algorithm (appendix B.3.3.1)
        raise RequestRefused(Flaw.TRANSACTION)
    return read


def _read(encoded: Any, query: DcqlQuery) -> Transaction:
    if not isinstance(encoded, str) or len(encoded) > MAX_SIZE:
        raise RequestRefused(Flaw.TRANSACTION)
    try:
        content = load_json(b64url_decode(encoded.encode("ascii")), max_size=MAX_SIZE)
    except (ValueError, MalformedEnvelope) as err:
        raise RequestRefused(Flaw.TRANSACTION) from err
    kind = content.get("type") if isinstance(content, dict) else None
    members = _TYPES.get(kind) if isinstance(kind, str) else None
    if members is None or not isinstance(kind, str) or set(content) - _COMMON != members:
        raise RequestRefused(Flaw.TRANSACTION)
    ids = content.get("credential_ids")
    asked = {each.id: each for each in query.credentials}
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) and each in asked for each in ids):
        raise RequestRefused(Flaw.TRANSACTION)
    # Only a key binding says what was confirmed: an mdoc's device has no element for it here (appendix B.2.1).
    fit = tuple(each for each in ids if asked[each].format == "dc+sd-jwt")
    if not fit or not all(asked[each].require_holder_binding for each in fit):
        raise RequestRefused(Flaw.TRANSACTION)
    algorithms = content.get("transaction_data_hashes_alg", ["sha-256"])
    chosen = next((a for a in algorithms if a in _HASHES), None) if _texts(algorithms) else None
    words = content["zh"], content["en"]
    if chosen is None or not all(map(_readable, words)):
        raise RequestRefused(Flaw.TRANSACTION)
    return Transaction(encoded, kind, fit, chosen, "transaction_data_hashes_alg" in content, Names(*words))


def _readable(words: Any) -> bool:
    return isinstance(words, str) and len(words) <= _MAX_WORDS and bool(words.strip()) and not deceptive(words)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
