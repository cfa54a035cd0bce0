"""What is redeemed for tokens: pre-authorized codes, authorization codes, refresh tokens.

Codes work once, and so do refresh tokens that no key is bound to. An authorization code or such a token that comes
again ends what came of it, for one of the two is a thief. A pre-authorized code does not: it stood in a QR code, and
whoever photographed that must not be able to take the certificate away.
Spec: OpenID4VCI 1.0 section 6, RFC 6749 sections 4.1.3, 5 and 6, RFC 7636 section 4.6, RFC 9449 sections 5 and 10.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NoReturn

from issuer.openid4vci.attestation import ANONYMOUS, Client
from issuer.openid4vci.dpop import Proofs
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import Dataset, Tenant
from issuer.openid4vci.offers import PRE_AUTHORIZED, Offers
from issuer.openid4vci.requested import DETAIL_TYPE, Asked, read_asked
from issuer.openid4vci.store import REFRESH, OpenidStore, Row, unpack_datasets
from issuer.openid4vci.tokens import NewTokens, Tokens, digest_of
from keys.envelopes.base64url import b64url_encode
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId

GRANT_TYPES: Final = ("authorization_code", PRE_AUTHORIZED, "refresh_token")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a token request: the client, and the key that a DPoP proof was made with."""

    client: Client
    key: str | None


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Answers token requests of all tenants. Safe for threads."""

    store: OpenidStore
    offers: Offers
    tokens: Tokens
    proofs: Proofs
    now: Callable[[], datetime]

    def answer(self, tenant: Tenant, form: Form, dpop: str | None, client: Client = ANONYMOUS) -> dict[str, Any]:
        """The token response. `client`: as it authenticated itself. Raises ProtocolRefusal."""
        redeem = self._grants().get(form.get("grant_type", ""))
        if redeem is None:
            error = "unsupported_grant_type" if "grant_type" in form else "invalid_request"
            raise ProtocolRefusal(error, "grant_type is missing, or none of those announced")
        key = None if dpop is None else self.proofs.check(dpop, "POST", f"{tenant.identifier}/token")
        return redeem(tenant, form, Sender(client, key))

    def _grants(self) -> dict[str, Callable[[Tenant, Form, Sender], dict[str, Any]]]:
        return dict(zip(GRANT_TYPES, (self._code, self._pre_authorized, self._refresh), strict=True))

    def _pre_authorized(self, tenant: Tenant, form: Form, sender: Sender) -> dict[str, Any]:
        code, pin = _needed(form, "pre-authorized_code"), form.get("tx_code")
        row = self.store.offer_of_code(digest_of(code))
        if row is None or row["issuer_id"] != tenant.issuer_id or row["grant_type"] != PRE_AUTHORIZED:
            raise _invalid_grant("the pre-authorized code is unknown")
        if not self.offers.is_open(row):
            raise _invalid_grant("the pre-authorized code was used, has expired or was withdrawn")
        if (row["pin"] is None) != (pin is None):
            raise ProtocolRefusal("invalid_request", f"tx_code is {'not expected' if pin else 'needed'}")
        asked = read_asked(form, tenant)
        datasets = _narrowed(_new_datasets(row["configurations"].split(" "), row["certificate_id"]), asked)
        if pin is not None and not self.offers.pin_holds(row, pin):
            raise _invalid_grant("tx_code is wrong")
        grant = self.tokens.new_grant(
            tenant,
            HolderId(row["holder_id"]),
            datasets,
            sender.client,
            approved=row["approved"],
            by_identifier=bool(asked.details),
        )
        made = self._new(grant["id"], sender, asked, grant["expires_at"])
        if not self.store.take_offer(row["id"], grant, made.rows):
            raise _invalid_grant("the pre-authorized code was used")
        return _response(made, datasets, asked, sender)

    def _code(self, tenant: Tenant, form: Form, sender: Sender) -> dict[str, Any]:
        code, verifier, redirect = (_needed(form, name) for name in ("code", "code_verifier", "redirect_uri"))
        client_id = sender.client.client_id or _needed(form, "client_id")
        row = self.store.code(digest_of(code))
        if row is None or row["issuer_id"] != tenant.issuer_id or row["client_id"] != client_id:
            raise _invalid_grant("the code is unknown, or another client's")
        if row["redirect_uri"] != redirect:
            raise _invalid_grant("redirect_uri is not that of the request")
        if not challenge_met(row["challenge"], verifier):
            raise _invalid_grant("code_verifier does not fit")
        _check_bound(row, sender)
        if row["used"]:  # by now it is somebody who could have been the first; who could not ends nothing
            self._replayed(row["grant_id"])
        if row["expires_at"] <= self.now():
            raise _invalid_grant("the code has expired")
        asked = read_asked(form, tenant)
        datasets = _narrowed(unpack_datasets(row["datasets"]), asked)
        if row["by_identifier"]:  # asked for by details before, so these are told (section 6.2)
            asked = Asked(asked.details or _configurations(datasets), asked.scopes)
        made = self._new(row["grant_id"], sender, asked, row["grant_ends"], datasets=datasets)
        if not self.store.use_code(digest_of(code), made.rows):
            self._replayed(row["grant_id"])
        return _response(made, datasets, asked, sender, row["scope"])

    def _refresh(self, tenant: Tenant, form: Form, sender: Sender) -> dict[str, Any]:
        token = _needed(form, "refresh_token")
        row = self.store.token(digest_of(token), REFRESH)
        now = self.now()
        if row is None or row["issuer_id"] != tenant.issuer_id or row["revoked"] or row["expires_at"] <= now:
            raise _invalid_grant("the refresh token is unknown, expired or revoked")
        client_id = sender.client.client_id or form.get("client_id")
        if client_id is not None and row["client_id"] not in (None, client_id):
            raise _invalid_grant("the refresh token is another client's")
        _check_bound(row, sender)
        if row["used"]:
            self._replayed(row["grant_id"])
        asked = read_asked(form, tenant)
        datasets = _narrowed(unpack_datasets(row["all_datasets"]), asked)
        if row["by_identifier"]:
            asked = Asked(asked.details or _configurations(datasets), asked.scopes)
        if row["key_thumbprint"] is not None:  # nobody else can use it: it stays (FAPI 2.0 section 5.3.2.1)
            made = self._new(row["grant_id"], sender, asked, row["grant_ends"], datasets=datasets, refresh=token)
            self.store.add_tokens(made.rows)
            return _response(made, datasets, asked, sender)
        made = self._new(row["grant_id"], sender, asked, row["grant_ends"], datasets=datasets)
        if not self.store.rotate(digest_of(token), made.rows):
            self._replayed(row["grant_id"])
        return _response(made, datasets, asked, sender)

    def _new(
        self,
        grant_id: str,
        sender: Sender,
        asked: Asked,
        until: datetime,
        *,
        datasets: Sequence[Dataset] | None = None,
        refresh: str | None = None,
    ) -> NewTokens:
        details = bool(asked.details)
        return self.tokens.new(
            grant_id, sender.key, by_identifier=details, datasets=datasets, until=until, refresh=refresh
        )

    def _replayed(self, grant_id: str) -> NoReturn:
        """RFC 6749 section 4.1.2: what came of a code that is used again should be revoked."""
        self.tokens.revoke(grant_id)
        raise _invalid_grant("this was used before")


def challenge_met(challenge: str, verifier: str) -> bool:
    """Whether S256 of `verifier` is `challenge`. Spec: RFC 7636 sections 4.1 and 4.6."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    computed = b64url_encode(sha256(verifier.encode("ascii")).digest())
    return hmac.compare_digest(computed, challenge.encode("utf-8"))


def _check_bound(row: Row, sender: Sender) -> None:
    """The sender must hold the keys that the request before was made with."""
    if row["client_key"] is not None and row["client_key"] != sender.client.key_thumbprint:
        raise ProtocolRefusal("invalid_client", "the wallet attestation of the request before is needed", status=401)
    if row["key_thumbprint"] is not None and sender.key is None:
        raise ProtocolRefusal("invalid_dpop_proof", "the header DPoP is missing")
    if row["key_thumbprint"] not in (None, sender.key):
        raise _invalid_grant("the DPoP proof is by another key")


def _new_datasets(configurations: Iterable[str], certificate_id: str) -> tuple[Dataset, ...]:
    """One for each configuration: a credential_identifier says by itself what is to be issued."""
    return tuple(Dataset(secrets.token_urlsafe(12), CertificateId(certificate_id), (each,)) for each in configurations)


def _configurations(datasets: Iterable[Dataset]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in datasets for name in each.configurations))


def _narrowed(datasets: tuple[Dataset, ...], asked: Asked) -> tuple[Dataset, ...]:
    """Those that are asked for; all, when nothing is. Raises ProtocolRefusal when more is asked for than there is."""
    there = _configurations(datasets)
    if any(name not in there for name in asked.details):
        raise ProtocolRefusal("invalid_authorization_details", "more is asked for than was granted")
    if asked.scopes and not set(asked.scopes).intersection(there):
        raise ProtocolRefusal("invalid_scope", "the scope was not granted")
    wanted = set(asked.configurations) or set(there)
    return tuple(each for each in datasets if wanted.intersection(each.configurations))


def _needed(form: Form, name: str) -> str:
    if name not in form:
        raise ProtocolRefusal("invalid_request", f"{name} is missing")
    return form[name]


def _response(
    made: NewTokens, datasets: Sequence[Dataset], asked: Asked, sender: Sender, scope: str | None = None
) -> dict[str, Any]:
    response: dict[str, Any] = {
        "access_token": made.access,
        "token_type": "Bearer" if sender.key is None else "DPoP",
        "expires_in": made.seconds,
        "refresh_token": made.refresh,
    }
    if asked.details:
        response["authorization_details"] = [
            {
                "type": DETAIL_TYPE,
                "credential_configuration_id": name,
                "credential_identifiers": [each.identifier for each in datasets if name in each.configurations],
            }
            for name in _configurations(datasets)
        ]
    if asked.scopes or scope is not None:
        response["scope"] = " ".join(asked.scopes) or scope
    return response


def _invalid_grant(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_grant", description)
