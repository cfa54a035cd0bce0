"""What every step of collecting shares: finding a collection, writing how far it is, and ending it.

When one ends, its codes, tokens and keys are forgotten at once. Asks no issuer for anything but its attention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from trust_registry.edges import HolderId
from trust_registry.model import TrustView
from wallet_api.errors import WalletError
from wallet_api.openid.attesting import Attester
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_offer import Looked, read_told
from wallet_api.openid.collecting_steps import ToSign
from wallet_api.openid.collecting_store import CollectingStore, Collection, CollectionState
from wallet_api.openid.credentials import WalletCredential, WalletCredentials
from wallet_api.openid.issuer_client import IssuerClient, Session
from wallet_api.openid.kept_keys import DpopKey, InstanceKey
from wallet_api.openid.outgoing import NotReached, Outgoing

LIFE: Final = timedelta(minutes=10)
PATIENCE: Final = timedelta(days=30)  # with an issuer who has it looked at
CALLBACK: Final = "/wallet/openid4vci/callback"
AGAIN: Final = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_SECRETS: Final = frozenset({"dpop", "nonces", "token", "dpop_token", "refresh", "verifier", "proofs", "waiting"}) | {
    "instance",
    "challenge",
}


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is, and what the browser does next: sign, go to the issuer's `redirect`, or nothing.

    `unused`: thumbprints of keys that nothing was bound to, when it is over; `kept`: ids of credentials.
    """

    collection: Collection
    to_sign: tuple[ToSign, ...] = ()
    redirect: str | None = None
    kept: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


class Settling:
    """`origin`: the wallet's, where authorization servers send citizens back to. `hit`: counts, and may refuse.

    `attester`: the wallet's provider; without one, the wallet is a public client and its keys are not attested.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        store: CollectingStore,
        credentials: WalletCredentials,
        now: Callable[[], datetime],
        *,
        view: Callable[[], TrustView | None],
        origin: str,
        hit: Callable[[str], None] = lambda _: None,
        attester: Attester | None = None,
    ) -> None:
        self._client_id, self._redirect_uri = f"{origin}/wallet", f"{origin}{CALLBACK}"
        self._client = IssuerClient(outgoing, now, client_id=self._client_id, attester=attester)
        self.store, self.credentials, self.now = store, credentials, now
        self.view, self._origin, self._hit = view, origin, hit

    def get(self, holder: HolderId, collection_id: str) -> Collection:
        """Raises CollectingRefused: unknown, another holder's, or its time is over."""
        found = self.store.get(holder, collection_id)
        if found is None:
            raise CollectingRefused(Collecting.UNKNOWN)
        if found.expires_at <= self.now():
            raise CollectingRefused(Collecting.OVER)
        return found

    def look(self, collection: Collection) -> Looked:
        """What was offered, by whom."""
        return read_told(collection.told)

    def _changed(self, collection: Collection, *, state_value: str | None = None) -> Collection:
        """Written; or refused, when another request was faster."""
        kept = self.store.change(collection, state_value=state_value)
        if kept is None:
            raise CollectingRefused(Collecting.OUT_OF_ORDER)
        return kept

    def _failed(self, collection: Collection, error: IssuerRefused | CollectingRefused | NotReached) -> WalletError:
        """End the collection with `error`, which is given back to be raised."""
        code = error.reason.value if isinstance(error, NotReached) else error.code
        told = {**_without_secrets(collection.told), "failure": [code, error.words.zh, error.words.en]}
        self._changed(replace(collection, state=CollectionState.FAILED, expires_at=self.now() + LIFE, told=told))
        return error

    def _settled(
        self,
        collection: Collection,
        session: Session,
        found: Sequence[WalletCredential],
        waiting: Sequence[Mapping[str, Any]],
    ) -> Step:
        """Write what was kept, and what is still waited for."""
        told = {
            **collection.told,
            **of_session(session),
            "kept": [*collection.told.get("kept", ()), *(each.id for each in found)],
            "bound": [*collection.told.get("bound", ()), *(each.key_thumbprint for each in found)],
            "waiting": list(waiting),
        }
        if waiting:
            told.pop("proofs", None)
            state, until = CollectionState.WAITING, collection.expires_at
            until = until if collection.state is CollectionState.WAITING else self.now() + PATIENCE
        else:
            told, state, until = _without_secrets(told), CollectionState.DONE, self.now() + LIFE
        return self._result(self._changed(replace(collection, state=state, expires_at=until, told=told)))

    @staticmethod
    def _result(collection: Collection) -> Step:
        told = collection.told
        bound = set(told.get("bound", ()))
        for each in told.get("waiting", ()):
            bound |= set(each["keys"])
        settled = collection.state.over or collection.state is CollectionState.WAITING
        unused = tuple(name for name in told.get("keys", ()) if name not in bound) if settled else ()
        return Step(collection, kept=tuple(told.get("kept", ())), unused=unused)

    def _notify(self, looked: Looked, notifications: Sequence[str], event: str, session: Session) -> None:
        """Tell the issuer, who may not listen: nothing hangs on it."""
        for each in notifications:
            with suppress(NotReached):
                self._client.notify(looked.metadata, each, event, session)


def session_of(collection: Collection) -> Session:
    """The session that a collection carries."""
    told = collection.told
    dpop = None if told.get("dpop") is None else DpopKey.from_secret(told["dpop"])
    instance = None if told.get("instance") is None else InstanceKey.from_secret(told["instance"])
    nonces, token, bound = dict(told.get("nonces", {})), told.get("token"), bool(told.get("dpop_token"))
    return Session(dpop, nonces, token, bound, instance, told.get("challenge"))


def of_session(session: Session) -> dict[str, Any]:
    """What changes in a session, as a collection carries it."""
    return {
        "nonces": session.nonces,
        "token": session.token,
        "dpop_token": session.dpop_token,
        "challenge": session.challenge,
    }


def _without_secrets(told: Mapping[str, Any]) -> dict[str, Any]:
    """The grants of the offer go, too: they hold its code."""
    kept = {name: value for name, value in told.items() if name not in _SECRETS}
    return {**kept, "offer": {**told["offer"], "grants": {}}}
