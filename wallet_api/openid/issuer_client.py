"""The requests that collecting makes, of an issuer and its authorization server. Decides nothing, keeps nothing.

DPoP (RFC 9449) where the server knows it, with the nonces that servers ask for; the wallet's attestation (annex E)
where there is a provider and the server knows that. Spec: OpenID4VCI 1.0, HAIP 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from keys.certificate import Certificate
from keys.envelopes.jwe import AgreementKey, decrypt_jwe, encrypt_jwe
from keys.envelopes.strict_json import encode_json, load_json
from keys.errors import KeysError
from wallet_api.openid.attesting import ATTESTATION_HEADER, CHALLENGE_HEADER, POP_HEADER, Attester
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused, IssuerRefused
from wallet_api.openid.issuer_metadata import (
    IssuerMetadata,
    ServerMetadata,
    open_signed_metadata,
    read_object,
    well_known,
)
from wallet_api.openid.kept_keys import DpopKey, InstanceKey
from wallet_api.openid.offers import MAX_OFFER, read_json
from wallet_api.openid.outgoing import Answer, Outgoing

MAX_CREDENTIALS: Final = 4 << 20  # bytes of one response
_JSON: Final = "application/json"
_CODE: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_NONCE: Final = re.compile(r"[\x21-\x7e]{1,1024}")
_CHALLENGED: Final = re.compile(r'error="?([a-z_]{1,64})"?')


@dataclass
class Session:
    """What one collection carries from request to request. `nonces`: DPoP nonces by origin. `token` None: none yet.

    `instance`: the key that the wallet's provider attests; None where it need not. `challenge`: for its next proof.
    """

    dpop: DpopKey | None
    nonces: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    dpop_token: bool = False
    instance: InstanceKey | None = None
    challenge: str | None = None


class IssuerClient:
    """Over the wallet's one way out. Every method raises NotReached, CollectingRefused and IssuerRefused."""

    def __init__(
        self,
        outgoing: Outgoing,
        now: Callable[[], datetime],
        *,
        client_id: str = "",
        attester: Attester | None = None,
    ) -> None:
        self._outgoing, self._now = outgoing, now
        self._client_id, self.attester = client_id, attester

    def offer(self, url: str) -> Any:
        """The offer's JSON value at `credential_offer_uri`. Spec: section 4.1.3."""
        answer = self._outgoing.send("GET", url, headers={"Accept": _JSON}, most=MAX_OFFER)
        if answer.status != 200 or answer.media_type != _JSON:
            raise CollectingRefused(Collecting.OFFER_GONE)
        return read_json(answer.body)

    def issuer(
        self, identifier: str, known: Callable[[Certificate], bool]
    ) -> tuple[dict[str, Any], Certificate | None]:
        """The issuer's metadata; with its signer where that is one that is `known`. Spec: section 12.2.2.

        Signed metadata of somebody unknown is set aside, and the plain form asked for.
        """
        url = well_known(identifier, "openid-credential-issuer")
        answer = self._metadata(url, f"application/jwt, {_JSON};q=0.9")
        if answer.media_type == "application/jwt":
            claims, signer = open_signed_metadata(answer.body.strip(), identifier, at=self._now())
            if known(signer):
                return claims, signer
            answer = self._metadata(url, _JSON)
        if answer.media_type != _JSON:
            raise CollectingRefused(Collecting.METADATA_UNREADABLE)
        return read_object(answer.body), None

    def server(self, identifier: str) -> dict[str, Any]:
        """The authorization server's metadata. Spec: RFC 8414 section 3."""
        answer = self._metadata(well_known(identifier, "oauth-authorization-server"), _JSON)
        if answer.media_type != _JSON:
            raise CollectingRefused(Collecting.METADATA_UNREADABLE)
        return read_object(answer.body)

    def _metadata(self, url: str, accept: str) -> Answer:
        answer = self._outgoing.send("GET", url, headers={"Accept": accept})
        if answer.status != 200:
            raise CollectingRefused(Collecting.METADATA_UNREADABLE)
        return answer

    def push(self, server: ServerMetadata, parameters: Mapping[str, str], session: Session) -> str:
        """The `request_uri` of a pushed authorization request. Spec: RFC 9126 section 2."""
        assert server.par_endpoint is not None
        answer = self._form(server, server.par_endpoint, parameters, session)
        found = self._object(answer, 200, 201).get("request_uri")
        if not isinstance(found, str) or not found:
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        return found

    def token(self, server: ServerMetadata, parameters: Mapping[str, str], session: Session) -> dict[str, Any]:
        """The token response; its access token is in the session then. Spec: section 6, RFC 6749 section 5.1."""
        found = self._object(self._form(server, server.token_endpoint, parameters, session), 200)
        token, kind = found.get("access_token"), found.get("token_type")
        if not isinstance(token, str) or not _NONCE.fullmatch(token[:1024]) or not token.isascii():
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        if not isinstance(kind, str) or kind.lower() not in ("bearer", "dpop"):
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        session.token, session.dpop_token = token, kind.lower() == "dpop"
        if session.dpop_token and session.dpop is None:
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        return found

    def nonce(self, metadata: IssuerMetadata, session: Session) -> str | None:
        """A fresh `c_nonce`; None where the issuer has no nonce endpoint. Spec: section 7."""
        if metadata.nonce_endpoint is None:
            return None
        answer = self._outgoing.send("POST", metadata.nonce_endpoint, headers={"Accept": _JSON}, body=b"")
        self._remember(metadata.nonce_endpoint, answer, session)
        found = self._object(answer, *range(200, 300)).get("c_nonce")
        if not isinstance(found, str) or not 1 <= len(found) <= 4096:
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        return found

    def ask(
        self, url: str, request: Mapping[str, Any], metadata: IssuerMetadata, session: Session
    ) -> tuple[int, dict[str, Any]]:
        """200 or 202 and what came, of the credential endpoint or the deferred one; decrypted where it must be.

        Spec: sections 8, 9 and 10.
        """
        content, key = dict(request), None
        if metadata.response_enc is not None:
            key = AgreementKey.generate()
            content["credential_response_encryption"] = {
                "jwk": key.encryption_jwk("response"),
                "enc": metadata.response_enc,
            }
        text, kind = encode_json(content).encode(), _JSON
        if (encryption := metadata.request_encryption) is not None:
            try:
                text, kind = encrypt_jwe(text, encryption.jwk, enc=encryption.enc).encode(), "application/jwt"
            except KeysError as err:
                raise CollectingRefused(Collecting.ENCRYPTION_UNKNOWN) from err
        answer = self._authorized(url, text, kind, session)
        if answer.status not in (200, 202):
            raise _refusal(answer)
        if key is None:
            return answer.status, self._object(answer, 200, 202)
        if answer.media_type != "application/jwt":  # section 10: what had to be encrypted and was not
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        try:
            plain = decrypt_jwe(answer.body.strip(), key, max_size=MAX_CREDENTIALS)[1]
        except KeysError as err:
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE) from err
        return answer.status, _load(plain)

    def notify(self, metadata: IssuerMetadata, notification_id: str, event: str, session: Session) -> bool:
        """Tell how it ended; whether the issuer took note. Spec: section 11."""
        if metadata.notification_endpoint is None:
            return False
        text = encode_json({"notification_id": notification_id, "event": event}).encode()
        return 200 <= self._authorized(metadata.notification_endpoint, text, _JSON, session).status < 300

    def _form(self, server: ServerMetadata, url: str, parameters: Mapping[str, str], session: Session) -> Answer:
        """To an authorization server: with the wallet's attestation, where the session has a key for it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": _JSON}
        attested: Callable[[], dict[str, str]] = dict
        if session.instance is not None:
            self._challenged(server, session)
            attested = partial(self._attestation, server.issuer, session, session.instance)
        return self._proven(url, urlencode(dict(parameters)).encode(), headers, session, token=None, more=attested)

    def _challenged(self, server: ServerMetadata, session: Session) -> None:
        """Ask for a challenge where the server has an endpoint for it and told none yet (draft 07, section 8)."""
        if session.challenge is None and server.challenge_endpoint is not None:
            answer = self._outgoing.send("POST", server.challenge_endpoint, headers={"Accept": _JSON}, body=b"")
            found = self._object(answer, *range(200, 300)).get("attestation_challenge")
            if not isinstance(found, str) or not _NONCE.fullmatch(found):
                raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
            session.challenge = found

    def _attestation(self, audience: str, session: Session, key: InstanceKey) -> dict[str, str]:
        """The two headers, made for one request. Spec: OpenID4VCI 1.0 annex E, HAIP 1.0 section 4.4.1."""
        assert self.attester is not None
        at = self._now()
        return {
            ATTESTATION_HEADER: self.attester.wallet(key.public_key, self._client_id, at),
            POP_HEADER: key.possession(self._client_id, audience, at, challenge=session.challenge),
        }

    def _authorized(self, url: str, body: bytes, kind: str, session: Session) -> Answer:
        assert session.token is not None
        scheme = "DPoP" if session.dpop_token else "Bearer"
        headers = {
            "Content-Type": kind,
            "Accept": f"{_JSON}, application/jwt",
            "Authorization": f"{scheme} {session.token}",
        }
        if not session.dpop_token:
            return self._outgoing.send("POST", url, headers=headers, body=body, most=MAX_CREDENTIALS)
        return self._proven(url, body, headers, session, token=session.token)

    def _proven(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        session: Session,
        *,
        token: str | None,
        more: Callable[[], dict[str, str]] = dict,
    ) -> Answer:
        """POST with a DPoP proof; once more with the nonce that the server asks for (RFC 9449 sections 8 and 9), and
        with the challenge (draft 07, section 8). `more`: headers made anew each time."""
        curable = {"use_dpop_nonce"} if session.dpop is not None else set()
        curable |= {"use_attestation_challenge"} if session.instance is not None else set()
        while True:
            sent = {**headers, **more()}
            if session.dpop is not None:
                nonce = session.nonces.get(_origin(url))
                sent["DPoP"] = session.dpop.proof("POST", url, self._now(), nonce=nonce, token=token)
            answer = self._outgoing.send("POST", url, headers=sent, body=body, most=MAX_CREDENTIALS)
            fresh = self._remember(url, answer, session)
            error = _error(answer)
            if error not in fresh & curable:
                return answer
            curable.discard(error)  # each of them once

    @staticmethod
    def _remember(url: str, answer: Answer, session: Session) -> frozenset[str | None]:
        """Keep what the next proof needs; the errors that this cures."""
        cured = set()
        nonce, challenge = (answer.headers.get(name) for name in ("dpop-nonce", CHALLENGE_HEADER))
        if nonce is not None and _NONCE.fullmatch(nonce):
            session.nonces[_origin(url)] = nonce
            cured.add("use_dpop_nonce")
        if challenge is not None and _NONCE.fullmatch(challenge):
            session.challenge = challenge
            cured.add("use_attestation_challenge")
        return frozenset(cured)

    @staticmethod
    def _object(answer: Answer, *statuses: int) -> dict[str, Any]:
        if answer.status not in statuses:
            raise _refusal(answer)
        if answer.media_type != _JSON:
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        return _load(answer.body)


def _load(body: bytes) -> dict[str, Any]:
    try:
        found = load_json(body, max_size=MAX_CREDENTIALS)
    except KeysError as err:
        raise CollectingRefused(Collecting.ANSWER_UNREADABLE) from err
    if not isinstance(found, dict):
        raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
    return found


def _error(answer: Answer) -> str | None:
    """The error code of an answer: in its JSON, or in its challenge (RFC 6750 section 3)."""
    if answer.status < 400:
        return None
    try:
        found = load_json(answer.body, max_size=1 << 16)
    except KeysError:
        found = None
    code = found.get("error") if isinstance(found, dict) else None
    if isinstance(code, str) and _CODE.fullmatch(code):
        return code
    challenged = _CHALLENGED.search(answer.headers.get("www-authenticate", ""))
    return None if challenged is None else challenged[1]


def _refusal(answer: Answer) -> Exception:
    code = _error(answer)
    if code is not None:
        return IssuerRefused(code)
    if answer.status == 401:
        return IssuerRefused("invalid_token")
    if answer.status >= 500 or answer.status == 429:
        return IssuerRefused("temporarily_unavailable")
    return CollectingRefused(Collecting.ANSWER_UNREADABLE)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
