"""Founding, admitting, proposing, signing, publishing: nothing happens below the threshold, nothing half."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from keys.algorithms import ES384
from keys.signer import EphemeralSigner
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    WEST,
    Network,
    common_list,
    east_list,
    issuer_entry,
    west_list,
    whole_network,
    withdrawn,
)
from trust_registry import durable
from trust_registry.ceremony import admit, found_network, pending, proposal, propose, sign
from trust_registry.errors import (
    AlreadyAdmitted,
    AlreadyFounded,
    CeremonyError,
    HistoryRewritten,
    InvalidList,
    NotAnOfficer,
    NotFounded,
    NothingProposed,
    ProposalOutdated,
    ThresholdNotReached,
    UnknownList,
    UnknownProposal,
)
from trust_registry.model import ListKind, Names, RegionCode
from trust_registry.proposals import Proposal
from trust_registry.publication import OnlineKeys, publish, renew
from trust_registry.repository import MAX_IMAGE_SIZE, Repository
from trust_registry.tuf_keys import Officer, OfficerSigner


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


def changed_west() -> object:
    return replace(west_list(), authority=Names("西川区政务局", "Xichuan Affairs Bureau"))


def admitted(
    network: Network,
    officers: Sequence[Officer] = (),
    threshold: int = 1,
    code: str = "990300",
    kind: ListKind = ListKind.REGION,
    seat: Officer | None = None,
) -> Proposal:
    """An admission, proposed."""
    return admit(
        network.repository,
        kind=kind,
        code=RegionCode(code),
        names=Names("南浦区", "Nanpu"),
        officers=officers or [Officer("x", EphemeralSigner.generate(ES384).public_key)],
        threshold=threshold,
        seat=seat,
        now=DAY_0,
    )


def test_publishing_below_the_threshold_names_who_is_missing(network: Network) -> None:
    waiting = propose(network.repository, changed_west(), DAY_0)  # type: ignore[arg-type]
    with pytest.raises(ThresholdNotReached, match="0 \\(none\\)"):
        publish(network.repository, waiting.id, network.online, DAY_0)
    sign(network.repository, waiting.id, network.signers[WEST][0])
    with pytest.raises(ThresholdNotReached) as refusal:
        publish(network.repository, waiting.id, network.online, DAY_0)
    assert refusal.value.signed == ("990200 officer 0",)
    assert refusal.value.missing == ("990200 officer 1",)
    assert network.repository.list_of(WEST).version == 1  # type: ignore[union-attr]
    sign(network.repository, waiting.id, network.signers[WEST][1])
    publish(network.repository, waiting.id, network.online, DAY_0)
    assert network.repository.list_of(WEST).version == 2  # type: ignore[union-attr]
    assert pending(network.repository) == ()


def test_one_officer_signing_twice_is_one_signature(network: Network) -> None:
    waiting = propose(network.repository, changed_west(), DAY_0)  # type: ignore[arg-type]
    for _ in range(2):
        assert sign(network.repository, waiting.id, network.signers[WEST][0]) == ("region-990200",)
    progress = proposal(network.repository, waiting.id).progress[0]
    assert (progress.signed, progress.needed, progress.reached) == (("990200 officer 0",), 1, False)


def test_no_region_signs_for_another_and_no_network_officer_for_a_region(network: Network) -> None:
    waiting = propose(network.repository, changed_west(), DAY_0)  # type: ignore[arg-type]
    for stranger in (network.signers[EAST][0], network.officers[0], network.online.snapshot):
        with pytest.raises(NotAnOfficer, match="990200 officer 0, 990200 officer 1"):
            sign(network.repository, waiting.id, stranger)


def test_no_region_admits_a_region(network: Network) -> None:
    waiting = admitted(network, code="990900", seat=None)
    assert "南浦区" in waiting.changes[0].text.zh
    assert "signed by 1 of 1: x" in waiting.changes[0].text.en
    with pytest.raises(NotAnOfficer):
        sign(network.repository, waiting.id, network.signers[EAST][0])
    network.carry_out(waiting, network.officers[1:])
    assert RegionCode("990900") in {role.code for role in network.repository.current().list_roles()}


def test_what_a_proposal_changes_is_told_in_both_languages(network: Network) -> None:
    over = replace(issuer_entry(), history=withdrawn(issuer_entry().history, DAY_0 + DAY))
    waiting = propose(network.repository, replace(east_list(), attests=(over,)), DAY_0 + DAY)
    (change,) = waiting.changes
    assert change.text.zh == "颁证机构“东岭区民政局”：自 2026-01-02T00:00Z 起撤销（密钥泄露）"
    assert change.text.en == "Issuer Dongling Civil Affairs Bureau: withdrawn from 2026-01-02T00:00Z (key compromise)"
    assert change.entry == "attests/990100/civil-affairs"


def test_a_swapped_list_is_noticed_before_anybody_signs(network: Network) -> None:
    """The attack: a proposer shows one list and has another signed."""
    waiting = propose(network.repository, changed_west(), DAY_0)  # type: ignore[arg-type]
    path = network.repository.proposals / waiting.id / "lists" / "region-990200.json"
    path.write_bytes(path.read_bytes().replace(b"Affairs", b"Affares"))
    with pytest.raises(CeremonyError, match="not the one"):
        sign(network.repository, waiting.id, network.signers[WEST][0])


def test_what_was_overtaken_must_be_proposed_again(network: Network) -> None:
    first = propose(network.repository, changed_west(), DAY_0)  # type: ignore[arg-type]
    network.publish(replace(west_list(), authority=Names("西川区大数据局", "Xichuan Bureau")))
    for act in (
        lambda: sign(network.repository, first.id, network.signers[WEST][0]),
        lambda: publish(network.repository, first.id, network.online, DAY_0),
        lambda: proposal(network.repository, first.id),
    ):
        with pytest.raises(ProposalOutdated):
            act()
    assert pending(network.repository) == ()


@pytest.mark.parametrize("name", ["nothing", "../published", ".", ""])
def test_an_unknown_proposal_is_unknown_wherever_it_points(network: Network, name: str) -> None:
    with pytest.raises(UnknownProposal):
        proposal(network.repository, name)


def test_what_breaks_a_rule_is_not_even_proposed(network: Network) -> None:
    repository = network.repository
    with pytest.raises(NothingProposed):
        propose(repository, west_list(), DAY_0)
    with pytest.raises(UnknownList, match="990300"):
        propose(repository, replace(west_list(), code=RegionCode("990300")), DAY_0)
    with pytest.raises(InvalidList, match="admitted as a region"):
        propose(repository, replace(west_list(), kind=ListKind.BODY), DAY_0)
    entry = replace(west_list().recognises[0], since=DAY_0 - DAY)
    with pytest.raises(InvalidList, match="since"):
        propose(repository, replace(west_list(), recognises=(entry,)), DAY_0)
    with pytest.raises(HistoryRewritten, match="R1"):
        propose(repository, replace(west_list(), recognises=()), DAY_0)
    broken = replace(common_list().defines[0], schema={"type": "array"}, version=2)
    with pytest.raises(InvalidList, match=r"defines\[0\]\.schema"):
        propose(repository, replace(common_list(), defines=(broken, *common_list().defines[1:])), DAY_0)
    with pytest.raises(AlreadyAdmitted):
        network.admit(EAST)
    with pytest.raises(InvalidList, match="code"):
        network.admit(RegionCode("no/slash"))


def test_a_network_is_founded_once_by_its_threshold(tmp_path: Path) -> None:
    network = Network(tmp_path)
    with pytest.raises(NotFounded):
        network.repository.current()
    with pytest.raises(NotFounded):
        network.repository.first_root()
    with pytest.raises(NotFounded):
        network.repository.latest_root()
    network.found()
    with pytest.raises(AlreadyFounded):
        network.found()
    assert pending(network.repository) == ()


@pytest.mark.parametrize(("seats", "threshold"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_more_than_half_of_the_seats_must_sign(tmp_path: Path, seats: int, threshold: int) -> None:
    made = [Officer(str(n), EphemeralSigner.generate(ES384).public_key, RegionCode(f"99010{n}")) for n in range(seats)]
    network = Network(tmp_path)
    founding = found_network(network.repository, seats=made, online=network.online, now=DAY_0)
    assert [(each.role, each.threshold) for each in founding.progress] == [("root", threshold), ("targets", threshold)]


@pytest.mark.parametrize(("threshold", "words"), [(3, "can't be met"), (1, "act alone"), (0, "can't be met")])
def test_thresholds_that_protect_nobody_are_refused(network: Network, threshold: int, words: str) -> None:
    officers = [Officer(str(n), network.officers[n].public_key) for n in range(2)]
    with pytest.raises(CeremonyError, match=words):
        admitted(network, officers, threshold)


def test_one_person_is_not_two_officers(network: Network) -> None:
    key, other = network.officers[0].public_key, network.officers[1].public_key
    for officers in ([Officer("a", key), Officer("b", key)], [Officer("a", key), Officer("a", other)]):
        with pytest.raises(CeremonyError, match="two officers"):
            admitted(network, officers, 2)


def test_one_region_has_one_seat(tmp_path: Path) -> None:
    network = Network(tmp_path)
    key, other = network.officers[0].public_key, network.officers[1].public_key
    for seats, words in (
        ([Officer("a", key, EAST), Officer("b", other, EAST)], "one region has two seats"),
        ([Officer("a", key, EAST), Officer("b", key, WEST)], "the same key"),
        ([Officer("a", key, EAST), Officer("b", other)], "name the region"),
        ([], "name the region"),
    ):
        with pytest.raises(CeremonyError, match=words):
            found_network(network.repository, seats=seats, online=network.online, now=DAY_0)


def test_a_region_joins_with_a_seat_and_the_threshold_grows_by_rule(network: Network) -> None:
    """Issue: growing the set of authorities changes the threshold by rule."""
    newcomer = EphemeralSigner.generate(ES384)
    waiting = admitted(network, seat=Officer("newcomer", newcomer.public_key))
    assert [(each.role, each.threshold) for each in waiting.progress] == [("root", 2), ("root", 3), ("targets", 3)]
    for signer in network.officers[:2]:
        sign(network.repository, waiting.id, signer)
    with pytest.raises(ThresholdNotReached, match="newcomer"):
        publish(network.repository, waiting.id, network.online, DAY_0)
    network.carry_out(waiting, [newcomer])
    root = network.repository.current().root.signed
    assert (root.version, root.roles["root"].threshold, root.roles["targets"].threshold) == (2, 3, 3)
    result = network.store().refresh(network.fetch, DAY_0)
    assert result.view.metadata_versions["root"] == 2


@pytest.mark.parametrize(
    ("kind", "code", "seat", "words"),
    [
        (ListKind.REGION, "990300", None, "needs the key of its seat"),
        (ListKind.REGION, "990300", EAST, "needs the key of its seat"),
        (ListKind.REGION, "990900", RegionCode("990900"), "has a seat already"),
        (ListKind.BODY, "ministry", RegionCode("ministry"), "has no seat"),
    ],
)
def test_regions_have_a_seat_and_bodies_none(
    network: Network, kind: ListKind, code: str, seat: RegionCode | None, words: str
) -> None:
    key = EphemeralSigner.generate(ES384).public_key
    with pytest.raises(CeremonyError, match=words):
        admitted(network, code=code, kind=kind, seat=None if seat is None else Officer("seat", key, seat))
    with pytest.raises(CeremonyError, match="same key"):
        admitted(network, seat=Officer("twin", network.officers[0].public_key))


def test_the_host_renews_its_own_signatures_when_due(network: Network) -> None:
    assert not renew(network.repository, network.online, DAY_0 + DAY)
    before = network.repository.current()
    assert renew(network.repository, network.online, DAY_0 + 3 * DAY)
    after = network.repository.current()
    assert after.timestamp.signed.expires == DAY_0 + 10 * DAY
    assert after.snapshot.signed.version == before.snapshot.signed.version
    assert renew(network.repository, network.online, DAY_0 + 20 * DAY)
    assert network.repository.current().snapshot.signed.expires == DAY_0 + 50 * DAY
    assert network.repository.current().targets.signed.version == before.targets.signed.version


def test_a_crash_at_any_step_of_publishing_leaves_the_old_state_or_the_new_one(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: the published state is either the old or the new one, never between. The judge is a client."""
    waiting = propose(network.repository, changed_west(), DAY_0)  # type: ignore[arg-type]
    for signer in network.signers[WEST]:
        sign(network.repository, waiting.id, signer)
    real, seen = durable.write_durably, []
    for step in range(10):
        left = step

        def failing(path: Path, data: bytes) -> None:
            nonlocal left
            if left == 0:
                raise OSError("power cut")
            left -= 1
            real(path, data)

        for module in ("publication", "repository"):
            monkeypatch.setattr(f"trust_registry.{module}.write_durably", failing)
        try:
            publish(network.repository, waiting.id, network.online, DAY_0)
        except OSError:
            done = False
        else:
            done = True
        view = network.store(f"copy-{step}").refresh(network.fetch, DAY_0).view
        seen.append(view.lists[WEST].version)
        if done:
            break
    assert seen == [1, 1, 1, 1, 2]
    assert network.repository.list_of(EAST) is not None


def test_a_crash_while_writing_one_file_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    durable.write_durably(path, b"old")

    def power_cut(_: int) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(durable.os, "fsync", power_cut)
    with pytest.raises(OSError, match="power cut"):
        durable.write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_seal_images_are_kept_by_their_digest(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    digest = repository.add_image(b"<svg/>")
    assert digest == issuer_entry().seals[0].image_digest
    assert repository.image(digest) == b"<svg/>"
    assert repository.image("sha256:" + "0" * 64) is None
    assert repository.image("sha256:../../etc/passwd") is None
    (repository.images / f"{digest[7:]}.svg").write_bytes(b"<svg>altered</svg>")
    assert repository.image(digest) is None
    with pytest.raises(ValueError, match="at most"):
        repository.add_image(bytes(MAX_IMAGE_SIZE + 1))


def test_officers_keys_of_every_kind_sign_metadata(tmp_path: Path) -> None:
    network = Network(tmp_path)
    network.officers = [*network.officers[:1], EphemeralSigner.generate(ES384)]
    network.found()
    assert network.store().refresh(network.fetch, DAY_0).view.metadata_versions["root"] == 1
    with pytest.raises(NotImplementedError):
        OfficerSigner.from_priv_key_uri("file:x", OfficerSigner(network.officers[0]).public_key)


def test_the_record_of_what_was_published_keeps_its_signatures(network: Network) -> None:
    records = [json.loads(path.read_bytes()) for path in network.repository.published.glob("*/proposal.json")]
    assert {record["kind"] for record in records} == {"founding", "admission", "list"}
    signatures = list(network.repository.published.glob("region-990100-*/signatures/*.json"))
    assert len(signatures) == 2
    assert isinstance(network.online, OnlineKeys)
