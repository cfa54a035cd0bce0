"""The order of things when somebody asks to be shown a certificate: fetch, verify, look, consent, sign, send, note.

The citizen's browser signs; nothing here could. What was asked is kept sealed for ten minutes and then forgotten.
Spec: OpenID4VP 1.0 sections 5, 8, 10, 14 and 15; HAIP 1.0 section 5.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from keys.algorithms import ALGORITHMS
from keys.envelopes.jwe import ALG, ENCRYPTIONS
from keys.envelopes.strict_json import encode_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey
from keys.x509 import parse_certificate
from trust_registry.edges import HolderId
from trust_registry.model import TrustView
from verifier.dcql import satisfied
from wallet_api.model import CertificateDetail
from wallet_api.openid import answers
from wallet_api.openid.answers import Shown, ToSign
from wallet_api.openid.asked import Asked, ReturnPath, read_asked, read_return_path
from wallet_api.openid.copying import Copying, NeedsKeys
from wallet_api.openid.credentials import WalletCredentials
from wallet_api.openid.matching import ClaimSet, Offer, Option, offer
from wallet_api.openid.outgoing import Answer, NotReached, Outgoing, Unreached
from wallet_api.openid.refusals import (
    AnswerRefused,
    ChoiceNotPossible,
    ConfirmationMissing,
    Flaw,
    KeysMissing,
    RequestAnswered,
    RequestRefused,
    RequestUnknown,
)
from wallet_api.openid.requester import Requester, judge_requester, misuse
from wallet_api.openid.requests import (
    MAX_REQUEST,
    REQUEST_TYPE,
    SIGNED_PREFIXES,
    Link,
    Verified,
    parse_link,
    read_request_object,
    read_unsigned,
)
from wallet_api.openid.store import Pending, PendingRequests, RequestState
from wallet_api.openid.uses import Uses
from wallet_api.ports import Verdicts

_MEDIA: Final = f"application/{REQUEST_TYPE}"
_SIGNED_WITHIN: Final = timedelta(minutes=5)  # from `prepare` to `answer`: verifiers want young key bindings
_MAX_REPLY: Final = 1 << 16
# What certainly kept the answer from leaving: the citizen may try again, and nothing is noted as shown.
_NEVER_LEFT: Final = frozenset(
    {Unreached.NOT_AN_ADDRESS, Unreached.NOT_SECURE, Unreached.PRIVATE, Unreached.UNKNOWN_HOST, Unreached.BUSY}
)
METADATA: Final[Mapping[str, Any]] = {
    "vp_formats_supported": {
        "dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]},
        "mso_mdoc": {"issuerauth_alg_values": [-7, -9], "deviceauth_alg_values": [-7, -9]},
    },
    "client_id_prefixes_supported": [*sorted(SIGNED_PREFIXES), "redirect_uri"],
    "response_types_supported": ["vp_token"],
    "response_modes_supported": ["direct_post", "direct_post.jwt"],
    "request_object_signing_alg_values_supported": sorted(each.jose for each in ALGORITHMS),
    "authorization_encryption_alg_values_supported": [ALG],
    "authorization_encryption_enc_values_supported": list(ENCRYPTIONS),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """For one credential query: the certificate that the citizen chose, and which combination of claims."""

    option: str
    claims: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What the consent page says. `offer` is None once the request was answered or declined."""

    id: str
    state: RequestState
    expires_at: datetime
    asked: Asked | None
    requester: Requester | None
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The other side took the answer. `redirect_uri`: where it wants the browser to go on, http or https."""

    redirect_uri: str | None


class PresentingService:
    """OpenID4VP for the wallet's citizens.

    `certificates` gives a holder's own certificates, `copying` bound copies of them, `uses` notes what was shown,
    `verdicts` (if any) what this house's own counters found of it.
    """

    def __init__(
        self,
        *,
        pending: PendingRequests,
        credentials: WalletCredentials,
        certificates: Callable[[HolderId], Sequence[CertificateDetail]],
        copying: Copying,
        uses: Uses,
        outgoing: Outgoing,
        verdicts: Verdicts | None = None,
        view: Callable[[], TrustView],
        now: Callable[[], datetime],
    ) -> None:
        self._pending = pending
        self._credentials = credentials
        self._certificates = certificates
        self._copying = copying
        self._uses = uses
        self._verdicts = verdicts
        self._outgoing = outgoing
        self._view = view
        self._now = now

    def open(self, holder: HolderId, text: str) -> str:
        """Fetch and verify the request that a scanned text leads to; returns its id. Nothing is shown to anybody.

        Raises RequestRefused, NotReached.
        """
        verified = self._fetch(parse_link(text))
        self._check_use(verified)
        back = read_return_path(verified)
        try:
            read_asked(verified, back)
        except RequestRefused as err:
            if err.flaw.code and verified.certificate is not None:
                self._tell(back, err.flaw.code)
            raise
        content = {
            "client_id": verified.client_id,
            "parameters": dict(verified.parameters),
            "chain": [b64encode(each.der).decode("ascii") for each in verified.chain],
        }
        return self._pending.add(holder, content, self._now())

    def sweep(self) -> None:
        """Forget the requests that nobody answered in time."""
        self._pending.sweep(self._now())

    def look(self, holder: HolderId, request_id: str) -> Preview:
        """The request as the citizen should understand it. Raises RequestUnknown; RequestRefused: who asks may not do
        so any more."""
        found = self._found(holder, request_id)
        if found.content is None:
            return Preview(found.id, found.state, found.expires_at, None, None, None)
        verified, asked = _restored(found.content)
        requester = self._judged(verified, asked)
        offered = offer(asked.query, self._certificates(holder), self._credentials.of(holder), self._view())
        return Preview(found.id, found.state, found.expires_at, asked, requester, offered)

    def prepare(
        self,
        holder: HolderId,
        request_id: str,
        choices: Mapping[str, Choice],
        *,
        keys: Sequence[Mapping[str, Any]],
        thumbprints: Sequence[str],
        confirmed: bool,
    ) -> tuple[ToSign, ...] | NeedsKeys:
        """What this browser's keys have to sign for the choice, or how many new keys it has to make first.

        `thumbprints`: of the keys that the browser has; `keys`: public JWKs of new ones. `confirmed`: the citizen said
        a second time that somebody unregistered, or who asks too much, shall have it.
        Raises RequestUnknown, RequestAnswered, RequestRefused (as `look`), ConfirmationMissing, ChoiceNotPossible,
        KeysMissing.
        """
        preview = self.look(holder, request_id)
        if preview.asked is None or preview.offer is None or preview.requester is None:
            raise RequestAnswered
        if preview.requester.standing.needs_confirmation and not confirmed:
            raise ConfirmationMissing
        chosen = _chosen(preview.asked, preview.offer, choices)
        made = [_public(key) for key in keys]
        options = [option for _, option, _ in chosen]
        found = self._copying.credentials_for(holder, options, made, {*thumbprints, *(k.thumbprint() for k in made)})
        if isinstance(found, NeedsKeys):
            return found
        shown = tuple(
            Shown(query_id, credential, claims.paths)
            for (query_id, _, claims), credential in zip(chosen, found, strict=True)
        )
        now = self._now()
        needed = answers.to_sign(shown, preview.asked, now)
        content = dict(self._content(holder, request_id)) | {"prepared": _prepared(shown, now)}
        if not self._pending.prepare(holder, request_id, content):
            raise RequestAnswered
        return needed

    def answer(self, holder: HolderId, request_id: str, signatures: Sequence[bytes]) -> Answered:
        """Send what was prepared, with the browser's signatures: once.

        Raises RequestUnknown, RequestAnswered, RequestRefused (as `look`), KeysMissing (also: prepared too long ago),
        NotReached, AnswerRefused.
        """
        content = self._content(holder, request_id)
        verified, asked = _restored(content)
        requester = self._judged(verified, asked)
        shown, at = self._prepared(holder, content)
        token = answers.vp_token(shown, asked, at, signatures)
        if not self._pending.take(holder, request_id):
            raise RequestAnswered
        marked = [self._credentials.mark_used(holder, s.credential.id, was=s.credential.used) for s in shown]
        if not all(marked):
            self._pending.give_back(holder, request_id)
            raise KeysMissing
        try:
            reply = self._post(asked.back, answers.response_body(token, asked))
        except NotReached as err:
            if err.reason not in _NEVER_LEFT:
                self._uses.note(holder, request_id, requester, shown, self._now())
            self._pending.give_back(holder, request_id)
            raise
        verdicts = {} if self._verdicts is None else self._verdicts.told(asked.back.response_uri)
        self._uses.note(holder, request_id, requester, shown, self._now(), verdicts)
        self._pending.finish(holder, request_id, RequestState.ANSWERED)
        if reply.status != 200:
            raise AnswerRefused(reply.status)
        return Answered(answers.redirect_in(reply.body))

    def decline(self, holder: HolderId, request_id: str) -> Answered:
        """Say no, and tell who asked (`access_denied`), as far as it can be reached. Raises as `answer` for the id."""
        _, asked = _restored(self._content(holder, request_id))
        if not self._pending.take(holder, request_id):
            raise RequestAnswered
        self._pending.finish(holder, request_id, RequestState.DECLINED)
        reply = self._tell(asked.back, "access_denied")
        return Answered(None if reply is None or reply.status != 200 else answers.redirect_in(reply.body))

    def _fetch(self, link: Link) -> Verified:
        """Spec: sections 5.10 and 14.6."""
        if link.request is not None:
            return read_request_object(link.request, link, self._now())
        if link.request_uri is None:
            return read_unsigned(link)
        if link.prefix not in SIGNED_PREFIXES:
            raise RequestRefused(Flaw.CLIENT_KIND)
        headers, nonce, body = {"Accept": _MEDIA}, None, None
        if link.by_post:
            nonce = secrets.token_urlsafe(24)
            headers["Content-Type"] = answers.FORM
            body = urlencode({"wallet_metadata": encode_json(METADATA), "wallet_nonce": nonce}).encode("ascii")
        method = "POST" if link.by_post else "GET"
        try:
            found = self._outgoing.send(method, link.request_uri, headers=headers, body=body, most=MAX_REQUEST)
        except NotReached as err:
            raise (RequestRefused(Flaw.TOO_LARGE) if err.reason is Unreached.TOO_LARGE else err) from err
        if found.status != 200:
            raise RequestRefused(Flaw.NOT_FOUND)
        if found.media_type not in ((_MEDIA,) if link.by_post else (_MEDIA, "application/jwt")):
            raise RequestRefused(Flaw.NOT_A_REQUEST_OBJECT)
        return read_request_object(found.body, link, self._now(), wallet_nonce=nonce)

    def _check_use(self, request: Verified) -> None:
        if (flaw := misuse(self._view(), request, self._now())) is not None:
            raise RequestRefused(flaw)

    def _judged(self, request: Verified, asked: Asked) -> Requester:
        """Who asks, as the lists say now: between the code and the answer a key may be withdrawn."""
        self._check_use(request)
        return judge_requester(self._view(), request, asked, self._now())

    def _tell(self, back: ReturnPath, error: str) -> Answer | None:
        try:
            return self._post(back, answers.error_body(error, back))
        except NotReached:
            return None  # who asked will see it expire

    def _post(self, back: ReturnPath, body: bytes) -> Answer:
        headers = {"Content-Type": answers.FORM, "Accept": "application/json"}
        return self._outgoing.send("POST", back.response_uri, headers=headers, body=body, most=_MAX_REPLY)

    def _found(self, holder: HolderId, request_id: str) -> Pending:
        found = self._pending.get(holder, request_id, self._now())
        if found is None:
            raise RequestUnknown
        return found

    def _content(self, holder: HolderId, request_id: str) -> Mapping[str, Any]:
        content = self._found(holder, request_id).content
        if content is None:
            raise RequestAnswered
        return content

    def _prepared(self, holder: HolderId, content: Mapping[str, Any]) -> tuple[tuple[Shown, ...], datetime]:
        prepared = content.get("prepared")
        at = datetime.fromisoformat(prepared["at"]) if prepared else None
        if prepared is None or at is None or self._now() - at > _SIGNED_WITHIN:
            raise KeysMissing
        shown = []
        for each in prepared["shown"]:
            credential = self._credentials.get(holder, each["credential"])
            if credential is None or credential.used != each["used"]:
                raise KeysMissing
            shown.append(Shown(each["query"], credential, tuple(tuple(path) for path in each["paths"])))
        return tuple(shown), at


def _restored(content: Mapping[str, Any]) -> tuple[Verified, Asked]:
    """What was verified when it came, read again: signatures and times are not asked a second time."""
    chain = tuple(parse_certificate(b64decode(each)) for each in content["chain"])
    verified = Verified(content["client_id"], content["parameters"], chain[0] if chain else None, chain)
    return verified, read_asked(verified, read_return_path(verified))


def _prepared(shown: Sequence[Shown], at: datetime) -> Mapping[str, Any]:
    return {
        "at": at.isoformat(),
        "shown": [
            {
                "query": each.query_id,
                "credential": each.credential.id,
                "used": each.credential.used,
                "paths": [list(path) for path in each.paths],
            }
            for each in shown
        ],
    }


def _chosen(asked: Asked, offered: Offer, choices: Mapping[str, Choice]) -> list[tuple[str, Option, ClaimSet]]:
    """The options that were chosen, in the query's order. Raises ChoiceNotPossible. Spec: section 6.4.2."""
    found: list[tuple[str, Option, ClaimSet]] = []
    for query_id, each in offered.queries.items():
        if query_id not in choices:
            continue
        choice = choices[query_id]
        option = next((o for o in each.options if o.id == choice.option), None)
        claims = next((c for c in option.claim_sets if c.number == choice.claims), None) if option else None
        if option is None or claims is None:
            raise ChoiceNotPossible
        found.append((query_id, option, claims))
    ids = {query_id for query_id, _, _ in found}
    whole = {id for each in asked.query.sets for ids_ in each.options if ids.issuperset(ids_) for id in ids_}
    confirmable = all(ids.intersection(each.credential_ids) for each in asked.transactions)
    if set(choices) != ids or not ids or not satisfied(asked.query, ids) or whole != ids or not confirmable:
        raise ChoiceNotPossible
    return found


def _public(jwk: Mapping[str, Any]) -> PublicKey:
    try:
        return PublicKey.from_jwk(jwk)
    except (AlgorithmNotSupported, MalformedEnvelope) as err:
        raise KeysMissing from err
