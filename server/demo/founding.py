"""The ceremony of the demonstration, held for real: thresholds of officers sign, nobody else can.

Each founding region has a seat; root and targets need more than half of them, each region's list two of three officers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keys.algorithms import EDDSA
from keys.signer import Signer
from server.demo.custody import Custody
from server.demo.lists import RegionInCustody, common_list, region_list
from server.demo.world import COMMON_OFFICERS, REGIONS
from server.transparency import witness_name
from trust_registry.catalogue import COMMON, COMMON_NAMES
from trust_registry.ceremony import admit, found_network, proposal, propose, sign
from trust_registry.log.declaration import declare_log
from trust_registry.log.witness_store import Witness
from trust_registry.model import ListKind, Names, RegionCode
from trust_registry.publication import OnlineKeys, publish
from trust_registry.repository import Repository
from trust_registry.tuf_keys import Officer

THRESHOLD = 2


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs for a list."""

    kind: ListKind
    code: RegionCode
    names: Names
    officers: Sequence[Officer]
    signers: Sequence[Signer]


def found(repository: Repository, custody: Custody, now: datetime, public_url: str) -> tuple[RegionInCustody, ...]:
    """Found the network with its log, admit both regions and the common body, publish their lists.

    Each region witnesses the log with a key of its own; both must cosign. What they have seen is kept in `witness/`
    beside the repository.
    """
    log_key = custody.key("network/log", EDDSA)
    witness_keys = {region.code: custody.key(f"{region.code}/witness", EDDSA) for region in REGIONS}
    named = [(witness_name(public_url, code), key.public_key) for code, key in witness_keys.items()]
    log = declare_log(log_origin(public_url), log_key.public_key, named, quorum=len(REGIONS))
    submits = {
        witness_name(public_url, code): Witness(
            witness_name(public_url, code), key, [log.key], repository.folder.parent / "witness" / code, lambda: now
        ).add_checkpoint
        for code, key in witness_keys.items()
    }
    host = OnlineKeys(custody.key("network/snapshot"), custody.key("network/timestamp"), log_key, submits)
    network = custody.officers("network", len(REGIONS))
    seats = [
        Officer(f"联席会议 {region.names.zh}代表", signer.public_key, region.code)
        for region, signer in zip(REGIONS, network, strict=True)
    ]
    founding = found_network(repository, seats=seats, online=host, now=now, log=log.to_field())
    _carry_out(repository, founding.id, network, host, now)
    common = _authority(custody, ListKind.BODY, COMMON, COMMON_NAMES, COMMON_OFFICERS)
    regions = [_authority(custody, ListKind.REGION, r.code, r.names, r.officers) for r in REGIONS]
    for each in (common, *regions):
        admission = admit(
            repository,
            kind=each.kind,
            code=each.code,
            names=each.names,
            officers=each.officers,
            threshold=THRESHOLD,
            seat=None,
            now=now,
        )
        _carry_out(repository, admission.id, network, host, now)
    _carry_out(repository, propose(repository, common_list(now), now).id, common.signers, host, now)
    made = []
    for region, authority in zip(REGIONS, regions, strict=True):
        in_custody = region_list(region, custody, now, public_url, repository.add_image)
        _carry_out(repository, propose(repository, in_custody.list, now).id, authority.signers, host, now)
        made.append(in_custody)
    return tuple(made)


def log_origin(public_url: str) -> str:
    """The log's name: where it is served, without the scheme."""
    return f"{public_url.partition('://')[2]}/trust/log"


def _named(names: Sequence[str], signers: Sequence[Signer]) -> list[Officer]:
    return [Officer(name, signer.public_key) for name, signer in zip(names, signers, strict=True)]


def _authority(custody: Custody, kind: ListKind, code: RegionCode, names: Names, officers: Sequence[str]) -> Authority:
    signers = custody.officers(code, len(officers))
    return Authority(kind, code, names, _named(officers, signers), signers)


def _carry_out(
    repository: Repository, proposal_id: str, signers: Sequence[Signer], host: OnlineKeys, now: datetime
) -> None:
    for signer in signers:
        if not proposal(repository, proposal_id).ready:
            sign(repository, proposal_id, signer)
    publish(repository, proposal_id, host, now)
