"""Verification that asks: where a verdict hinges on the revocation of a signer that no region lists, the places that
its certificates name are asked, and it is judged again. What they say goes into the policy; `judge` decides as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from time import monotonic
from typing import Final

from keys.certificate import signed_by
from keys.envelopes.pades.augmenting import RevocationSource
from keys.errors import AlgorithmNotSupported, MalformedCertificate
from keys.x509 import Certificate, parse_certificate
from server.observation import log
from server.revocation_fetching import open_fetcher
from server.settings import Settings
from trust_registry.model import TrustView
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Credential, Evidence, MobileDocument, Report, SealedPdf
from verifier.service import NO_REQUEST, PolicyRequest, VerifierService

ASKED_FOR: Final = frozenset({"revocation_not_checked", "revocation_too_old"})
_MOST_ASKED: Final = 8  # certificates of one piece of evidence
_MOST_PIECES: Final = 32
_MOST_TRIES: Final = 256  # signatures on certificates
_PATIENCE: Final = 30.0  # seconds for one piece of evidence


class AskingVerifier(VerifierService):
    """A verifier with a `source` of revocation data; None: it asks nobody."""

    source: RevocationSource | None = None
    timer: Callable[[], float] = staticmethod(monotonic)

    def verify(self, data: bytes | str | Evidence, request: PolicyRequest = NO_REQUEST) -> Report:
        """As VerifierService."""
        report = super().verify(data, request)
        if self.source is None or not hinges_on_revocation(report):
            return report
        pieces = tuple(self._ask(self.source, data, request))
        if not pieces:
            return report
        return super().verify(data, replace(request, revocation=(*request.revocation, *pieces)))

    def verify_at_once(self, data: bytes | str, request: PolicyRequest = NO_REQUEST) -> Report | None:
        """As VerifierService; None, too, when somebody would have to be asked first."""
        report = super().verify_at_once(data, request)
        if report is not None and self.source is not None and hinges_on_revocation(report):
            return None
        return report

    def _ask(self, source: RevocationSource, data: bytes | str | Evidence, request: PolicyRequest) -> Iterator[bytes]:
        try:
            evidence = parse(data) if isinstance(data, bytes | str) else data
        except MalformedEvidence:
            return
        began = self.timer()
        certificates = dict.fromkeys(_certificates(evidence))
        trusted = (*request.anchors, *_foreign(self._trust()))
        for certificate, issuer in islice(_pairs(certificates, trusted), _MOST_ASKED):
            if self.timer() - began > _PATIENCE:
                return
            yield from islice(source(certificate, issuer), _MOST_PIECES // _MOST_ASKED)


def hinges_on_revocation(report: Report) -> bool:
    """Whether revocation data that are not at hand could change the verdict on it, or on one of its signatures."""
    findings = (*report.findings, *(finding for each in report.signatures for finding in each.findings))
    return any(finding.code in ASKED_FOR for finding in findings)


def _certificates(evidence: Evidence) -> Iterator[Certificate]:
    """Those that the evidence brings, signers first."""
    if isinstance(evidence, Credential | MobileDocument) and evidence.certificate is not None:
        yield from (evidence.certificate, *evidence.intermediates)
    if isinstance(evidence, SealedPdf):
        for signature in evidence.pdf.signatures:
            yield from () if signature.certificate is None else (signature.certificate,)
        for signature in evidence.pdf.signatures:
            yield from signature.intermediates
        yield from evidence.pdf.validation_data.certificates


def _foreign(trust: TrustView | None) -> Iterator[Certificate]:
    """The authorities of lists of other networks."""
    for each in () if trust is None else trust.foreign.values():
        for service in each.services:
            for der in service.identity.certificates:
                try:
                    yield parse_certificate(der)
                except MalformedCertificate:
                    continue


def _pairs(
    certificates: Iterable[Certificate], trusted: Iterable[Certificate]
) -> Iterator[tuple[Certificate, Certificate]]:
    """Certificates under one of the `trusted` authorities, with who signed them; those of signers first.

    Nobody else is asked about anybody: what a file brings along must not choose whom we call.
    """
    signers: dict[Certificate, Certificate] = {}
    waiting, tries = list(dict.fromkeys(trusted)), _MOST_TRIES
    left = list(certificates)
    by_issuer: dict[bytes, list[Certificate]] = {}
    for certificate in left:
        by_issuer.setdefault(certificate.issuer_name_der, []).append(certificate)
    while waiting:
        issuer = waiting.pop()
        for certificate in by_issuer.get(issuer.subject_name_der, ()):
            if certificate in signers or certificate == issuer or tries == 0:
                continue
            tries -= 1
            if _made(certificate, issuer):
                signers[certificate] = issuer
                if certificate.is_ca:
                    waiting.append(certificate)
    yield from ((certificate, signers[certificate]) for certificate in left if certificate in signers)


def _made(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        return signed_by(certificate, issuer)
    except AlgorithmNotSupported:
        return False


def open_source(settings: Settings) -> RevocationSource | None:
    """Who is asked, by the settings."""
    if not settings.revocation_fetch:
        return None

    def tell(reason: str) -> None:
        log.info("revocation data not fetched", reason=reason)

    return open_fetcher(monotonic, private_addresses=settings.revocation_private_addresses, tell=tell)
