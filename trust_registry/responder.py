"""Answers how a region's certificates stand, from its signed list: OCSP responses and a CRL for whoever knows no lists.

The list is the authority; this only says it in the words of X.509. Answers for regions whose responder key is here, and
for no others. Reads no clock and no files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from keys.certificate import signed_by
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedRevocation
from keys.revocation import (
    Answer,
    CertId,
    CertificateState,
    Reason,
    Revoked,
    make_crl,
    make_ocsp_refusal,
    make_ocsp_response,
    names_issuer,
    parse_ocsp_request,
)
from keys.revocation.making import MALFORMED_REQUEST, TRY_LATER, UNAUTHORIZED
from keys.signer import Signer
from keys.x509 import Certificate, parse_certificate
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    KeyEntry,
    KeyUse,
    RegionCode,
    RegionList,
    StatusChange,
    TrustView,
)

OCSP_LIFE: Final = timedelta(hours=1)
CRL_LIFE: Final = timedelta(days=1)
_REASONS: Final = {
    EntryReason.KEY_COMPROMISE: Reason.KEY_COMPROMISE,
    EntryReason.KEY_ROLLOVER: Reason.SUPERSEDED,
    EntryReason.REORGANISATION: Reason.AFFILIATION_CHANGED,
    EntryReason.BREACH_OF_DUTY: Reason.PRIVILEGE_WITHDRAWN,
    EntryReason.EXPIRY: Reason.CESSATION_OF_OPERATION,
    EntryReason.CESSATION: Reason.CESSATION_OF_OPERATION,
}


@dataclass(frozen=True, slots=True)
class ResponderKey:
    """A region's responder: a key with a certificate (profile OCSP) of the region's CA, and the CA's own key where the
    CRL is made here too."""

    signer: Signer
    certificate: Certificate
    ca_signer: Signer | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A signed answer and until when (UTC) it may be kept; None: not at all."""

    der: bytes
    this_update: datetime
    next_update: datetime | None


@dataclass(frozen=True, slots=True)
class _Known:
    """One version of a region's list, by serial number: the histories that decide on each certificate of a CA."""

    list: RegionList
    ca: Certificate
    histories: Mapping[int, tuple[History, ...]]


class Responder:
    """OCSP responses and CRLs for the regions of `keys`, from the view at the time of asking. Safe for threads."""

    def __init__(
        self,
        keys: Mapping[RegionCode, ResponderKey],
        view: Callable[[], TrustView | None],
        now: Callable[[], datetime],
    ) -> None:
        self._keys, self._view, self._now = keys, view, now
        self._known: dict[RegionCode, _Known] = {}
        self._crls: dict[RegionCode, tuple[_Known, Published]] = {}
        self._lock = Lock()

    def answer(self, request: bytes) -> Published:
        """The response to a DER request; a refusal is a response too. Never raises on content.

        Spec: RFC 6960 sections 2.3 and 4.2; RFC 5019 section 2.2.
        """
        now = self._now().replace(microsecond=0)
        try:
            asked = parse_ocsp_request(request)
        except MalformedRevocation:
            return Published(make_ocsp_refusal(MALFORMED_REQUEST), now, None)
        view = self._view()
        if view is None or view.expires_at <= now:
            return Published(make_ocsp_refusal(TRY_LATER), now, None)  # nothing says that the lists are the newest
        found = self._responsible(view, asked.ids[0][0])
        if found is None or not all(names_issuer(id_, found[1].ca) for id_, _ in asked.ids):
            return Published(make_ocsp_refusal(UNAUTHORIZED), now, None)
        key, known = found
        until = now + OCSP_LIFE
        response = make_ocsp_response(
            key.signer,
            key.certificate,
            [_answer(written, known.histories.get(id_.serial), id_.serial, now) for id_, written in asked.ids],
            produced_at=now,
            next_update=until,
            nonce=asked.nonce,
            remembers_since=known.ca.not_before,
        )
        return Published(response, now, None if asked.nonce is not None else until)

    def crl(self, code: RegionCode) -> Published | None:
        """The region's CRL, made anew when its list says something new, or half of its life is over. None where no CRL
        is made here. Spec: RFC 5280 section 5."""
        now = self._now().replace(microsecond=0)
        key, view = self._keys.get(code), self._view()
        if key is None or key.ca_signer is None or view is None or view.expires_at <= now:
            return None
        known = self._list(code, key, view)
        if known is None:
            return None
        with self._lock:
            kept = self._crls.get(code)
            if kept is None or kept[0] is not known or kept[1].this_update + CRL_LIFE / 2 <= now:
                kept = known, _make_crl(key.ca_signer, known, now)
                self._crls[code] = kept
        return kept[1]

    def _responsible(self, view: TrustView, id_: CertId) -> tuple[ResponderKey, _Known] | None:
        for code, key in self._keys.items():
            known = self._list(code, key, view)
            if known is not None and names_issuer(id_, known.ca):
                return key, known
        return None

    def _list(self, code: RegionCode, key: ResponderKey, view: TrustView) -> _Known | None:
        region_list = view.lists.get(code)
        known = self._known.get(code)
        if region_list is None or (known is not None and known.list is region_list):
            return known if region_list is not None else None
        ca = _certifier(region_list, key.certificate)
        if ca is None:
            return None  # the CA is not the list's, or did not certify this responder
        self._known[code] = known = _Known(region_list, ca, dict(_histories(region_list, ca)))
        return known


def _certifier(region_list: RegionList, responder: Certificate) -> Certificate | None:
    for entry in region_list.authorities:
        if entry.use is KeyUse.CA:
            ca = parse_certificate(entry.certificate)
            if _certified(responder, ca):
                return ca
    return None


def _certified(certificate: Certificate, ca: Certificate) -> bool:
    try:
        return certificate.issuer_name_der == ca.subject_name_der and signed_by(certificate, ca)
    except AlgorithmNotSupported:
        return False


def _histories(region_list: RegionList, ca: Certificate) -> Iterator[tuple[int, tuple[History, ...]]]:
    """Every listed certificate of `ca` with what decides on it: its own history, and that of the seal."""
    for entry, *more in _entries(region_list):
        try:
            certificate = parse_certificate(entry.certificate)
        except MalformedCertificate:
            continue  # a list may say what it likes; nobody asks an X.509 responder about that
        if certificate.issuer_name_der == ca.subject_name_der and certificate != ca:
            yield certificate.serial, (entry.history, *more)


def _entries(region_list: RegionList) -> Iterator[tuple[KeyEntry, *tuple[History, ...]]]:
    for entry in region_list.authorities:
        yield (entry,)
    for issuer in region_list.attests:
        for seal in issuer.seals:
            yield seal.key, seal.history
        for entry in issuer.status_keys:
            yield (entry,)
    for party in region_list.relying_parties:
        for entry in party.keys:
            yield (entry,)


def _objection(histories: tuple[History, ...], now: datetime) -> StatusChange | None:
    """What speaks against the certificate now: a withdrawal before a suspension, the earlier one of two."""
    objections = []
    for history in histories:
        standing = [change for change in history if change.at <= now]
        if standing and standing[-1].status is not EntryStatus.GRANTED:
            objections.append(standing[-1])
    return min(objections, key=lambda change: (change.status is EntryStatus.SUSPENDED, change.at), default=None)


def _revoked(serial: int, histories: tuple[History, ...], now: datetime) -> Revoked | None:
    change = _objection(histories, now)
    if change is None:
        return None
    if change.status is EntryStatus.SUSPENDED:
        return Revoked(serial, change.at, Reason.CERTIFICATE_HOLD)
    reason = _REASONS.get(change.reason, Reason.UNSPECIFIED)
    doubted = (change.invalidity_date or change.at) if change.reason is EntryReason.KEY_COMPROMISE else None
    return Revoked(serial, change.at, reason, doubted)


def _answer(cert_id: bytes, histories: tuple[History, ...] | None, serial: int, now: datetime) -> Answer:
    granted = histories is not None and any(change.at <= now for history in histories for change in history)
    if histories is None or not granted:
        return Answer(cert_id, CertificateState.UNKNOWN)
    revoked = _revoked(serial, histories, now)
    return Answer(cert_id, CertificateState.GOOD if revoked is None else CertificateState.REVOKED, revoked)


def _make_crl(ca_signer: Signer, known: _Known, now: datetime) -> Published:
    revoked = [_revoked(serial, histories, now) for serial, histories in known.histories.items()]
    until = now + CRL_LIFE
    made = make_crl(
        ca_signer,
        known.ca,
        [each for each in revoked if each is not None],
        number=int(now.timestamp()),  # grows, whichever of several processes makes it
        this_update=now,
        next_update=until,
        keeps_expired_since=known.ca.not_before,  # lists forget nothing
    )
    return Published(made, now, until)
