"""The settings of an OpenID Connect provider for people, a part of `server.settings`. Asks no provider anything."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from trust_registry.edges import Role


class OidcSettings(BaseModel):
    """An OpenID Connect provider for people. Claims may be nested names, parts joined by dots."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(description="Issuer URL; discovery is read from <issuer>/.well-known/openid-configuration.")
    client_id: str = Field(description="Client id registered at the provider.")
    client_secret: SecretStr | None = Field(
        None, description="Client secret; none for a public client (PKCE is always used)."
    )
    name: str = Field("OpenID", description="What the button on the sign-in page calls the provider.")
    scopes: str = Field("openid profile", description="Scopes asked for, separated by spaces.")
    roles_claim: str = Field("roles", description="Claim of the id token that holds roles (a text or a list).")
    role_map: Mapping[str, Role] = Field(
        default_factory=lambda: {role.value: role for role in Role},
        description="Provider's role name -> our role; unmapped names give nothing.",
    )
    region_claim: str = Field("yinxin_region", description="Claim with the region code of an officer or clerk.")
    issuer_claim: str = Field("yinxin_issuer", description="Claim with the issuing clerk's issuer id.")
    relying_party_claim: str = Field(
        "yinxin_relying_party", description="Claim with the counter clerk's relying party id."
    )
    identity_number_claim: str = Field(
        "identity_number", description="Claim with the citizen's identity number; only its keyed hash is used."
    )

    @field_validator("issuer")
    @classmethod
    def _secure(cls, value: str) -> str:
        if not value.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
            raise ValueError("must start with https:// (http:// only on this machine)")
        return value
