"""Asking an issuer for credentials, at once or when they are ready; and keeping them, checked. All of it or nothing.

Spec: OpenID4VCI 1.0 sections 8, 9 and 11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from trust_registry.edges import HolderId
from wallet_api.openid import collecting_steps as steps
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_offer import read_told
from wallet_api.openid.collecting_settling import AGAIN, Settling, Step, of_session, session_of
from wallet_api.openid.collecting_steps import Wanted
from wallet_api.openid.collecting_store import Collection, CollectionState
from wallet_api.openid.credentials import WalletCredential, new_id
from wallet_api.openid.keeping import kept_credential
from wallet_api.openid.offers import PRE_AUTHORIZED
from wallet_api.openid.outgoing import NotReached
from wallet_api.openid.received import check_received


class Asking(Settling):
    """The part of collecting that has an access token."""

    def _ask(self, collection: Collection, requests: Sequence[tuple[Wanted, Mapping[str, str]]]) -> Step:
        looked, session = read_told(collection.told), session_of(collection)
        found: list[WalletCredential] = []
        waiting: list[dict[str, Any]] = []
        notifications: list[str] = []
        try:
            for wanted, proofs in requests:
                sent = tuple(proofs.values())
                if looked.by_id(wanted.configuration).attested:
                    # Every key has signed; the attestation in the first proof names them all (annex F.1).
                    sent = sent[:1]
                request = steps.credential_request(wanted, sent)
                answer = self._client.ask(looked.metadata.credential_endpoint, request, looked.metadata, session)
                handed = steps.read_handed(*answer, most=len(proofs))
                if handed.credentials is None:
                    waiting.append(self._waits(wanted.configuration, list(proofs), handed))
                    continue
                notifications += [handed.notification_id] if handed.notification_id else []
                found += self._checked(collection, wanted.configuration, handed.credentials, list(proofs))
        except (CollectingRefused, IssuerRefused, NotReached):
            self._notify(looked, notifications, "credential_failure", session)
            raise
        self.credentials.add_many(found)
        self._notify(looked, notifications, "credential_accepted", session)
        return self._settled(collection, session, found, waiting)

    def _checked(
        self,
        collection: Collection,
        configuration_id: str,
        credentials: Sequence[Any],
        thumbprints: Sequence[str],
    ) -> list[WalletCredential]:
        looked, batch = read_told(collection.told), new_id()
        at = collection.created_at  # the same for all: what was asked for together is shown together
        configuration = looked.by_id(configuration_id)
        free = list(thumbprints)
        found = []
        for each in credentials:
            received = check_received(each, configuration, free, at=self.now())
            free.remove(received.key_thumbprint)  # section 8.3: each key is for one credential at most
            found.append(
                kept_credential(
                    received, configuration, looked, self.view(), holder=collection.holder_id, batch=batch, at=at
                )
            )
        return found

    # Waiting

    def check(self, holder: HolderId, collection_id: str) -> Step:
        """Ask whether what was deferred is ready, unless it is too soon to ask. Raises as `start`."""
        collection = self.get(holder, collection_id)
        if collection.state is not CollectionState.WAITING:
            return self._result(collection)
        waiting: list[dict[str, Any]] = list(collection.told["waiting"])
        due = next((each for each in waiting if datetime.fromisoformat(each["next"]) <= self.now()), None)
        if due is None:
            return self._result(collection)
        later = {**due, "next": (self.now() + timedelta(seconds=due["interval"])).isoformat()}
        rest = [each for each in waiting if each is not due]
        collection = self._changed(replace(collection, told={**collection.told, "waiting": [*rest, later]}))
        try:
            return self._ask_again(collection, due, rest)
        except IssuerRefused as err:
            if err.code in AGAIN:
                raise
            if err.code == "invalid_token" and collection.told.get("refresh") is not None:
                return self._result(self._refreshed(collection))
            raise self._failed(collection, err) from err
        except CollectingRefused as err:
            raise self._failed(collection, err) from err

    def _ask_again(self, collection: Collection, due: Mapping[str, Any], rest: list[dict[str, Any]]) -> Step:
        looked, session = read_told(collection.told), session_of(collection)
        if looked.metadata.deferred_endpoint is None:
            raise CollectingRefused(Collecting.METADATA_UNREADABLE)
        request = {"transaction_id": due["transaction"]}
        answer = self._client.ask(looked.metadata.deferred_endpoint, request, looked.metadata, session)
        handed = steps.read_handed(*answer, most=len(due["keys"]))
        if handed.credentials is None:
            again = {**self._waits(due["configuration"], due["keys"], handed), "transaction": due["transaction"]}
            return self._settled(collection, session, [], [*rest, again])
        notifications = [handed.notification_id] if handed.notification_id else []
        try:
            found = self._checked(collection, due["configuration"], handed.credentials, due["keys"])
        except CollectingRefused:
            self._notify(looked, notifications, "credential_failure", session)
            raise
        self.credentials.add_many(found)
        self._notify(looked, notifications, "credential_accepted", session)
        return self._settled(collection, session, found, rest)

    def _refreshed(self, collection: Collection) -> Collection:
        """A new access token for the refresh token (RFC 6749 section 6)."""
        looked, session = read_told(collection.told), session_of(collection)
        request = {"grant_type": "refresh_token", "refresh_token": collection.told["refresh"]}
        if collection.told["grant"] != PRE_AUTHORIZED or not looked.server.anonymous or session.instance is not None:
            request["client_id"] = self._client_id
        try:
            token = self._client.token(looked.server, request, session)
        except (IssuerRefused, CollectingRefused) as err:
            raise self._failed(collection, err) from err
        told = {
            **collection.told,
            **of_session(session),
            "refresh": token.get("refresh_token", collection.told["refresh"]),
        }
        return self._changed(replace(collection, told=told))

    def _waits(self, configuration: str, keys: Sequence[str], handed: steps.Handed) -> dict[str, Any]:
        return {
            "configuration": configuration,
            "keys": list(keys),
            "transaction": handed.transaction_id,
            "interval": handed.interval,
            "next": (self.now() + timedelta(seconds=handed.interval)).isoformat(),
        }
