"""What wallets report about credentials they were given: accepted, failed, deleted. Counted, never acted upon.

A notification_id is recognised by its MAC, so that nothing is stored until a wallet reports something; descriptions are
not kept at all, because they may say anything. Spec: OpenID4VCI 1.0 section 11.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import Engine, bindparam, func, select, text
from sqlmodel import SQLModel

from issuer.openid4vci.deferred_tables import NotificationRow
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import Grant
from keys.envelopes.base64url import b64url_decode, b64url_encode
from trust_registry.columns import UtcDateTime
from trust_registry.model import IssuerId

_TABLE: Final = SQLModel.metadata.tables[str(NotificationRow.__tablename__)]
_ADD: Final = text(
    "INSERT INTO issuer_openid_notifications (notification, event, issuer_id, reported_at) "
    "VALUES (:notification, :event, :issuer_id, :reported_at) ON CONFLICT DO NOTHING"
).bindparams(bindparam("reported_at", type_=UtcDateTime()))
_RANDOM, _MAC = 14, 16
_LENGTH: Final = (_RANDOM + _MAC) * 4 // 3
_DESCRIPTION: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{0,1024}")


class Event(Enum):
    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"


class Notifications:
    """`key`: 32 bytes that only this deployment has."""

    def __init__(self, engine: Engine, key: bytes, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._key = key
        self._now = now

    def make(self, grant: Grant) -> str:
        """The notification_id of one response to the wallet of this grant."""
        random = os.urandom(_RANDOM)
        return b64url_encode(random + self._mac(random, grant)).decode("ascii")

    def record(self, grant: Grant, request: Mapping[str, Any]) -> None:
        """Keep the event; the same again changes nothing.

        Raises: ProtocolRefusal (invalid_notification_id: not given to this wallet; invalid_notification_request).
        """
        notification, event = request.get("notification_id"), request.get("event")
        if not isinstance(notification, str):
            raise _invalid_request("notification_id is missing, or no text")
        if not isinstance(event, str) or event not in _EVENTS:
            raise _invalid_request("event is not credential_accepted, credential_failure or credential_deleted")
        description = request.get("event_description", "")
        if not isinstance(description, str) or _DESCRIPTION.fullmatch(description) is None:
            raise _invalid_request("event_description is not printable ASCII of at most 1024 characters")
        if not self._made(notification, grant):
            raise ProtocolRefusal("invalid_notification_id", "no response to this wallet had this notification_id")
        row = {
            "notification": hashlib.sha256(notification.encode("ascii")).digest(),
            "event": event,
            "issuer_id": grant.issuer_id,
            "reported_at": self._now(),
        }
        with self._engine.begin() as connection:
            connection.execute(_ADD, row)

    def _made(self, notification: str, grant: Grant) -> bool:
        try:
            data = b64url_decode(notification.encode("ascii")) if len(notification) == _LENGTH else b""
        except ValueError:
            return False
        return hmac.compare_digest(data[_RANDOM:], self._mac(data[:_RANDOM], grant))

    def _mac(self, random: bytes, grant: Grant) -> bytes:
        context = "\0".join((grant.issuer_id, grant.holder_id, grant.client_id or "")).encode("utf-8")
        return hmac.digest(self._key, random + context, "sha256")[:_MAC]


def reported(engine: Engine, issuer_id: IssuerId) -> dict[Event, int]:
    """How many of each event the office's wallets reported."""
    query = select(_TABLE.c.event, func.count()).where(_TABLE.c.issuer_id == issuer_id).group_by(_TABLE.c.event)
    with engine.connect() as connection:
        found = {row[0]: row[1] for row in connection.execute(query)}
    return {event: found.get(event.value, 0) for event in Event}


_EVENTS: Final = frozenset(event.value for event in Event)


def _invalid_request(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_notification_request", description)
