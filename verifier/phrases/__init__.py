"""The sentences: finding code -> what it means and what to do, zh and en. Data only; `verifier.messages` fills them in.

Written for a clerk who knows documents and no cryptography: the fact first, then the one thing to do. Names in braces
are the finding's facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.archives import ARCHIVE
from verifier.phrases.documents import DOCUMENT
from verifier.phrases.health import HEALTH
from verifier.phrases.mdocs import MDOC
from verifier.phrases.presented import PRESENTED
from verifier.phrases.revocation import FOREIGN
from verifier.phrases.rules import RULES
from verifier.phrases.sealing import ENTITLEMENT, FORMAT, INTEGRITY, PATH, TIME
from verifier.phrases.standing import FRESHNESS, HOLDER, RECEIPT, RECOGNITION, STATUS, VALIDITY
from verifier.phrases.words import Phrase

GROUPS: Final = (
    FORMAT,
    INTEGRITY,
    DOCUMENT,
    PATH,
    FOREIGN,
    ENTITLEMENT,
    TIME,
    STATUS,
    VALIDITY,
    RECOGNITION,
    RULES,
    HOLDER,
    FRESHNESS,
    RECEIPT,
    HEALTH,
    MDOC,
    PRESENTED,
    ARCHIVE,
)
PHRASES: Final[Mapping[str, Phrase]] = {code: phrase for group in GROUPS for code, phrase in group.items()}

__all__ = ["GROUPS", "PHRASES", "Phrase"]
