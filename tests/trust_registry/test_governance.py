"""Regions leave and come back, seats and officers change, host keys roll, the log moves: by threshold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, Root, Targets

from keys.algorithms import EDDSA, ES256
from keys.signer import EphemeralSigner
from tests.trust_registry.logged import logged_network
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    SEATED,
    WEST,
    Network,
    west_list,
    whole_network,
)
from trust_registry.ceremony import (
    admit,
    change_log,
    change_officers,
    change_online_keys,
    change_seat,
    expel,
    pending,
    propose,
    renew_list,
    renew_network,
    sign,
)
from trust_registry.core import status_at
from trust_registry.errors import (
    CeremonyError,
    NotAnOfficer,
    NothingProposed,
    ProposalOutdated,
    RefreshRefused,
    RuleBroken,
    ThresholdNotReached,
    UnknownList,
)
from trust_registry.log.declaration import declare_log
from trust_registry.model import EntryStatus, ListKind, Names, RegionCode
from trust_registry.proposals import Proposal, read_draft, store_draft
from trust_registry.publication import OnlineKeys, publish, renew
from trust_registry.tuf_keys import LOG_FIELD, Officer, OfficerSigner

THIRD = SEATED[2]
KEYS = [EphemeralSigner.generate(EDDSA).public_key for _ in range(3)]
LOG = declare_log("log.test/yinxin", KEYS[0], [("east", KEYS[1]), ("west", KEYS[2])], quorum=2).to_field()


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


def words(proposal: Proposal) -> dict[str, str]:
    return {change.entry: change.text.en for change in proposal.changes}


def test_an_expelled_region_loses_its_seat_its_delegation_and_its_say(network: Network) -> None:
    """Issue: shrinking the set of authorities changes the threshold by rule; consequences are shown first."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    waiting = expel(network.repository, EAST, DAY_0)
    told = words(waiting)
    assert told["seats/990100"] == "Removes the seat of 990100"
    assert told["region-990100"] == "Expels Region 990100"
    assert told["region-990100/consequences"] == (
        "Consequence: its 1 issuers and 1 seals are no longer believed, and 1 recognitions that name it lead nowhere "
        "(990200/R1)"
    )
    assert [(each.role, each.threshold) for each in waiting.progress] == [("root", 2), ("root", 2), ("targets", 2)]
    sign(network.repository, waiting.id, network.officers[0])
    sign(network.repository, waiting.id, network.officers[1])
    with pytest.raises(ThresholdNotReached):  # of those who stay, one has signed
        publish(network.repository, waiting.id, network.online, DAY_0)
    network.carry_out(waiting, network.officers[2:])
    for copy in (store, network.store("fresh")):
        view = copy.refresh(network.fetch, DAY_0).view
        assert (view.left, [each.code for each in view.members(DAY_0)]) == ({EAST: DAY_0}, ["common", WEST])
        assert status_at(view.lists[EAST].attests[0].history, DAY_0) is EntryStatus.WITHDRAWN
    with pytest.raises(NotAnOfficer):
        sign(network.repository, renew_network(network.repository, DAY_0).id, network.officers[0])
    with pytest.raises(UnknownList):
        expel(network.repository, EAST, DAY_0)


def test_who_was_expelled_comes_back_with_its_last_list(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    network.carry_out(expel(network.repository, WEST, DAY_0), network.officers[::2])
    store.refresh(network.fetch, DAY_0)
    officers = [EphemeralSigner.generate(ES256) for _ in range(2)]
    back = admit(
        network.repository,
        kind=ListKind.REGION,
        code=WEST,
        names=Names("西川区", "Xichuan"),
        officers=[Officer(f"new {n}", each.public_key) for n, each in enumerate(officers)],
        threshold=2,
        seat=Officer("west again", network.officers[1].public_key),
        now=DAY_0,
    )
    assert [each.role for each in back.progress] == ["root", "root", "targets", "region-990200"]
    network.carry_out(back, [*network.officers, *officers])
    view = store.refresh(network.fetch, DAY_0).view
    assert (view.left, view.lists[WEST]) == ({}, network.repository.list_of(WEST))


def test_a_founding_region_that_never_joined_gives_up_its_seat(network: Network) -> None:
    network.carry_out(expel(network.repository, THIRD, DAY_0), network.officers)
    root = network.repository.current().root.signed
    assert root.roles["root"].threshold == 2
    assert len(root.keys) == 4  # two seats, two keys of the host: nothing else is kept
    network.store().refresh(network.fetch, DAY_0)
    for code in (WEST, EAST):
        with pytest.raises(ThresholdNotReached):  # of two, neither can throw the other out alone
            network.carry_out(expel(network.repository, code, DAY_0), network.officers[:1])


def test_the_last_seat_stays(tmp_path: Path) -> None:
    network = Network(tmp_path)
    network.officers = network.officers[:1]
    network.found()
    with pytest.raises(CeremonyError, match="last seat"):
        expel(network.repository, EAST, DAY_0)


def test_a_seat_changes_its_key(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    newcomer = EphemeralSigner.generate(ES256)
    waiting = change_seat(network.repository, Officer("new hand", newcomer.public_key, WEST), DAY_0)
    assert words(waiting)["seats/990200"].startswith("The seat of 990200 passes to new hand (key ")
    network.carry_out(waiting, [network.officers[0], network.officers[2]])  # the old key is lost
    assert store.refresh(network.fetch, DAY_0).view.metadata_versions["root"] == 2
    with pytest.raises(NotAnOfficer):
        sign(network.repository, renew_network(network.repository, DAY_0).id, network.officers[1])
    network.carry_out(renew_network(network.repository, DAY_0), [network.officers[0], newcomer])
    store.refresh(network.fetch, DAY_0)


def test_a_seat_that_is_not_there_or_not_new_does_not_change(network: Network) -> None:
    key = EphemeralSigner.generate(ES256).public_key
    for region in (RegionCode("990300"), None):
        with pytest.raises(CeremonyError, match="holds no seat"):
            change_seat(network.repository, Officer("x", key, region), DAY_0)
    with pytest.raises(NothingProposed):
        change_seat(network.repository, Officer("officer 1", network.officers[1].public_key, WEST), DAY_0)
    with pytest.raises(CeremonyError, match="same key"):
        change_seat(network.repository, Officer("x", network.officers[0].public_key, WEST), DAY_0)


def test_a_change_of_officers_is_told_by_name(network: Network) -> None:
    old, new = network.signers[WEST], [EphemeralSigner.generate(EDDSA) for _ in range(2)]
    officers = [Officer("990200 officer 0", old[0].public_key)]
    officers += [Officer(f"new {n}", each.public_key) for n, each in enumerate(new)]
    waiting = change_officers(network.repository, WEST, officers=officers, threshold=2, now=DAY_0)
    told = list(words(waiting).values())
    assert told[0] == "Changes Region 990200: region-990200 is signed by 2 of 3: 990200 officer 0, new 0, new 1"
    assert [line.split(" (")[0] for line in told[1:]] == [
        "Adds the officer new 0",
        "Adds the officer new 1",
        "Removes the officer 990200 officer 1",
    ]
    assert {each.role: each.needed for each in waiting.progress} == {"targets": 2, "region-990200": 2}


def test_officers_change_and_the_list_goes_on(network: Network) -> None:
    """Issue: officers change. Who left signs no more; the list stays believed without a gap."""
    old, new = network.signers[WEST], [EphemeralSigner.generate(EDDSA) for _ in range(2)]
    officers = [Officer("990200 officer 0", old[0].public_key)]
    officers += [Officer(f"new {n}", each.public_key) for n, each in enumerate(new)]
    store = network.store()
    before = store.refresh(network.fetch, DAY_0).view.lists[WEST]
    waiting = change_officers(network.repository, WEST, officers=officers, threshold=2, now=DAY_0)
    for signer in network.officers[:2]:
        sign(network.repository, waiting.id, signer)
    with pytest.raises(ThresholdNotReached, match="region-990200"):
        publish(network.repository, waiting.id, network.online, DAY_0)
    network.carry_out(waiting, new)
    assert store.refresh(network.fetch, DAY_0).view.lists[WEST] == before
    changed = propose(network.repository, replace(west_list(), names=Names("西川", "Xichuan again")), DAY_0 + DAY)
    with pytest.raises(NotAnOfficer, match="new 0, new 1"):
        sign(network.repository, changed.id, old[1])
    network.carry_out(changed, [old[0], new[1]])
    assert store.refresh(network.fetch, DAY_0 + DAY).view.lists[WEST].names.en == "Xichuan again"
    with pytest.raises(NothingProposed):
        change_officers(network.repository, WEST, officers=officers, threshold=2, now=DAY_0)
    with pytest.raises(CeremonyError, match="act alone"):
        change_officers(network.repository, WEST, officers=officers, threshold=1, now=DAY_0)


def test_a_region_without_a_list_changes_its_officers_too(network: Network) -> None:
    network.admit(THIRD)
    officers = [Officer("only", EphemeralSigner.generate(ES256).public_key)]
    waiting = change_officers(network.repository, THIRD, officers=officers, threshold=1, now=DAY_0)
    assert [each.role for each in waiting.progress] == ["targets"]
    network.carry_out(waiting, network.officers)


def test_stolen_host_keys_are_replaced_and_what_they_signed_is_forgotten(network: Network) -> None:
    """TUF 5.3.11: recovery from a fast-forward attack. Whoever stole the keys counted up to a billion."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    fast_forward(network, 1_000_000_000)
    store.refresh(network.fetch, DAY_0)
    copy = OnlineKeys(EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256))
    waiting = change_online_keys(network.repository, copy, DAY_0)
    assert set(words(waiting)) == {"snapshot", "timestamp"}
    assert [(each.role, each.threshold) for each in waiting.progress] == [("root", 2)]
    for signer in network.officers[:2]:
        sign(network.repository, waiting.id, signer)
    restore(network)
    with pytest.raises(CeremonyError, match="not the one that root names"):
        publish(network.repository, waiting.id, network.online, DAY_0)
    publish(network.repository, waiting.id, copy, DAY_0)
    view = store.refresh(network.fetch, DAY_0).view
    assert (view.metadata_versions["root"], view.metadata_versions["timestamp"] < 1000) == (2, True)
    with pytest.raises(CeremonyError, match="not the one that root names"):
        renew(network.repository, network.online, DAY_0 + 20 * DAY)
    assert renew(network.repository, copy, DAY_0 + 20 * DAY)
    store.refresh(network.fetch, DAY_0 + 20 * DAY)
    with pytest.raises(NothingProposed):
        change_online_keys(network.repository, copy, DAY_0)


def fast_forward(network: Network, version: int) -> None:
    """The thief signs a timestamp of a very high version with the stolen key, over the state as it is."""
    path = network.repository.metadata / "timestamp.json"
    path.with_suffix(".kept").write_bytes(path.read_bytes())
    stolen: Metadata[Any] = Metadata.from_file(str(path))
    stolen.signed.version = version
    stolen.sign(OfficerSigner(network.online.timestamp))
    path.write_bytes(stolen.to_bytes())


def restore(network: Network) -> None:
    """The host puts back what it had published itself."""
    path = network.repository.metadata / "timestamp.json"
    path.write_bytes(path.with_suffix(".kept").read_bytes())


def test_a_seat_is_no_host_key(network: Network) -> None:
    stolen = OnlineKeys(network.officers[0], EphemeralSigner.generate(ES256))
    with pytest.raises(RuleBroken, match="online-keys-apart"):
        change_online_keys(network.repository, stolen, DAY_0)
    assert pending(network.repository) == ()


def test_the_agreement_on_the_log_is_signed_by_the_seats(network: Network) -> None:
    waiting = change_log(network.repository, LOG, DAY_0)
    told = words(waiting)
    assert sorted(entry.partition(" (key ")[0] for entry in told) == [
        "log",
        "log/log log.test/yinxin",
        "log/witness east",
        "log/witness west",
    ]
    assert {"log": told["log"]} == {
        "log": "Transparency log log.test/yinxin: 2 of 2 witnesses needed (changes key, origin, quorum, witnesses)"
    }
    metadata = waiting.progress
    assert [(each.role, each.threshold) for each in metadata] == [("root", 2)]
    with pytest.raises(NothingProposed):
        change_log(network.repository, None, DAY_0)
    for broken in ({**LOG, "quorum": 3}, {"origin": "log.test"}):
        with pytest.raises(RuleBroken, match="log-declaration"):
            change_log(network.repository, broken, DAY_0)


def test_a_stolen_log_key_is_replaced_and_the_log_goes_on(tmp_path: Path) -> None:
    """The same log under another key: copies follow, and newcomers read the whole."""
    network = logged_network(tmp_path)
    store = network.store()
    before = store.refresh(network.fetch, DAY_0).view
    network.log_key = EphemeralSigner.generate(EDDSA)
    moved = change_log(network.repository, network.declared.to_field(), DAY_0)
    assert words(moved)["log"].endswith("2 of 3 witnesses needed (changes key)")
    network.arm()
    network.carry_out(moved, network.officers)
    network.publish(replace(west_list(), authority=Names("甲局", "Bureau A")))
    for each in (store, network.store("newcomer")):
        assert each.refresh(network.fetch, DAY_0).view.lists[WEST].version == before.lists[WEST].version + 1


def test_stolen_host_keys_are_replaced_in_a_logged_network_too(tmp_path: Path) -> None:
    network = logged_network(tmp_path)
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    host = network.online
    network.online = OnlineKeys(
        EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256), host.log, host.witnesses
    )
    network.carry_out(change_online_keys(network.repository, network.online, DAY_0), network.officers)
    for each in (store, network.store("newcomer")):
        assert each.refresh(network.fetch, DAY_0).view.metadata_versions["root"] == 2


def test_root_targets_and_lists_are_renewed_before_they_expire(network: Network) -> None:
    store = network.store()
    before = store.refresh(network.fetch, DAY_0).view
    later = DAY_0 + 300 * DAY
    waiting = renew_network(network.repository, later)
    assert words(waiting) == {"root": "root holds until 2028-10-27", "targets": "targets holds until 2028-10-27"}
    network.carry_out(waiting, network.officers)
    again = renew_list(network.repository, EAST, later)
    assert words(again) == {"region-990100": "region-990100 holds until 2027-10-28"}
    network.now = later
    network.carry_out(again, network.signers[EAST])
    for code in (WEST, RegionCode("common")):
        network.carry_out(renew_list(network.repository, code, later), network.signers[code])
    after = store.refresh(network.fetch, DAY_0 + 400 * DAY - 100 * DAY).view
    assert after.lists == before.lists
    assert after.metadata_versions["region-990100"] == 2
    network.admit(THIRD)
    with pytest.raises(NothingProposed):
        renew_list(network.repository, THIRD, later)


def test_a_renewal_brings_no_other_list(network: Network) -> None:
    """The attack: a 'renewal' that names another list than the published one."""
    waiting = renew_list(network.repository, EAST, DAY_0)
    draft = read_draft(network.repository, waiting.id)
    (target,) = draft.roles["region-990100"].signed.targets.values()
    target.hashes["sha256"] = "0" * 64
    store_draft(network.repository, draft)
    with pytest.raises(CeremonyError, match="names another list"):
        sign(network.repository, waiting.id, network.signers[EAST][0])


def test_proposals_for_different_lists_do_not_disturb_each_other(network: Network) -> None:
    """Two lists move at once; two changes of root do not: the second is proposed again, on top of the first."""
    renewal, other = renew_list(network.repository, EAST, DAY_0), renew_list(network.repository, WEST, DAY_0)
    first, second = renew_network(network.repository, DAY_0), expel(network.repository, THIRD, DAY_0)
    network.carry_out(renewal, network.signers[EAST])
    network.carry_out(first, network.officers)
    network.carry_out(other, network.signers[WEST])
    with pytest.raises(ProposalOutdated):
        sign(network.repository, second.id, network.officers[0])
    network.store().refresh(network.fetch, DAY_0)


def test_what_no_words_are_for_is_told_all_the_same(network: Network) -> None:
    """A proposer can hide nothing in a field that nobody reads."""
    waiting = renew_network(network.repository, DAY_0)
    draft = read_draft(network.repository, waiting.id)
    root: Root = draft.roles[Root.type].signed
    root.consistent_snapshot = False
    targets: Targets = draft.roles[Targets.type].signed
    targets.unrecognized_fields["x-hidden"] = 1
    store_draft(network.repository, draft)
    (found,) = pending(network.repository)
    assert words(found)["root/consistent_snapshot"] == "Changes consistent_snapshot of root"
    assert words(found)["targets/x-hidden"] == "Changes x-hidden of targets"


def test_a_log_that_ends_is_told(tmp_path: Path) -> None:
    from trust_registry.proposal_changes import _log_changes

    (gone,) = _log_changes(None, LOG)
    assert gone.text.en == "Ends the transparency log"
    (moved,) = _log_changes({**LOG, "quorum": 0}, LOG)
    assert moved.text.en.endswith("0 of 2 witnesses needed (changes quorum)")
    assert LOG_FIELD == "x-yinxin-log"


def test_a_client_that_was_away_follows_a_year_of_changes(network: Network) -> None:
    """Every root on the way is taken, none is skipped; whoever starts from the first root ends at the same state."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    hands = network.officers
    for step in range(4):
        hands[1] = EphemeralSigner.generate(EDDSA)
        waiting = change_seat(network.repository, Officer(f"hand {step}", hands[1].public_key, WEST), DAY_0)
        network.carry_out(waiting, [hands[0], hands[2]])
    network.admit(RegionCode("990300"))
    view = store.refresh(network.fetch, DAY_0).view
    assert view.metadata_versions["root"] == 6
    assert network.store("fresh").refresh(network.fetch, DAY_0).view.lists == view.lists
    (network.repository.metadata / "3.root.json").unlink()
    with pytest.raises(RefreshRefused):
        network.store("gap").refresh(network.fetch, DAY_0)
