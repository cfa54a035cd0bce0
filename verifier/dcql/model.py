"""What a DCQL query says. No behaviour beyond look-ups; reading one is `parsing`, answering one `matching`.

Spec: OpenID4VP 1.0 section 6; appendices B.2.3, B.2.4 and B.3.5 for what depends on the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SD_JWT_VC: Final = "dc+sd-jwt"
MDOC: Final = "mso_mdoc"

Path = tuple[str | int | None, ...]  # a claims path pointer, section 7: never empty, integers never negative
Value = str | int | bool


class MalformedQuery(Exception):
    """Not a DCQL query: says which member, never what stood there."""


@dataclass(frozen=True, slots=True)
class ClaimsQuery:
    """One claim that is asked for. `values` empty: any value. `id` names it within its credential query, for sets."""

    path: Path
    id: str | None = None
    values: tuple[Value, ...] = ()
    intent_to_retain: bool | None = None  # mdocs only: None makes no statement


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """Who is to stand behind the issuer. `type`: "aki", "etsi_tl", "openid_federation", or one not known here."""

    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """A request for one credential (several, where `multiple`).

    `claims` empty: nothing that can be withheld. `claim_sets` empty: all of `claims`; else one combination of claim
    ids, the preferred first. `trusted_authorities` empty: whoever.
    """

    id: str
    format: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    claims: tuple[ClaimsQuery, ...] = ()
    claim_sets: tuple[tuple[str, ...], ...] = ()
    trusted_authorities: tuple[TrustedAuthority, ...] = ()
    multiple: bool = False
    require_holder_binding: bool = True  # `require_cryptographic_holder_binding`

    @property
    def types(self) -> tuple[str, ...]:
        """The `vct` values, or the one document type, that may answer; empty: of a format not known here."""
        if self.format == SD_JWT_VC:
            return tuple(self.meta.get("vct_values", ()))
        return (self.meta["doctype_value"],) if self.format == MDOC and "doctype_value" in self.meta else ()


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """Combinations of credential query ids, any one of which satisfies the use."""

    options: tuple[tuple[str, ...], ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class DcqlQuery:
    """`credential_sets` empty: all of `credentials` are asked for."""

    credentials: tuple[CredentialQuery, ...]
    credential_sets: tuple[CredentialSet, ...] = ()

    def credential(self, id: str) -> CredentialQuery | None:
        return next((each for each in self.credentials if each.id == id), None)

    @property
    def sets(self) -> tuple[CredentialSet, ...]:
        """The credential sets; without any, one for each credential (section 6.4.2)."""
        return self.credential_sets or tuple(CredentialSet(((each.id,),)) for each in self.credentials)
