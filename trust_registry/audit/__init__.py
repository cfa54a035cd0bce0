"""The whole published history of a network, replayed and checked: what changed, when, by whose signatures.

Reads the static files that anybody can read and believes none of them: root by root, snapshot by snapshot, against the
log. Never raises on content: what does not hold becomes an event with an anomaly, and the replay goes on with the last
state that held. Changes nothing. Spec: TUF 1.0.33 section 5, without the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        self._running: Iterator[AuditEvent] | None = None
        self._events: list[AuditEvent] = []
        self._lock = Lock()

    def events(self) -> tuple[AuditEvent, ...]:
        """Everything up to now; only what is new since the last call is read. Raises: FetchFailed."""
        self.go_on(lambda: True)
        return tuple(self._events)

    def go_on(self, may: Callable[[], bool], wait: float = -1) -> bool:
        """Replay what is new as long as `may` says so after each event; whether it came to the end.

        `wait`: how many seconds to wait for another thread's turn, -1 for as long as it takes. Raises: FetchFailed.
        """
        if not self._lock.acquire(timeout=wait):
            return False
        try:
            if self._running is None:
                self._running = self._replay.run()
            running, self._running = self._running, None  # a failure ends it: the next turn begins with what is new
            for event in running:  # one by one: what was told before a failure is kept
                self._events.append(event)
                if not may():
                    self._running = running
                    return False
            return True
        finally:
            self._lock.release()

    @property
    def so_far(self) -> tuple[AuditEvent, ...]:
        """What has been told already. Waits for nobody."""
        return tuple(self._events)

    @property
    def anomalies(self) -> int:
        """How many of the events so far are anomalies."""
        return sum(event.kind is EventKind.ANOMALY for event in self._events)
