"""What trusted lists of other networks say of a certificate: who vouched for it, and as what. Judges no evidence.

A list counts only through the region that names it: the accepting region, or any member where none is asked for.
Spec: ETSI TS 119 615 clauses 4.3 and 4.4; TS 119 612 clauses 5.5.1 and 5.5.4; TS 119 602 clause 6.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.errors import MalformedCertificate
from keys.x509 import Certificate, PathOutcome, PathResult, parse_certificate, validate_path
from trust_registry.core.foreign import foreign_entry, service_status_at
from trust_registry.instants import later
from trust_registry.model import (
    EntryStatus,
    ForeignFormat,
    ForeignList,
    ForeignService,
    RegionCode,
    TrustView,
)
from verifier.core.asked import When
from verifier.core.findings import RESOLUTION, unknown
from verifier.core.per_view import PerView
from verifier.model import Check, Finding, Policy, SubIndication

_TIME: Final = re.compile(r"/Svctype/TSA(/|$)", re.IGNORECASE)
_SIGNERS: Final = re.compile(
    r"/Svctype/(CA|NationalRootCA-QC)(/|$)|/SvcType/[\w/-]*Issuance$|^urn:yinxin:service:(seal|attestation)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Vouching:
    """A service whose certificate is on a list that `naming` reads."""

    naming: RegionCode
    listed: ForeignList
    service: ForeignService
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class ForeignPath:
    """A path from a certificate to a service. `granted`: the service had the right status at the time of signing."""

    vouching: Vouching
    chain: tuple[Certificate, ...]
    outcome: PathOutcome
    granted: bool


class _Index:
    """Services by the subject of their certificates: of signers, and of time-stampers."""

    __slots__ = ("__weakref__", "signers", "timestampers")

    def __init__(self, view: TrustView) -> None:
        self.signers: dict[bytes, list[Vouching]] = {}
        self.timestampers: dict[bytes, list[Vouching]] = {}
        for (naming, _), listed in view.foreign.items():
            if listed.format is ForeignFormat.DCC:
                continue  # `health` reads those: its signers sign health certificates and nothing else
            for service in listed.services:
                for vouching in _readable(naming, listed, service):
                    self._add(vouching)

    def _add(self, vouching: Vouching) -> None:
        types = {period.service_type for period in vouching.service.history}
        for index, form in ((self.signers, _SIGNERS), (self.timestampers, _TIME)):
            if any(form.search(each) for each in types):
                index.setdefault(vouching.certificate.subject_name_der, []).append(vouching)


_index: Final = PerView(_Index)


def _readable(naming: RegionCode, listed: ForeignList, service: ForeignService) -> Iterator[Vouching]:
    for der in service.identity.certificates:
        try:
            yield Vouching(naming, listed, service, parse_certificate(der))
        except MalformedCertificate:
            continue


def signer_path(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    trust: TrustView,
    accepting: RegionCode | None,
    when: When,
) -> ForeignPath | None:
    """The best path from a signer to a service for signers; None when no list that is read now leads anywhere."""
    readers = None if accepting is None else frozenset({accepting})
    return _path(_index(trust).signers, leaf, intermediates, trust, readers, when)


def timestamper_path(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    trust: TrustView,
    readers: frozenset[RegionCode] | None,
    when: When,
) -> ForeignPath | None:
    """As `signer_path`, to a time-stamping service on a list that one of `readers` (None: anybody) reads."""
    return _path(_index(trust).timestampers, leaf, intermediates, trust, readers, when)


def _path(  # noqa: PLR0917
    index: dict[bytes, list[Vouching]],
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    trust: TrustView,
    readers: frozenset[RegionCode] | None,
    when: When,
) -> ForeignPath | None:
    names = {leaf.subject_name_der, *(each.issuer_name_der for each in (leaf, *intermediates))}
    found = [vouching for name in names for vouching in index.get(name, ())]
    found = [vouching for vouching in found if _read(vouching, trust, readers, when.at)]
    if not found:
        return None
    paths: list[tuple[Vouching, PathResult]] = []
    for certificate in dict.fromkeys(vouching.certificate for vouching in found):
        result = validate_path(leaf, intermediates, [certificate], when.signed_at, proven_by=when.proven_by)
        paths += [(each, result) for each in found if each.certificate == certificate and result.chain]
    good = [path for path in paths if path[1].outcome is PathOutcome.OK]
    granted = [path for path in good if _granted(path[0], good, later(when.signed_at, RESOLUTION))]
    best = granted or good or paths
    if not best:
        return None
    vouching, result = best[0]
    return ForeignPath(vouching, result.chain, result.outcome, best is granted)


def _read(vouching: Vouching, trust: TrustView, readers: frozenset[RegionCode] | None, at: datetime) -> bool:
    """Whether the naming region reads this list at `at`, and is one of those whose reading counts."""
    if readers is not None and vouching.naming not in readers:
        return False
    entry = foreign_entry(trust, vouching.naming, vouching.listed.code)
    if entry is None:
        return False
    reads = next((change.status for change in reversed(entry.history) if change.at <= at), None)
    return reads is EntryStatus.GRANTED


def _granted(vouching: Vouching, among: Sequence[tuple[Vouching, PathResult]], signed_at: datetime) -> bool:
    """Whether the service was granted then; one that its list names twice over one key, by both entries."""
    same = [
        other for other, _ in among if other.listed is vouching.listed and other.certificate == vouching.certificate
    ]
    return all(service_status_at(other.service, signed_at) is EntryStatus.GRANTED for other in same)


def too_old(listed: ForeignList, policy: Policy, at: datetime) -> Finding | None:
    """A list past its date, or not confirmed for longer than the budget: services may have been taken off it since."""
    budget = (policy.scenario or policy).trust_staleness
    ends = [moment for moment in (listed.next_update, listed.fetched_at) if moment is not None]
    if any(at > later(moment, budget) for moment in ends):
        return unknown(
            Check.FRESHNESS, "foreign_list_too_old", SubIndication.TRY_LATER, list=listed.code, budget=budget
        )
    return None
