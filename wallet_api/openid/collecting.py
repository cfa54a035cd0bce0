"""Collecting a credential that somebody else issues: offer, look, authorize, prove, check, keep; all of it or nothing.

Keys are the browser's: what they sign is prepared here, and checked when it comes back. Judges no certificate.
Spec: OpenID4VCI 1.0 (wallet), HAIP 1.0 section 4.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from trust_registry.edges import HolderId
from wallet_api.model import CollectedWords
from wallet_api.openid import collecting_steps as steps
from wallet_api.openid.collecting_asking import Asking
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_offer import looked_at, read_told
from wallet_api.openid.collecting_settling import AGAIN, LIFE, Step, of_session, session_of
from wallet_api.openid.collecting_steps import Wanted
from wallet_api.openid.collecting_store import Collection, CollectionState
from wallet_api.openid.credentials import new_id
from wallet_api.openid.held import held_cards, held_words
from wallet_api.openid.issuer_client import Session
from wallet_api.openid.issuer_metadata import Configuration
from wallet_api.openid.kept_keys import DpopKey, InstanceKey
from wallet_api.openid.offers import AUTHORIZATION_CODE, parse_offer, read_link
from wallet_api.openid.outgoing import NotReached

MOST_TRIES: Final = 5  # of a transaction code
MOST_ROUNDS: Final = 3  # of proofs, where nonces run out


class Collector(Asking):
    """What a citizen does with an offer, step by step."""

    # Looking

    def begin(self, holder: HolderId, text: str) -> Collection:
        """Look at an offer: who makes it, and of what. `text`: from a QR code, a link or the clipboard.

        Raises CollectingRefused and NotReached. Nothing is asked for yet.
        """
        self._hit(holder)
        now = self.now()
        self.store.sweep(now)
        value, url = read_link(text)
        raw = value if url is None else self._client.offer(url)
        told = looked_at(self._client, parse_offer(raw), raw, self.view(), origin=self._origin, at=now)
        collection = Collection(new_id(), holder, CollectionState.OFFERED, 0, now, now + LIFE, told)
        self.store.add(collection)
        return collection

    def cards(self, holder: HolderId) -> Mapping[str, Any]:
        """For the list of cards: what was collected, and what its issuers still look at."""
        waiting = []
        for each in self.store.waiting(holder):
            looked = self.look(each)
            waiting.append({"id": each.id, "names": looked.configurations[0].names, "issuer": looked.party.names})
        return {"held": held_cards(self.credentials.of(holder)), "waiting": waiting}

    def words(self, holder: HolderId) -> Mapping[str, CollectedWords]:
        """For the log of uses: what each credential that was collected is called, by its batch."""
        return held_words(self.credentials.of(holder), self.view())

    # Authorizing

    def start(
        self, holder: HolderId, collection_id: str, keys: Sequence[Mapping[str, Any]], tx_code: str | None = None
    ) -> Step:
        """Go on: to the token, or to the issuer's page; then to what the browser signs. May be asked again.

        `keys`: public JWKs of the browser, once. Raises CollectingRefused, IssuerRefused, NotReached.
        """
        collection = self.get(holder, collection_id)
        state = collection.state
        if state in (CollectionState.AUTHORIZED, CollectionState.SIGNING):
            return self._prepare(collection)
        if state not in (CollectionState.OFFERED, CollectionState.AUTHORIZING):
            raise CollectingRefused(Collecting.OUT_OF_ORDER)
        told = {**collection.told, "keys": steps.read_keys(keys)}
        server = read_told(told).server
        told["dpop"] = DpopKey.generate().unsafe_secret() if server.dpop else None
        attested = server.attests and self._client.attester is not None
        told["instance"] = InstanceKey.generate().unsafe_secret() if attested else None
        collection = replace(collection, told=told)
        if told["grant"] == AUTHORIZATION_CODE:
            return self._send_away(collection)
        return self._prepare(self._redeem(collection, tx_code))

    def _redeem(self, collection: Collection, tx_code: str | None) -> Collection:
        looked = read_told(collection.told)
        described = looked.offer.pre_authorized.transaction_code if looked.offer.pre_authorized else None
        if described is not None and not steps.fits(tx_code or "", described):
            raise CollectingRefused(Collecting.TX_CODE_NEEDED)
        code = None if described is None else tx_code
        session = session_of(collection)
        try:
            anonymous = looked.server.anonymous and session.instance is None
            request = steps.pre_authorized_request(looked.offer, None if anonymous else self._client_id, code)
            answer = self._client.token(looked.server, request, session)
        except IssuerRefused as err:
            if err.code in AGAIN:
                raise
            if err.code == "invalid_grant" and code is not None and self._may_try_again(collection):
                raise
            raise self._failed(collection, err) from err
        except CollectingRefused as err:
            raise self._failed(collection, err) from err
        return self._authorized(collection, session, answer)

    def _may_try_again(self, collection: Collection) -> bool:
        tries = collection.told.get("tries", 0) + 1
        if tries >= MOST_TRIES:
            return False
        self._changed(replace(collection, told={**collection.told, "tries": tries}))
        return True

    def _send_away(self, collection: Collection) -> Step:
        looked, session = read_told(collection.told), session_of(collection)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        request = steps.authorization_request(
            looked.offer,
            looked.metadata,
            looked.configurations,
            client_id=self._client_id,
            redirect_uri=self._redirect_uri,
            state=state,
            verifier=verifier,
        )
        server = looked.server
        if server.par_endpoint is not None:
            uri = self._client.push(server, request, session)
            request = {"client_id": self._client_id, "request_uri": uri}
        assert server.authorization_endpoint is not None
        told = {**collection.told, **of_session(session), "verifier": verifier}
        kept = self._changed(replace(collection, state=CollectionState.AUTHORIZING, told=told), state_value=state)
        return Step(kept, redirect=steps.with_query(server.authorization_endpoint, request))

    def returned(self, holder: HolderId, answer: Mapping[str, str]) -> Collection:
        """The citizen is back from the authorization server with `answer`, the query's parameters.

        Raises CollectingRefused, IssuerRefused, NotReached. Spec: RFC 6749 section 4.1.2, RFC 9207 section 2.4.
        """
        found = self.store.by_state(holder, answer.get("state", ""))
        if found is None or found.expires_at <= self.now():
            raise CollectingRefused(Collecting.UNKNOWN)
        collection = self._changed(found)  # from here on, nobody finds it by this `state`
        server, session = read_told(found.told).server, session_of(found)
        named = answer.get("iss")
        if named != server.issuer and (named is not None or server.names_itself):
            raise self._failed(collection, CollectingRefused(Collecting.MIXED_UP))
        if "error" in answer or not answer.get("code"):
            raise self._failed(collection, IssuerRefused(answer.get("error", "invalid_request")[:64]))
        request = {
            "grant_type": AUTHORIZATION_CODE,
            "code": answer["code"],
            "redirect_uri": self._redirect_uri,
            "code_verifier": found.told["verifier"],
            "client_id": self._client_id,
        }
        try:
            token = self._client.token(server, request, session)
        except (IssuerRefused, CollectingRefused, NotReached) as err:
            raise self._failed(collection, err) from err
        return self._authorized(collection, session, token)

    def _authorized(self, collection: Collection, session: Session, token: Mapping[str, Any]) -> Collection:
        try:
            wanted = steps.wanted_by(token, read_told(collection.told).configurations)
        except CollectingRefused as err:
            raise self._failed(collection, err) from err
        refresh = token.get("refresh_token")
        told = {
            **collection.told,
            **of_session(session),
            "refresh": refresh if isinstance(refresh, str) else None,
            "wanted": [[each.configuration, each.identifier] for each in wanted],
        }
        return self._changed(replace(collection, state=CollectionState.AUTHORIZED, told=told))

    # Proving

    def _prepare(self, collection: Collection) -> Step:
        """Fresh nonces, and what the browser signs with which key."""
        looked, session, keys = read_told(collection.told), session_of(collection), collection.told["keys"]
        wanted = collection.told["wanted"][: len(keys)]
        each = min(looked.metadata.batch, len(keys) // len(wanted))
        unused, proofs = list(keys), []
        client_id = self._client_id if collection.told["grant"] == AUTHORIZATION_CODE else None
        try:
            for configuration, identifier in wanted:
                nonce = self._client.nonce(looked.metadata, session)
                mine, unused = unused[:each], unused[each:]
                attestation = self._attestation(looked.by_id(configuration), [keys[name] for name in mine], nonce)
                inputs = {
                    name: steps.proof_input(
                        keys[name],
                        audience=looked.offer.issuer,
                        nonce=nonce,
                        client_id=client_id,
                        at=self.now(),
                        attestation=attestation,
                    )
                    for name in mine
                }
                proofs.append([configuration, identifier, inputs])
        except (IssuerRefused, CollectingRefused) as err:
            raise self._failed(collection, err) from err
        told = {**collection.told, "nonces": session.nonces, "proofs": proofs}
        kept = self._changed(replace(collection, state=CollectionState.SIGNING, told=told))
        to_sign = (steps.to_sign(name, text) for _, _, inputs in proofs for name, text in inputs.items())
        return Step(kept, to_sign=tuple(to_sign))

    def _attestation(
        self, configuration: Configuration, keys: Sequence[Mapping[str, str]], nonce: str | None
    ) -> str | None:
        """One for all keys of a request (HAIP 1.0), where the issuer wants one."""
        if not configuration.attested:
            return None
        if self._client.attester is None:  # no longer
            raise CollectingRefused(Collecting.NOTHING_TO_KEEP)
        return self._client.attester.keys(keys, nonce, self.now())

    def finish(self, holder: HolderId, collection_id: str, signatures: Mapping[str, str]) -> Step:
        """Ask for the credentials with the browser's signatures (base64url, by thumbprint), check and keep them.

        The step asks to sign once more when the issuer's nonces have run out. Raises as `start`.
        """
        collection = self.get(holder, collection_id)
        if collection.state is not CollectionState.SIGNING:
            raise CollectingRefused(Collecting.OUT_OF_ORDER)
        keys = collection.told["keys"]
        requests = [
            (
                Wanted(configuration, identifier),
                {n: steps.signed_proof(text, signatures.get(n), keys[n]) for n, text in inputs.items()},
            )
            for configuration, identifier, inputs in collection.told["proofs"]
        ]
        rounds = collection.told.get("rounds", 0) + 1
        told = {**collection.told, "rounds": rounds}
        collection = self._changed(replace(collection, state=CollectionState.ASKING, told=told))
        try:
            return self._ask(collection, requests)
        except IssuerRefused as err:
            if err.code == "invalid_nonce" and rounds < MOST_ROUNDS:
                return self._prepare(collection)
            if err.code in AGAIN:
                self._changed(replace(collection, state=CollectionState.AUTHORIZED))
                raise
            raise self._failed(collection, err) from err
        except NotReached:
            self._changed(replace(collection, state=CollectionState.AUTHORIZED))
            raise
        except CollectingRefused as err:
            raise self._failed(collection, err) from err
