"""Access and refresh tokens: made when something is redeemed, looked up when they are used.

256 random bits each, kept as SHA-256. What may be redeemed for them is the token endpoint's business
(`issuer.openid4vci.token_endpoint`). Spec: RFC 6749 sections 5 and 6, RFC 6750, RFC 9449 section 7.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from issuer.openid4vci.attestation import Client
from issuer.openid4vci.dpop import ALGORITHM_NAMES, Proofs
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import Dataset, Grant, Tenant
from issuer.openid4vci.store import ACCESS, REFRESH, OpenidStore, Row, pack_datasets, unpack_datasets
from trust_registry.edges import HolderId
from trust_registry.model import IssuerId

BOUND_LIFE: Final = timedelta(hours=1)
BEARER_LIFE: Final = timedelta(minutes=5)  # OpenID4VCI 1.0 section 13.10: no longer, unless sender-constrained
GRANT_LIFE: Final = timedelta(days=365)  # how long a wallet may come back for a fresh copy
_ALGORITHMS: Final = " ".join(ALGORITHM_NAMES)
_MAX_TOKEN: Final = 512


@dataclass(frozen=True, slots=True)
class NewTokens:
    """Tokens that work once their rows are kept."""

    access: str
    refresh: str
    seconds: int  # how long the access token works
    rows: tuple[Row, ...]


class Tokens:
    """Tokens of all tenants. Safe for threads."""

    def __init__(self, store: OpenidStore, proofs: Proofs, now: Callable[[], datetime]) -> None:
        self._store = store
        self._proofs = proofs
        self._now = now

    def authorise(self, tenant: Tenant, authorization: str | None, dpop: str | None, method: str, url: str) -> Grant:
        """What the access token in `authorization` (the header's value) permits at `tenant`.

        `dpop`: the header's value, `url`: where the request went, as clients see it. Raises ProtocolRefusal (401, with
        WWW-Authenticate): invalid_token, invalid_dpop_proof, use_dpop_nonce. Spec: RFC 6750 section 3.1, RFC 9449
        sections 7.1 and 7.2.
        """
        scheme, token = _credentials(authorization)
        row = self._store.token(digest_of(token), ACCESS)
        now = self._now()
        if row is None or row["issuer_id"] != tenant.issuer_id or row["revoked"] or row["expires_at"] <= now:
            raise _not_authorised("the access token is unknown, expired or revoked", scheme)
        bound = row["key_thumbprint"]
        if (bound is None) != (scheme == "bearer"):
            raise _not_authorised("the access token is of the other type", scheme)
        if bound is not None:
            self._check_possession(token, dpop, method, url, bound)
        return Grant(
            id=row["grant_id"],
            issuer_id=IssuerId(row["issuer_id"]),
            holder_id=HolderId(row["holder_id"]),
            datasets=unpack_datasets(row["datasets"] or row["all_datasets"]),
            approved=row["approved"],
            client_id=row["client_id"],
            key_thumbprint=bound,
            expires_at=row["expires_at"],
            by_identifier=row["by_identifier"],
        )

    def dpop_nonce(self) -> str:
        """A nonce for the header DPoP-Nonce of any answer (RFC 9449 section 8.2)."""
        return self._proofs.nonce()

    def revoke(self, grant_id: str) -> None:
        """End a grant: none of its tokens works from now on."""
        self._store.revoke(grant_id)

    def new(
        self,
        grant_id: str,
        key: str | None,
        *,
        by_identifier: bool,
        datasets: Sequence[Dataset] | None,
        until: datetime,
        refresh: str | None = None,
    ) -> NewTokens:
        """An access and a refresh token, bound to `key` when there is one. `until`: when the grant ends. `datasets`:
        what the access token is for, where that is less than its grant. `refresh`: the refresh token that goes on.
        """
        access, renewing = secrets.token_urlsafe(32), refresh or secrets.token_urlsafe(32)
        shared = {"grant_id": grant_id, "key_thumbprint": key, "by_identifier": by_identifier, "used": False}
        packed = None if datasets is None else pack_datasets(datasets)
        now = self._now()
        ends = min(now + (BEARER_LIFE if key is None else BOUND_LIFE), until)
        row: Row = {**shared, "digest": digest_of(access), "kind": ACCESS, "datasets": packed, "expires_at": ends}
        rows = [row]
        if refresh is None:
            rows.append(
                {**shared, "digest": digest_of(renewing), "kind": REFRESH, "datasets": None, "expires_at": until}
            )
        return NewTokens(access, renewing, int((ends - now).total_seconds()), tuple(rows))

    def new_grant(
        self,
        tenant: Tenant,
        holder_id: HolderId,
        datasets: Sequence[Dataset],
        client: Client,
        *,
        approved: bool,
        by_identifier: bool,
    ) -> dict[str, Any]:
        """The row of a grant that lasts a year."""
        return {
            "id": secrets.token_urlsafe(16),
            "issuer_id": tenant.issuer_id,
            "holder_id": holder_id,
            "client_id": client.client_id,
            "client_key": client.key_thumbprint,
            "datasets": pack_datasets(datasets),
            "approved": approved,
            "by_identifier": by_identifier,
            "revoked": False,
            "expires_at": self._now() + GRANT_LIFE,
        }

    def _check_possession(self, token: str, dpop: str | None, method: str, url: str, bound: str) -> None:
        if dpop is None:
            raise _not_authorised("the header DPoP is missing", "dpop", "invalid_dpop_proof")
        try:
            proven = self._proofs.check(dpop, method, url, token)
        except ProtocolRefusal as err:
            raise _not_authorised(err.description, "dpop", err.error, err.headers.get("DPoP-Nonce")) from err
        if not secrets.compare_digest(proven, bound):
            raise _not_authorised("the proof is by another key than the token's", "dpop")


def digest_of(secret: str) -> bytes:
    """As what a token or code stands in the database."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _credentials(authorization: str | None) -> tuple[str, str]:
    """The scheme, in small letters, and the token."""
    scheme, _, token = (authorization or "").partition(" ")
    scheme, token = scheme.lower(), token.strip()
    if scheme not in ("bearer", "dpop") or not token or len(token) > _MAX_TOKEN:
        # Nothing usable was presented: RFC 6750 section 3.1 wants no error code in the header then.
        headers = {"WWW-Authenticate": f'DPoP algs="{_ALGORITHMS}", Bearer'}
        raise ProtocolRefusal("invalid_token", "an access token is needed", status=401, headers=headers)
    return scheme, token


def _not_authorised(
    description: str, scheme: str, error: str = "invalid_token", nonce: str | None = None
) -> ProtocolRefusal:
    told = f'error="{error}", error_description="{description}"'
    challenge = f"Bearer {told}" if scheme == "bearer" else f'DPoP {told}, algs="{_ALGORITHMS}"'
    headers = {"WWW-Authenticate": challenge} | ({} if nonce is None else {"DPoP-Nonce": nonce})
    return ProtocolRefusal(error, description, status=401, headers=headers)
