"""The whole published history of a network, replayed and checked: what changed, when, by whose signatures.

Reads the static files that anybody can read and believes none of them: root by root, snapshot by snapshot, against the
log. Never raises on content: what does not hold becomes an event with an anomaly, and the replay goes on with the last
state that held. Changes nothing. Spec: TUF 1.0.33 section 5, without the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

from trust_registry.audit.logbook import Read
from trust_registry.audit.model import Anomaly, AuditEvent, EventKind
from trust_registry.audit.replaying import Replay

__all__ = ["Anomaly", "AuditEvent", "Auditor", "EventKind", "Read", "replay"]


def replay(read: Read) -> Iterator[AuditEvent]:
    """Every event from the founding to now, as they come; `read` gives the bytes at a path below the public folder.

    Raises: FetchFailed, only when the place can't be reached at all (not for single files).
    """
    return Replay(read).run()


class Auditor:
    """A replay that goes on where it stopped: events of publications that were seen are kept. Safe for threads."""

    def __init__(self, read: Read) -> None:
        self._replay = Replay(read)
        self._events: list[AuditEvent] = []
        self._lock = Lock()

    def events(self) -> tuple[AuditEvent, ...]:
        """Everything up to now; only what is new since the last call is read. Raises: FetchFailed."""
        with self._lock:
            for event in self._replay.run():  # one by one: what was told before a failure is kept
                self._events.append(event)
            return tuple(self._events)

    @property
    def anomalies(self) -> int:
        """How many of the events so far are anomalies."""
        return sum(event.kind is EventKind.ANOMALY for event in self._events)
