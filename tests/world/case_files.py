"""Making case files in the simulated world, altering them, and reading what their verdicts say. Holds no test."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys.envelopes.strict_zip import write_zip
from keys.model import Algorithm
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from tests.world.founding import DAY, DAY_0
from tests.world.simulator import Region
from trust_registry.bundle import make_bundle
from trust_registry.client import TrustStore
from trust_registry.model import RelyingPartyId, TrustView
from verifier import messages
from verifier.archives import (
    CaseVerdict,
    make_case_file,
)
from verifier.model import Finding, Report
from verifier.receipts import ReceiptKey, make_receipt, sign_receipt

YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
HALL = RelyingPartyId("990200/government-hall")
ARCHIVED = DAY_0 + DAY


def store_of(region: Region) -> TrustStore:
    return TrustStore(region.counter.keeper._store.folder)


def roots(region: Region) -> tuple[bytes, ...]:
    """What the machine of this region's records office trusts."""
    history = store_of(region).metadata_folder / "root_history"
    return tuple(path.read_bytes() for path in sorted(history.iterdir()))


def now_view(region: Region) -> TrustView:
    region.counter.refresh()
    view = region.counter.keeper.view
    assert view is not None
    return view


def stamper(region: Region, at: datetime) -> EmbeddedTimestamper:
    keys = region.custody.timestamper
    return EmbeddedTimestamper(keys.signer, keys.certificate, (), lambda: at)


def receipt_for(region: Region, report: Report) -> str:
    keeper = region.counter.keeper
    made = make_receipt(
        report,
        receipt_id="r1",
        relying_party=HALL,
        issued_at=report.judged_at,
        trust=keeper.view,
        statuses=keeper.statuses,
    )
    return sign_receipt(made, ReceiptKey(region.custody.hall.signer, region.custody.hall.certificate))


def archived(region: Region, by: Region, evidence: bytes | str, *, receipt: bool = True) -> bytes:
    """What the counter of `region` files today, stamped by the time-stamper of `by`."""
    report = region.verify(evidence)
    return make_case_file(
        evidence,
        report,
        timestamper=stamper(by, region.world.now),
        made_at=region.world.now,
        trust=make_bundle(store_of(region), region.world.now),
        receipt=receipt_for(region, report) if receipt else None,
    )


def code(verdict: CaseVerdict) -> str | None:
    for finding in verdict.report.findings:
        for language in ("zh", "en"):
            assert messages.sentence(finding, language)
            messages.finding_next_step(finding, language)
    return None if verdict.report.decisive is None else verdict.report.decisive.code


def found(verdict: CaseVerdict, wanted: str) -> Finding:
    return next(each for each in verdict.report.findings if each.code == wanted)


@dataclass(frozen=True)
class Authority:
    """A time-stamping authority of later, which nobody lists: whoever believes it names it as an anchor."""

    anchor: Certificate
    timestamper: EmbeddedTimestamper


def authority(algorithm: Algorithm, since: datetime, until: datetime, at: datetime) -> Authority:
    ca_signer, key = EphemeralSigner.generate(algorithm), EphemeralSigner.generate(algorithm)
    anchor = make_region_ca(
        ca_signer, common_name=f"{since}", organisation="o", region="990100", not_before=since, not_after=until
    )
    made = make_certificate(
        Profile.TIMESTAMP,
        ca_signer=ca_signer,
        ca=anchor,
        subject_key=key.public_key,
        common_name="TSA",
        organisation="o",
        uscc=None,
        uri=None,
        not_before=since,
        not_after=until,
    )
    return Authority(anchor, EmbeddedTimestamper(key, made, (), lambda: at))


def changed(case: bytes, changes: dict[str, bytes | None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(case)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {name: content for name, content in changes.items() if content is not None}
    for name, content in changes.items():
        if content is None:
            del members[name]
    return write_zip(members, stored=("mimetype",))
