"""A nation's trust data: 31 regions x 2,000 issuers x 20 types, as verified bytes, become a view that answers.

Everything runs in a process of its own, so that its memory is only what the view takes (the interpreter and the imports
are subtracted). Certificates are random bytes of usual size: nothing here opens them.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from stdnum.cn import uscc

from tests.trust_registry.network import DAY, DAY_0, east_list, granted, recognition, view_of, withdrawn
from trust_registry.canonical_lists import without_cycle_collection
from trust_registry.core import check_list, judge_recognition
from trust_registry.model import (
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    Names,
    RegionCode,
    RegionList,
    SealEntry,
    SealId,
    TrustView,
    TypeGrant,
    TypeId,
)
from trust_registry.wire import list_from_json, list_to_json

REGIONS, ISSUERS = 31, 2000
TYPES = tuple(TypeId(f"common/type-{number:02d}") for number in range(20))
CODES = tuple(RegionCode(f"{990100 + 100 * number}") for number in range(REGIONS))
AT = DAY_0 + 500 * DAY


def nation(folder: Path, regions: int = REGIONS, issuers: int = ISSUERS) -> None:
    """Write the lists of a nation into `folder`, every region recognising every type of every other."""
    rnd = random.Random(20)
    for code in CODES[:regions]:
        entries = tuple(
            replace(recognition(), id=f"R{number}", issuing=issuing, type_id=type_id, as_type=type_id, scenarios=())
            for number, (issuing, type_id) in enumerate(
                ((issuing, type_id) for issuing in CODES if issuing != code for type_id in TYPES), 1
            )
        )
        attests = tuple(_issuer(code, number, rnd) for number in range(issuers))
        whole = replace(east_list(), code=code, authorities=(), attests=attests, recognises=entries)
        (folder / f"{code}.json").write_bytes(list_to_json(whole))


def _issuer(code: RegionCode, number: int, rnd: random.Random) -> IssuerEntry:
    """Grants of one issuer begin on one day; one in twenty was withdrawn later."""
    issuer = IssuerId(f"{code}/office-{number:04d}")
    since = granted(DAY_0 + timedelta(days=rnd.randrange(300)))

    def key(use: KeyUse) -> KeyEntry:
        certificate = rnd.randbytes(620)
        return KeyEntry(use, certificate, hashlib.sha256(certificate).hexdigest(), since)

    seal = SealEntry(
        SealId(f"{issuer}/{code}{number:08d}"),
        Names(f"第{number}号机关电子印章", f"Seal of office {number}"),
        "sha256:" + rnd.randbytes(32).hex(),
        TYPES,
        DAY_0,
        DAY_0 + 1000 * DAY,
        key(KeyUse.SEAL),
        since,
    )
    ended = withdrawn(since, since[0].at + 10 * DAY)
    start = f"11{code}MB{number:07d}"
    return IssuerEntry(
        issuer,
        Names(f"第{number}号机关", f"Office {number}"),
        start + uscc.calc_check_digit(start),
        tuple(TypeGrant(type_id, ended if rnd.random() < 0.05 else since) for type_id in TYPES),
        (seal,),
        (key(KeyUse.STATUS),),
        f"https://status.example/{issuer}/",
        Names("政务大厅", "Government hall"),
        since,
    )


def measure(folder: Path) -> dict[str, float]:
    """Seconds of CPU and MiB: reading with all checks and the view, then questions to it."""
    before = _resident_mib()
    started = process_time()
    with without_cycle_collection():  # as `trusted_copy` reads them
        lists = [_verified(path) for path in sorted(folder.glob("*.json"))]
        read = process_time()
        view = view_of(*lists)
        viewed = process_time()
    memory = _resident_mib() - before
    return {
        "read": read - started,
        "view": viewed - read,
        "memory": memory,
        "judge": _microseconds(view),
    }


def _verified(path: Path) -> RegionList:
    data = path.read_bytes()
    hashlib.sha256(data).digest()
    found = list_from_json(data)
    check_list(found)
    return found


def _microseconds(view: TrustView) -> float:
    rnd = random.Random(3)
    asked = [(rnd.choice(CODES), rnd.choice(TYPES), rnd.choice(CODES)) for _ in range(2000)]
    took = []
    for issuing, type_id, accepting in asked:
        started = perf_counter()
        answer = judge_recognition(view, issuing, type_id, accepting, None, AT)
        took.append(perf_counter() - started)
        assert answer.accepted
    return median(took) * 1e6


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS: this measurement needs Linux")


def run() -> list[tuple[str, float, str]]:
    with tempfile.TemporaryDirectory() as folder:
        nation(Path(folder))
        command = [sys.executable, "-m", "tests.benchmarks.bench_registry", folder]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    whole = "31 regions x 2,000 issuers x 20 types"
    return [
        (f"{whole}: verified bytes to view, checks included, CPU s", found["read"] + found["view"], "reported"),
        (f"{whole}: lists to TrustView, CPU s", found["view"], "< 3"),
        (f"{whole}: resident MiB of lists and view", found["memory"], "< 400"),
        ("judge_recognition on it, us", found["judge"], "<= 20"),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
