"""Case files that were altered, that rest on what nobody here knows, or that are none: each is told as what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.world.case_files import (
    ARCHIVED,
    HALL,
    archived,
    changed,
    code,
    found,
    now_view,
    receipt_for,
    roots,
    stamper,
    store_of,
)
from tests.world.founding import DAY
from tests.world.simulator import Issued, Region
from trust_registry.bundle import make_bundle
from verifier.archives import (
    make_case_file,
    read_case_file,
    verify_case_file,
)
from verifier.model import EvidenceKind, Indication, SubIndication
from verifier.receipts import ReceiptKey, make_receipt, sign_receipt

# --- what was altered


@pytest.mark.parametrize(
    "name",
    ["evidence/evidence.txt", "report/report.json", "receipt/receipt.txt", "README.txt", "trust/metadata/targets.json"],
)
def test_an_altered_part_is_named(
    certificate: Issued,
    east: Region,
    west: Region,
    name: str,
) -> None:
    case = archived(west, east, certificate.qr)
    for content in (b"{}", None):
        verdict = verify_case_file(changed(case, {name: content}), known_roots=roots(west), at=ARCHIVED)
        assert (verdict.report.indication, code(verdict)) == (Indication.FAILED, "archive_altered")
        assert name in found(verdict, "archive_altered").facts["names"]


def test_what_was_put_in_later_is_told(certificate: Issued, east: Region, west: Region) -> None:
    case = changed(archived(west, east, certificate.qr), {"note.txt": b"It was all a mistake."})
    verdict = verify_case_file(case, known_roots=roots(west), at=ARCHIVED)
    assert (code(verdict), verdict.report.indication) == ("archive_not_covered", Indication.INDETERMINATE)
    assert found(verdict, "archive_not_covered").facts["names"] == "note.txt"


def test_a_receipt_about_something_else_is_noticed(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    report, other = west.verify(certificate.qr), west.verify(certificate.sd_jwt)
    stranger = ReceiptKey(EphemeralSigner.generate(ES256), west.custody.hall.certificate)
    genuine = receipt_for(west, report)
    forged = sign_receipt(
        make_receipt(
            report,
            receipt_id="r2",
            relying_party=HALL,
            issued_at=ARCHIVED,
            trust=west.counter.keeper.view,
            statuses=west.counter.keeper.statuses,
        ),
        stranger,
    )
    for receipt, expected in (
        (genuine, None),
        (receipt_for(west, other), "archive_receipt_differs"),
        ("not.a.receipt", "archive_receipt_differs"),
        (certificate.qr, "archive_receipt_differs"),
        (forged, "archive_receipt_doubtful"),
    ):
        case = make_case_file(
            certificate.qr,
            report,
            timestamper=stamper(east, ARCHIVED),
            made_at=ARCHIVED,
            trust=make_bundle(store_of(west), ARCHIVED),
            receipt=receipt,
        )
        assert code(verify_case_file(case, known_roots=roots(west), at=ARCHIVED)) == expected


def test_a_recorded_verdict_that_the_evidence_does_not_give_is_told_beside_the_true_one(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    certificate.office.suspends(certificate)
    west.world.turn_to(ARCHIVED + DAY)
    report = west.verify(certificate.qr)
    assert report.indication is Indication.INDETERMINATE
    flattered = replace(report, indication=Indication.PASSED, sub_indication=None)
    case = make_case_file(
        certificate.qr,
        flattered,
        timestamper=stamper(east, west.world.now),
        made_at=west.world.now,
        trust=make_bundle(store_of(west), west.world.now),
    )
    verdict = verify_case_file(case, known_roots=roots(west), at=west.world.now)
    facts = found(verdict, "archive_verdict_differs").facts
    assert (facts["recorded"], facts["found"]) == (Indication.PASSED, Indication.INDETERMINATE)
    assert verdict.report.indication is Indication.INDETERMINATE


# --- whom to believe


def test_trust_data_of_a_network_that_is_not_known_here_are_not_believed(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    case = archived(west, east, certificate.qr)
    verdict = verify_case_file(case, known_roots=(), at=ARCHIVED)
    assert verdict.report.indication is Indication.INDETERMINATE
    codes = {finding.code for finding in verdict.report.findings}
    assert {"archive_network_unknown", "archive_not_proven"} <= codes


def test_trust_data_that_do_not_verify_are_told(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    report = west.verify(certificate.qr)
    bundle = make_bundle(store_of(west), ARCHIVED)
    case = make_case_file(
        certificate.qr,
        report,
        timestamper=stamper(east, ARCHIVED),
        made_at=ARCHIVED,
        trust={**bundle, "metadata/targets.json": b"{}"},
    )
    verdict = verify_case_file(case, known_roots=roots(west), trust_now=now_view(west), at=ARCHIVED)
    assert "archive_trust_damaged" in {finding.code for finding in verdict.report.findings}
    assert verdict.report.indication is Indication.INDETERMINATE


def test_an_anchor_in_the_file_counts_only_if_the_asker_names_it_too(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    """Else a forger would bring along its own authority."""
    from verifier.service import PolicyRequest

    anchor = east.custody.ca.certificate
    service = west.counter.service
    service._trust = lambda: None
    report = service.verify(certificate.sd_jwt, PolicyRequest(anchors=(anchor,)))
    case = make_case_file(certificate.sd_jwt, report, timestamper=stamper(east, ARCHIVED), made_at=ARCHIVED, trust=None)
    named = verify_case_file(case, known_roots=(), anchors=(anchor,), at=ARCHIVED)
    assert found(named, "path_anchor")
    assert named.proven_at == ARCHIVED
    unnamed = verify_case_file(case, known_roots=(), at=ARCHIVED)
    assert unnamed.report.indication is Indication.INDETERMINATE
    assert "path_anchor" not in {finding.code for finding in unnamed.report.findings}


# --- what is no case file


@pytest.mark.parametrize(
    "changes",
    [
        {"case.json": None},
        {"case.json": b"{"},
        {"case.json": b"[]"},
        {"case.json": b'{"format":"yinxin-case/2"}'},
        {"case.json": b'{"format":"yinxin-case/1","evidence":"../x"}'},
        {"case.json": b'{"format":"yinxin-case/1","evidence":"evidence/x","judged_at":"9999-12-31T23:59:59-23:00"}'},
        {"mimetype": b"application/vnd.etsi.asic-s+zip"},
        {"META-INF/signature.p7s": b"0"},
        {"anchors/001.der": b"0"},
        {"META-INF/ASiCManifest.xml": None},
    ],
)
def test_another_container_is_refused_and_never_raises(
    certificate: Issued,
    east: Region,
    west: Region,
    changes: dict[str, bytes | None],
) -> None:
    case = changed(archived(west, east, certificate.qr), changes)
    verdict = verify_case_file(case, known_roots=roots(west), at=ARCHIVED)
    assert (verdict.report.indication, verdict.report.sub_indication) == (
        Indication.FAILED,
        SubIndication.FORMAT_FAILURE,
    )
    assert (verdict.report.kind, verdict.recorded) == (EvidenceKind.ARCHIVE, None)


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.archives.reading.MAX_CASE", 10)
    verdict = verify_case_file(b"PK\x03\x04" + b"0" * 100, known_roots=(), at=ARCHIVED)
    assert code(verdict) == "too_large"


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_a_verdict(
    certificate: Issued,
    east: Region,
    west: Region,
    data: st.DataObject,
) -> None:
    case = _once(west, east, certificate)
    position = data.draw(st.integers(0, len(case) - 1))
    other = data.draw(st.binary(max_size=6))
    damaged = case[:position] + other + case[position + len(other) :]
    verdict = verify_case_file(damaged, known_roots=roots(west), at=ARCHIVED)
    assert damaged == case or verdict.report.indication is not Indication.PASSED or _same(damaged, case)


_made: dict[int, bytes] = {}


def _once(west: Region, east: Region, certificate: Issued) -> bytes:
    key = id(certificate)
    if key not in _made:
        _made[key] = archived(west, east, certificate.qr)
    return _made[key]


def _same(one: bytes, other: bytes) -> bool:
    return read_case_file(one).container.files == read_case_file(other).container.files
