"""The log against plain hashing, its proofs, a refresh with nothing new, and publishing a list of 2,000 issuers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, thread_time

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate
from tests.trust_registry.logged import LoggedNetwork, logged_network
from tests.trust_registry.network import DAY, DAY_0, EAST, URL, east_list, issuer_entry, key_entry, office
from trust_registry.ceremony import propose, sign
from trust_registry.log.merkle import inclusion_holds, leaf_hash
from trust_registry.log.proofs import TreeReader, folder_tiles
from trust_registry.log.writer import append
from trust_registry.model import IssuerEntry, IssuerId, KeyUse, RegionList, SealId
from trust_registry.publication import publish

LEAVES, ISSUERS = 1_000_000, 2_000
BATCH, ENTRY_SIZE = 100_000, 279  # an entry of ours; those behind the third batch are short, to spare the disk


def run() -> list[tuple[str, float, str]]:
    """(name, figure, goal)."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            *_log(Path(folder) / "log"),
            *_refresh(Path(folder) / "refresh"),
            *_publishing(Path(folder) / "publish"),
        ]


def _log(folder: Path) -> list[tuple[str, float, str]]:
    ratios, walls, size = [], [], 0
    root = b""
    while size < LEAVES:
        width = _width(size)
        entries = [b"%0*d" % (width, number) for number in range(size, size + BATCH)]
        plain = _cpu(lambda entries=entries: _hash_only(entries))  # type: ignore[misc]
        began, wall = thread_time(), perf_counter()
        tree = append(folder, size, entries)
        if width == ENTRY_SIZE:
            ratios.append(plain / (thread_time() - began))
            walls.append(plain / (perf_counter() - wall))
        size, root = tree.size, tree.root_hash
    reader = TreeReader(folder_tiles(folder), LEAVES)
    indexes = [number * 7919 % LEAVES for number in range(400)]
    for index in indexes:  # reads and hashes the tiles
        reader.inclusion_proof(index)
    took = []
    for index in indexes:
        began = perf_counter()
        proof = reader.inclusion_proof(index)
        took.append(perf_counter() - began)
        assert inclusion_holds(index, LEAVES, leaf_hash(b"%0*d" % (_width(index), index)), proof, root)
    cold = []
    for index in indexes[:40]:
        began = perf_counter()
        TreeReader(folder_tiles(folder), LEAVES).inclusion_proof(index)
        cold.append(perf_counter() - began)
    return [
        (f"log append, batches of {BATCH:,}, times the rate of hashing alone, CPU", median(ratios), ">= 0.5"),
        ("the same with the time that the disk takes", median(walls), "reported"),
        (f"inclusion proof at {LEAVES:,} leaves, tiles read, us", median(took) * 1e6, "< 100"),
        ("the same, tiles read from files and hashed, us", median(cold) * 1e6, "reported"),
    ]


def _width(number: int) -> int:
    return ENTRY_SIZE if number < 3 * BATCH else 16


def _hash_only(entries: list[bytes]) -> None:
    """Two SHA-256 per leaf, and nothing else."""
    for entry in entries:
        leaf = sha256(b"\0" + entry).digest()
        sha256(b"\1" + leaf + leaf).digest()


def _cpu(call: Callable[[], None]) -> float:
    began = thread_time()
    call()
    return thread_time() - began


def _refresh(folder: Path) -> list[tuple[str, float, str]]:
    network = logged_network(folder)
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    asked: list[str] = []

    def fetch(url: str, /) -> bytes:
        asked.append(url)
        return network.fetch(url)

    took = []
    for _ in range(100):
        asked.clear()
        began = process_time()
        store.refresh(fetch, DAY_0 + DAY)
        took.append(process_time() - began)
    assert all(url.startswith(URL) for url in asked)
    return [
        ("refresh with nothing new, requests", float(len(asked)), "<= 2"),
        ("refresh with nothing new, CPU ms", median(took) * 1e3, "<= 10"),
    ]


def _publishing(folder: Path) -> list[tuple[str, float, str]]:
    network = logged_network(folder)
    large = _large(network)
    _signed_and_published(network, replace(large, version=2))
    known = network.store()
    known.refresh(network.fetch, network.now)
    network.now += DAY
    took = _signed_and_published(network, replace(large, authority=replace(large.authority, en="Another Bureau")))
    began = perf_counter()
    known.refresh(network.fetch, network.now)
    return [
        (f"publishing a list of {ISSUERS:,} issuers, signatures given, s", took, "< 2"),
        ("a client's refresh that brings it, s", perf_counter() - began, "reported"),
    ]


def _signed_and_published(network: LoggedNetwork, region_list: RegionList) -> float:
    proposed = propose(network.repository, region_list, network.now)
    for signer in network.signers[EAST]:
        sign(network.repository, proposed.id, signer)
    began = perf_counter()
    assert publish(network.repository, proposed.id, network.online, network.now).in_force
    return perf_counter() - began


def _large(network: LoggedNetwork) -> RegionList:
    old = network.repository.list_of(EAST) or east_list()
    return replace(old, attests=(*old.attests, *(_issuer(number) for number in range(ISSUERS - len(old.attests)))))


def _issuer(number: int) -> IssuerEntry:
    """An issuer with a seal and a status key of its own, both certified by the region."""
    pattern, keys = issuer_entry(), office(EAST)
    issuer = IssuerId(f"990100/office-{number:04d}")

    def certified(profile: Profile) -> object:
        return make_certificate(
            profile,
            ca_signer=keys.ca_signer,
            ca=keys.ca,
            subject_key=EphemeralSigner.generate(ES256).public_key,
            common_name=f"office {number}",
            organisation="Region 990100",
            uscc=None,
            uri=None,
            not_before=DAY_0,
            not_after=DAY_0 + 3000 * DAY,
        )

    seal = replace(
        pattern.seals[0],
        id=SealId(f"{issuer}/990100{number:08d}"),
        key=key_entry(KeyUse.SEAL, certified(Profile.SEAL)),  # type: ignore[arg-type]
    )
    status = key_entry(KeyUse.STATUS, certified(Profile.STATUS))  # type: ignore[arg-type]
    base = f"http://east.test/status/{issuer}/"
    return replace(pattern, id=issuer, seals=(seal,), status_keys=(status,), status_list_base=base)
