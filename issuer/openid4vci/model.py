"""The nouns that the authorization server and the credential endpoint share.

A tenant is one office's credential issuer. A credential configuration is a certificate type in one format. A dataset
is a certificate that a holder has here; a grant is what an access token stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from issuer.model import RenderingKind
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import CertificateType, IssuerEntry, IssuerId, TypeId

FORMATS: Final = {RenderingKind.SD_JWT_VC: "dc+sd-jwt", RenderingKind.MDOC: "mso_mdoc"}


@dataclass(frozen=True, slots=True)
class CredentialConfiguration:
    """A certificate type in one format. `id` is its scope value, too (HAIP 1.0, "Issuer Metadata")."""

    type: CertificateType
    kind: RenderingKind  # SD_JWT_VC or MDOC

    @property
    def id(self) -> str:
        return configuration_id(self.type.id, self.kind)

    @property
    def format(self) -> str:
        return FORMATS[self.kind]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One office as credential issuer and authorization server. `identifier` is its URL, without a slash at the end."""

    entry: IssuerEntry
    identifier: str
    configurations: tuple[CredentialConfiguration, ...]

    @property
    def issuer_id(self) -> IssuerId:
        return self.entry.id

    def configuration(self, id: str) -> CredentialConfiguration | None:
        return next((each for each in self.configurations if each.id == id), None)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A certificate that a wallet may collect. `identifier` is the `credential_identifier`: it names nobody.

    Where identifiers are returned (`Grant.by_identifier`), each stands for one configuration: one dataset per form.
    """

    identifier: str
    certificate_id: CertificateId
    configurations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid access token permits, at one issuer.

    `approved`: a clerk handed it out, so that nothing waits for another. `key_thumbprint`: the DPoP key (RFC 9449).
    `by_identifier`: the token response returned `credential_identifiers`, so that credential requests must use them.
    """

    id: str
    issuer_id: IssuerId
    holder_id: HolderId
    datasets: tuple[Dataset, ...]
    approved: bool
    client_id: str | None
    key_thumbprint: str | None
    expires_at: datetime
    by_identifier: bool = False


def configuration_id(type_id: TypeId, kind: RenderingKind) -> str:
    """ "common.marriage-certificate.sd_jwt_vc": no character that a scope or a form would have to escape."""
    return f"{type_id.replace('/', '.')}.{kind.value}"
