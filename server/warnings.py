"""Warnings of what runs out: a line in the log, a metric, a webhook, each once per end and severity.

What runs out and who depends on it is decided by `trust_registry.expiries`; this module only tells. Everything told
is public: it stands in signed lists. Spec of the webhook's headers: Standard Webhooks 1.0.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from server.errors import InvalidSettings
from server.observation import log
from trust_registry.durable import write_durably
from trust_registry.expiries import DEFAULT_HORIZON, Expiry, Severity, expiring
from trust_registry.model import Names, TrustView

FORMAT: Final = "yinxin-expiry-warning/1"
STATE_FORMAT: Final = "yinxin-expiry-state/1"
RECOUNT: Final = timedelta(hours=1)
SHORTEST_SECRET: Final = 24  # bytes, as Standard Webhooks asks
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_MOST_AT_ONCE: Final = 100  # deliveries to one URL in one round
_MOST_NAMED: Final = 500  # dependents of one kind in one message
_REMEMBERED: Final = timedelta(days=400)  # after the end itself
_LOG: Final = "log"

Post = Callable[[str, bytes, Mapping[str, str]], int]  # URL, body, headers -> HTTP status; raises httpx.HTTPError


@dataclass
class _Receiver:
    """What one receiver has been told, and when it may be asked again."""

    told: dict[str, str] = field(default_factory=dict)  # expiry id -> severity
    failures: int = 0
    not_before: datetime | None = None

    def lacks(self, expiry: Expiry) -> bool:
        told = self.told.get(expiry.id)
        return told is None or Severity(told).rank < expiry.severity.rank


class ExpiryWatch:
    """Looks at the trust data every so often and tells what is new. One thread runs it at a time."""

    def __init__(
        self,
        view: Callable[[], TrustView | None],
        now: Callable[[], datetime],
        state: Path,
        *,
        webhooks: Sequence[str] = (),
        secret: bytes = b"",
        post: Post,
    ) -> None:
        self._view = view
        self._now = now
        self._state = state
        self._webhooks = tuple(webhooks)
        self._secret = secret
        self._post = post
        self._found: tuple[Expiry, ...] = ()
        self._counted: tuple[datetime, Mapping[str, int]] | None = None
        self._receivers: dict[str, _Receiver] | None = None

    def run(self) -> None:
        """Tell what has become pressing since; what a webhook did not take is offered again, ever more rarely."""
        view, now = self._view(), self._now()
        if view is None:
            return
        self._count(view, now)
        if self._receivers is None:
            self._receivers = _read_state(self._state)
        pressing = [e for e in self._found if not e.replaced and e.severity is not Severity.PLANNED]
        changed = self._tell_log(pressing, now)
        for url in self._webhooks:
            changed = self._tell_webhook(url, pressing, now) or changed
        if changed:
            self._forget(now)
            _write_state(self._state, self._receivers)

    def look(self) -> None:
        """Only count, tell nobody: so that the metric is there from the start."""
        view = self._view()
        if view is not None:
            self._count(view, self._now())

    def soonest(self) -> dict[tuple[str, str], float]:
        """For the metric: seconds until the first end by (kind, region code or "-"); negative when it has passed.

        What ends later than `DEFAULT_HORIZON` is not in it, and neither is what another one replaces.
        """
        now = self._now()
        found: dict[tuple[str, str], float] = {}
        for each in self._found:
            if not each.replaced:
                label = (each.kind.value, each.region or "-")
                found[label] = min(found.get(label, float("inf")), (each.ends_at - now).total_seconds())
        return found

    def _count(self, view: TrustView, now: datetime) -> None:
        if self._counted is not None:
            counted_at, versions = self._counted
            # the host's own renewals change the metadata's ends, not the versions of lists
            if versions == view.metadata_versions and timedelta(0) <= now - counted_at < RECOUNT:
                return
        self._found = expiring(view, now, DEFAULT_HORIZON)
        self._counted = (now, view.metadata_versions)

    def _tell_log(self, pressing: Iterable[Expiry], now: datetime) -> bool:
        receiver = self._receiver(_LOG)
        told = False
        for each in filter(receiver.lacks, pressing):
            days = (each.ends_at - now).days
            facts = {"kind": each.kind.value, "region": each.region, "entry": each.entry, "days": days}
            log.warning("expiry", severity=each.severity.value, ends_at=each.ends_at.isoformat(), **facts)
            receiver.told[each.id] = each.severity.value
            told = True
        return told

    def _tell_webhook(self, url: str, pressing: Iterable[Expiry], now: datetime) -> bool:
        receiver = self._receiver(hashlib.sha256(url.encode()).hexdigest()[:16])
        waiting = list(filter(receiver.lacks, pressing))[:_MOST_AT_ONCE]
        if not waiting or (receiver.not_before is not None and now < receiver.not_before):
            return False
        for each in waiting:
            problem = self._deliver(url, each, now)
            if problem is not None:
                pause = min(_FIRST_PAUSE * 2 ** min(receiver.failures, 16), _LONGEST_PAUSE)
                receiver.failures += 1
                receiver.not_before = now + pause
                # The address may hold a token of its own: only the host is named.
                log.warning("webhook failed", host=urlsplit(url).hostname, problem=problem, failures=receiver.failures)
                return True
            receiver.told[each.id] = each.severity.value
            receiver.failures, receiver.not_before = 0, None
            # After each, so that a crash repeats at most one message, under the same webhook-id.
            _write_state(self._state, self._receivers or {})
        return True

    def _deliver(self, url: str, expiry: Expiry, now: datetime) -> str | None:
        """None when the receiver has taken it, else why not."""
        body = json.dumps(message_of(expiry, now), ensure_ascii=False, separators=(",", ":")).encode()
        try:
            status = self._post(url, body, signed_headers(self._secret, message_id(expiry), now, body))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as err:
            return type(err).__name__
        return None if 200 <= status < 300 else f"answered {status}"

    def _receiver(self, name: str) -> _Receiver:
        if self._receivers is None:
            self._receivers = {}
        return self._receivers.setdefault(name, _Receiver())

    def _forget(self, now: datetime) -> None:
        """Drop what ended long ago and is not in the calendar any more."""
        present = {each.id for each in self._found}
        limit = f"{now - _REMEMBERED:%Y%m%dT%H%M%SZ}"
        for receiver in (self._receivers or {}).values():
            for known in [k for k in receiver.told if k not in present and k.rpartition(":")[2] < limit]:
                del receiver.told[known]


def message_id(expiry: Expiry) -> str:
    """The same for the same end at the same severity, so that a receiver can tell a repetition."""
    return "exp_" + hashlib.sha256(f"{expiry.id}:{expiry.severity.value}".encode()).hexdigest()[:32]


def message_of(expiry: Expiry, now: datetime) -> dict[str, Any]:
    """The JSON object that is posted. Long lists of dependents are cut; `counts` gives their whole number."""
    depend = expiry.dependents
    parties = [{"id": p.id, "scenarios": list(p.scenarios[:_MOST_NAMED])} for p in depend.relying_parties[:_MOST_NAMED]]
    return {
        "format": FORMAT,
        "id": message_id(expiry),
        "sent_at": now.isoformat(),
        "kind": expiry.kind.value,
        "severity": expiry.severity.value,
        "region": expiry.region,
        "entry": expiry.entry,
        "what": _names(expiry.what),
        "owner": _names(expiry.owner),
        "ends_at": expiry.ends_at.isoformat(),
        "text": _names(expiry.text(now)),
        "advice": _names(expiry.advice),
        "dependents": {
            "issuers": list(depend.issuers[:_MOST_NAMED]),
            "types": list(depend.types[:_MOST_NAMED]),
            "accepting": list(depend.accepting[:_MOST_NAMED]),
            "relying_parties": parties,
            "counts": {
                "issuers": len(depend.issuers),
                "types": len(depend.types),
                "accepting": len(depend.accepting),
                "relying_parties": len(depend.relying_parties),
            },
        },
    }


def signed_headers(secret: bytes, delivery: str, now: datetime, body: bytes) -> dict[str, str]:
    """Spec: Standard Webhooks 1.0, symmetric signatures: HMAC-SHA256 over `id.timestamp.body`."""
    stamp = str(int(now.timestamp()))
    mac = hmac.new(secret, f"{delivery}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "yinxin",
        "webhook-id": delivery,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{b64encode(mac).decode()}",
    }


def read_secret(path: Path) -> bytes:
    """The shared secret: `whsec_` and base64, as Standard Webhooks writes it, else the first line as it is.

    Raises: InvalidSettings when it can't be read or is shorter than 24 bytes.
    """
    try:
        line = path.read_bytes().strip().split(b"\n")[0].strip()
    except OSError as err:
        raise InvalidSettings(f"expiry_webhook_secret_file: {path.name} can't be read") from err
    if line.startswith(b"whsec_"):
        try:
            line = b64decode(line.removeprefix(b"whsec_"), validate=True)
        except binascii.Error as err:
            raise InvalidSettings("expiry_webhook_secret_file: not base64 after whsec_") from err
    if len(line) < SHORTEST_SECRET:
        raise InvalidSettings(f"expiry_webhook_secret_file: at least {SHORTEST_SECRET} bytes are needed")
    return line


def http_post(client: httpx.Client) -> Post:
    """Post over `client`; the answer's body is not read."""

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        with client.stream("POST", url, content=body, headers=dict(headers)) as response:
            return response.status_code

    return post


def _names(names: Names) -> dict[str, str]:
    return {"zh": names.zh, "en": names.en}


def _read_state(path: Path) -> dict[str, _Receiver]:
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != STATE_FORMAT:
            raise ValueError("another format")
        return dict(_receivers(document["receivers"]))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        # Warning twice is better than not at all.
        log.warning("expiry state unreadable: warnings may repeat", error=type(err).__name__)
        return {}


def _receivers(document: Mapping[str, Any]) -> Iterator[tuple[str, _Receiver]]:
    for name, kept in document.items():
        not_before = kept["not_before"]
        yield (
            name,
            _Receiver(
                {str(expiry): Severity(severity).value for expiry, severity in kept["told"].items()},
                int(kept["failures"]),
                None if not_before is None else datetime.fromisoformat(not_before).astimezone(UTC),
            ),
        )


def _write_state(path: Path, receivers: Mapping[str, _Receiver]) -> None:
    document = {
        "format": STATE_FORMAT,
        "receivers": {
            name: {
                "told": each.told,
                "failures": each.failures,
                "not_before": None if each.not_before is None else each.not_before.isoformat(),
            }
            for name, each in receivers.items()
        },
    }
    write_durably(path, json.dumps(document, indent=1).encode())
