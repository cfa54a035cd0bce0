"""Presentation requests, in order: begin, let a wallet fetch and answer, judge, tell the browser that began.

Reads no clock and draws nothing but tokens; words nothing. Whoever began a request is known by `browser`: a text that
only that browser's session has. Spec: OpenID4VP 1.0 sections 5, 8, 13.3 and 14; OpenID4VC HAIP 1.0 section 5.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlencode

from keys.envelopes.jwe import AgreementKey
from trust_registry.edges import Principal
from trust_registry.model import RegionCode, RelyingPartyId, ScenarioId
from verifier.dcql.model import SD_JWT_VC
from verifier.errors import InvalidRequest, RequestNotFound, RequestsNotOffered
from verifier.openid4vp.access import AccessKey, may_ask
from verifier.openid4vp.errors import ProtocolRefusal, invalid
from verifier.openid4vp.judging import judge_answer
from verifier.openid4vp.model import (
    Answer,
    Begun,
    BegunInBrowser,
    ClientIdPrefix,
    PresentationRequest,
    Progress,
    RequestState,
    ResponseMode,
    Terms,
    TransactionData,
)
from verifier.openid4vp.query import FORMATS, query_for
from verifier.openid4vp.registration import Registrars, nobody, registration_jwt
from verifier.openid4vp.request_objects import (
    DC_API_PROTOCOL,
    NOTHING_SAID,
    SCHEMES,
    Asking,
    client_id_of,
    encode_transaction_data,
    host_of,
    key_of,
    request_object,
    request_uri,
)
from verifier.openid4vp.responses import Response, decrypted, read_members, read_response
from verifier.openid4vp.store import RequestStore, digest_of_token
from verifier.service import VerifierService, registered

REQUESTS: Final = "/openid4vp/requests"
RESPONSES: Final = "/openid4vp/responses"
RETURNS: Final = "/counter/requests"  # the page of a request, where a wallet on the same device sends its user back
_TOKEN_BYTES: Final = 32
_NOTHING: Final[tuple[TransactionData, ...]] = ()


class Requests:
    """What the counter's pages and the protocol's routes are given.

    `origin`: of the addresses that wallets get; `public_url`: where the counter's own pages are. `keys`: by relying
    party. `list_uri`: where a region's signed list is published. `registrars`: the regions' own keys, where they are.
    """

    def __init__(
        self,
        *,
        verifier: VerifierService,
        store: RequestStore,
        keys: Mapping[RelyingPartyId, AccessKey],
        origin: str,
        public_url: str,
        list_uri: Callable[[RegionCode], str],
        now: Callable[[], datetime],
        registrars: Registrars = nobody,
    ) -> None:
        self._verifier = verifier
        self._store = store
        self._keys = dict(keys)
        self._origin = origin.rstrip("/")
        self._public_url = public_url.rstrip("/")
        self._list_uri = list_uri
        self._now = now
        self._registrars = registrars

    @property
    def verifier(self) -> VerifierService:
        """Who judges the answers; the pages take trust data and receipts from it."""
        return self._verifier

    def offered(self, party: RelyingPartyId | None) -> bool:
        """Whether this house can ask wallets for that relying party."""
        return party in self._keys

    def begin(
        self,
        principal: Principal,
        scenario_id: ScenarioId,
        *,
        browser: str,
        prefix: ClientIdPrefix = ClientIdPrefix.X509_HASH,
        mode: ResponseMode = ResponseMode.DIRECT_POST_JWT,
        same_device: bool = False,
        transaction_data: Sequence[TransactionData] = _NOTHING,
    ) -> Begun:
        """A request for everything that the scenario needs; durable on return.

        `same_device`: the answer is shown only to the browser that comes back with what the wallet was told. With
        transaction data only SD-JWT VCs are asked for. Raises: RequestsNotOffered; InvalidRequest (the scenario).
        """
        if mode is ResponseMode.DC_API_JWT:
            raise ValueError("requests through the browser's API begin with begin_dc_api")
        request = self._new(principal, scenario_id, browser, prefix, mode, transaction_data, same_device=same_device)
        token = token_urlsafe(_TOKEN_BYTES)
        self._store.add(request, token)
        uri = request_uri(SCHEMES[0], request.terms.client_id, f"{self._origin}{REQUESTS}/{token}")
        return Begun(request.id, uri, uri, request.expires_at)

    def begin_dc_api(
        self,
        principal: Principal,
        scenario_id: ScenarioId,
        *,
        browser: str,
        transaction_data: Sequence[TransactionData] = _NOTHING,
    ) -> BegunInBrowser:
        """The same through the Digital Credentials API of the browser that shows our own pages. Raises as `begin`.

        Spec: appendix A.
        """
        mode, prefix = ResponseMode.DC_API_JWT, ClientIdPrefix.X509_HASH
        request = self._new(principal, scenario_id, browser, prefix, mode, transaction_data, same_device=False)
        self._store.add(request, token_urlsafe(_TOKEN_BYTES))
        signed = self._signed(request, NOTHING_SAID)
        return BegunInBrowser(request.id, DC_API_PROTOCOL, {"request": signed}, request.expires_at)

    def fetch(self, token: str, asking: Asking = NOTHING_SAID) -> str:
        """The signed request object, for whoever has its URI, while it waits. Raises: ProtocolRefusal."""
        request = self._store.by_request_token(token)
        if request is None or not request.open_at(self._now()) or request.relying_party not in self._keys:
            raise invalid("no such request, or its time is over", status=404)
        signed = self._signed(request, asking)
        if request.state is RequestState.WAITING:
            self._store.fetched(request.id)
        return signed

    def answer(self, token: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Take a wallet's response, once. What the wallet is told, as JSON. Raises: ProtocolRefusal.

        A response that OpenID4VP itself has rejected (not bound to this request, altered, not what was asked for) is
        refused to the wallet and told to the counter: the request is used up. One that cannot be read uses up nothing.
        """
        request = self._open(self._store.by_response_token(token))
        key = key_of(request.terms)
        response = read_response(fields, request.terms, key)
        code = token_urlsafe(_TOKEN_BYTES) if request.terms.same_device else None
        rejected = self._keep(request, response, key, code=code)
        back = None if code is None else self._redirect(request, code)
        if rejected:
            description = "a presentation is altered, not bound to this request, or not what was asked for"
            raise ProtocolRefusal("invalid_request", description, redirect_uri=back)
        return {} if back is None else {"redirect_uri": back}

    def finish_dc_api(self, id: str, browser: str, origin: str, data: Mapping[str, Any]) -> Progress:
        """Take what `navigator.credentials.get` gave to a page of `origin`, once. Raises: RequestNotFound,
        ProtocolRefusal. Spec: appendix A.4."""
        request = self._open(self._own(id, browser))
        terms, key = request.terms, key_of(request.terms)
        if terms.mode is not ResponseMode.DC_API_JWT or origin not in terms.origins or key is None:
            raise invalid("the response is not for a page of this origin")
        if "error" in data:
            response = read_members({"error": data["error"]}, terms)
        elif isinstance(data.get("response"), str):
            response = read_members(decrypted(data["response"], key), terms)
        else:
            raise invalid("the response is to be encrypted, in the member response")
        self._keep(request, response, key, origin=origin)
        return self.look(id, browser)

    def look(self, id: str, browser: str, response_code: str | None = None) -> Progress:
        """How it stands, for the browser that began it; with the verdicts once it is answered.

        On the same device the verdicts are for whoever comes back with the `response_code` alone; until then it goes
        on waiting. Raises: RequestNotFound; InvalidRequest when the scenario is not listed any more.
        """
        request = self._own(id, browser)
        answer = request.answer
        if answer is None or not _came_back(request, response_code):
            state = RequestState.FETCHED if answer is not None else request.state
            over = self._now() >= request.expires_at
            return Progress(RequestState.EXPIRED if over else state, request.expires_at)
        if answer.error is not None:
            return Progress(request.state, request.expires_at, error=answer.error)
        key = key_of(request.terms)
        judged = judge_answer(self._verifier, request, answer, self._response_uri(request), key)
        return Progress(request.state, request.expires_at, judged.verdicts, judged.missing)

    def presentations(self, id: str, browser: str, response_code: str | None = None) -> tuple[str, ...]:
        """The texts that were presented, in the order of the verdicts: for receipts and case files. Raises:
        RequestNotFound."""
        request = self._own(id, browser)
        if request.answer is None or not _came_back(request, response_code):
            raise RequestNotFound
        found = request.answer.presentations
        return tuple(text for each in request.terms.query.credentials for text in found.get(each.id, ()))

    def told(self, response_uri: str) -> dict[str, str]:
        """The verdicts on what came to that address, "PASSED", "FAILED" or "INDETERMINATE", by credential query id: for
        whoever sent it there. Empty when it is no address of this house's, or nothing came.
        """
        origin, _, token = response_uri.partition(f"{RESPONSES}/")
        request = self._store.by_response_token(token) if origin == self._origin else None
        if request is None or request.answer is None or request.answer.error is not None:
            return {}
        try:
            judged = judge_answer(self._verifier, request, request.answer, response_uri, key_of(request.terms))
        except InvalidRequest:  # the scenario is not listed any more
            return {}
        return {each.query_id: each.report.indication.value for each in judged.verdicts}

    def erase(self) -> None:
        """Erase what is over: for a task that runs from time to time."""
        self._store.erase(self._now())

    def _new(  # noqa: PLR0917
        self,
        principal: Principal,
        scenario_id: ScenarioId,
        browser: str,
        prefix: ClientIdPrefix,
        mode: ResponseMode,
        transaction_data: Sequence[TransactionData],
        *,
        same_device: bool,
    ) -> PresentationRequest:
        party, view, now = principal.relying_party_id, self._verifier.trust, self._now()
        key = None if party is None else self._keys.get(party)
        client_id = None if key is None else client_id_of(prefix, key.certificate, host_of(self._origin))
        if party is None or view is None or key is None or client_id is None:
            raise RequestsNotOffered(party or "")
        if not may_ask(view, party, key, now):
            raise RequestsNotOffered(party)
        scenario = view.scenarios.get(scenario_id)
        if scenario is None or not registered(view, party, scenario):
            raise InvalidRequest("scenario", "this relying party is not registered for it")
        asked = query_for(view, scenario, now, formats=(SD_JWT_VC,) if transaction_data else FORMATS)
        ids = [each.id for each in asked.query.credentials]
        terms = Terms(
            client_id,
            prefix,
            mode,
            nonce=token_urlsafe(_TOKEN_BYTES),
            state=token_urlsafe(_TOKEN_BYTES),
            response_token=token_urlsafe(_TOKEN_BYTES),
            secret=AgreementKey.generate().unsafe_secret() if mode.encrypted else None,
            query=asked.query,
            types=asked.types,
            transaction_data=tuple(encode_transaction_data(each, ids) for each in transaction_data),
            origins=(self._public_url,) if mode is ResponseMode.DC_API_JWT else (),
            same_device=same_device,
        )
        waiting, digest = RequestState.WAITING, digest_of_token(browser)
        return PresentationRequest(token_urlsafe(16), party, scenario_id, waiting, now, terms, browser=digest)

    def _signed(self, request: PresentationRequest, asking: Asking) -> str:
        region, now = RegionCode(request.relying_party.partition("/")[0]), self._now()
        key, list_uri = self._keys[request.relying_party], self._list_uri(region)
        view, registrar = self._verifier.trust, self._registrars(region, now)
        registered = None
        if view is not None and registrar is not None:
            registered = registration_jwt(view, request, key.certificate, registrar, list_uri=list_uri, at=now)
        return request_object(
            request,
            key,
            response_uri=self._response_uri(request),
            list_uri=list_uri,
            at=now,
            asking=asking,
            registered=registered,
        )

    def _response_uri(self, request: PresentationRequest) -> str:
        return f"{self._origin}{RESPONSES}/{request.terms.response_token}"

    def _redirect(self, request: PresentationRequest, code: str) -> str:
        return f"{self._public_url}{RETURNS}/{request.id}?" + urlencode({"response_code": code})

    def _open(self, request: PresentationRequest | None) -> PresentationRequest:
        if request is None:
            raise invalid("no such request, or its time is over", status=404)
        if request.answer is not None:
            raise invalid("the request was answered already")
        if not request.open_at(self._now()):
            raise invalid("the request's time is over")
        return request

    def _own(self, id: str, browser: str) -> PresentationRequest:
        request = self._store.by_id(id)
        if request is None or not hmac.compare_digest(request.browser, digest_of_token(browser)):
            raise RequestNotFound
        return request

    def _keep(
        self,
        request: PresentationRequest,
        response: Response,
        key: AgreementKey | None,
        *,
        origin: str | None = None,
        code: str | None = None,
    ) -> bool:
        """Judge, then keep the answer; whether the specification has it rejected. Raises: ProtocolRefusal when another
        answer was first."""
        answer = Answer(self._now(), response.presentations, response.error, origin)
        rejected = False
        if answer.error is None:
            try:
                judged = judge_answer(self._verifier, request, answer, self._response_uri(request), key)
            except InvalidRequest:
                raise invalid("the request is not offered any more") from None
            rejected = judged.rejected
        if not self._store.answered(request.id, answer, code):
            raise invalid("the request was answered already")
        return rejected


def _came_back(request: PresentationRequest, response_code: str | None) -> bool:
    """Spec: sections 13.3 and 14.2."""
    if not request.terms.same_device:
        return True
    if response_code is None or request.response_code is None:
        return False
    return hmac.compare_digest(request.response_code, digest_of_token(response_code))
