"""Prometheus metrics: counts and times with bounded labels, nothing personal.

One registry per application, none global.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The application's counters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Counter(
            "yinxin_http_requests",
            "Requests by method, route template and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "yinxin_http_request_seconds", "Time to answer, by route template", ["route"], registry=self.registry
        )
        self._sign_ins = Counter("yinxin_sign_ins", "Sign-ins by outcome", ["outcome"], registry=self.registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # as few as there are labels
        self._tasks = Counter("yinxin_task_runs", "Background task runs", ["task", "outcome"], registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        found = self._children.get((method, route, status))
        if found is None:
            found = (self._requests.labels(method, route, str(status)), self._seconds.labels(route))
            self._children[method, route, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def sign_in(self, outcome: str) -> None:
        self._sign_ins.labels(outcome).inc()

    def task(self, name: str, outcome: str) -> None:
        self._tasks.labels(name, outcome).inc()

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """A value read when metrics are asked for."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def soonest_expiries(self, values: Callable[[], Mapping[tuple[str, str], float]]) -> None:
        """What runs out first, by kind and region; read when metrics are asked for."""
        self.registry.register(_Expiries(values))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Expiries(Collector):
    """Kinds and regions come and go with the lists, so each reading is a family of its own."""

    def __init__(self, values: Callable[[], Mapping[tuple[str, str], float]]) -> None:
        self._values = values

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = self._family()
        for labels, seconds in self._values().items():
            family.add_metric(labels, seconds)
        yield family

    def _family(self) -> GaugeMetricFamily:
        meaning = "Time until the first end within 90 days, by kind and region (-: the network); negative after it"
        return GaugeMetricFamily("yinxin_expiry_seconds", meaning, labels=("kind", "region"))
