"""What stolen keys, minorities and even a lawless majority can do to a verifier: delay it, and nothing else.

The host is on the attackers' side throughout: whatever is signed is published, past every check of the ceremony.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tuf.api.metadata import DelegatedRole, Metadata, MetaFile, Role, Root, Targets

from keys.algorithms import ES256
from keys.signer import EphemeralSigner, Signer
from tests.trust_registry.conspiracy import Conspiracy, refused, roles_of, seats_of
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    SEATED,
    WEST,
    Network,
    east_list,
    west_list,
    whole_network,
)
from trust_registry import rules
from trust_registry.ceremony import change_online_keys, expel, propose, sign
from trust_registry.client import TrustStore
from trust_registry.errors import (
    NotAnOfficer,
    ProposalOutdated,
    RefreshRefused,
    RuleBroken,
    ThresholdNotReached,
    UnknownList,
)
from trust_registry.model import Names, RegionCode
from trust_registry.publication import OnlineKeys, publish
from trust_registry.tuf_keys import Officer, tuf_key


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def store(network: Network) -> TrustStore:
    """A verifier who knows the network as it was before the attack."""
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    return store


@pytest.fixture
def conspiracy(network: Network) -> Conspiracy:
    return Conspiracy(network)


def test_one_stolen_seat_key_changes_nothing(network: Network, store: TrustStore, conspiracy: Conspiracy) -> None:
    thief = tuf_key(Officer("thief", EphemeralSigner.generate(ES256).public_key, EAST))

    def take_over(root: Root) -> None:
        root.keys[thief.keyid] = thief
        seats_of(root, [thief.keyid], 1)

    conspiracy.publish_root(take_over, network.officers[:1])
    refused(network, store, "not signed by|threshold|verify|root was signed")


def test_one_stolen_seat_key_admits_nobody(network: Network, store: TrustStore, conspiracy: Conspiracy) -> None:
    def puppet(targets: Targets) -> None:
        assert targets.delegations is not None
        assert targets.delegations.roles is not None
        thief = tuf_key(Officer("thief", EphemeralSigner.generate(ES256).public_key))
        targets.delegations.keys[thief.keyid] = thief
        role = DelegatedRole("region-990900", [thief.keyid], 1, True, paths=["regions/990900/*"])
        targets.delegations.roles[role.name] = role

    conspiracy.publish_role("targets", puppet, network.officers[:1])
    refused(network, store)


def test_a_minority_does_not_lower_the_threshold(network: Network, store: TrustStore, conspiracy: Conspiracy) -> None:
    def lower(root: Root) -> None:
        seats_of(root, root.roles["root"].keyids, 1)

    conspiracy.publish_root(lower, network.officers[:1])
    refused(network, store)


def lower_root(root: Root) -> None:
    seats_of(root, root.roles["root"].keyids, 1)


def all_must_sign(root: Root) -> None:
    """One seat could block everybody for ever."""
    seats_of(root, root.roles["root"].keyids, 3)


def lower_targets(root: Root) -> None:
    root.roles["targets"] = Role(root.roles["root"].keyids, 1)


def another_house(root: Root) -> None:
    root.roles["targets"] = Role(root.roles["root"].keyids[:2], 2)


def two_seats_for_the_east(root: Root) -> None:
    second = tuf_key(Officer("second", EphemeralSigner.generate(ES256).public_key, EAST))
    root.keys[second.keyid] = second
    seats_of(root, [*root.roles["root"].keyids, second.keyid], 3)


def a_seat_of_nobody(root: Root) -> None:
    nobody = tuf_key(Officer("nobody", EphemeralSigner.generate(ES256).public_key))
    root.keys[nobody.keyid] = nobody
    seats_of(root, [*root.roles["root"].keyids[:2], nobody.keyid], 2)


def the_host_votes(root: Root) -> None:
    (host,) = root.roles["snapshot"].keyids
    root.keys[host].unrecognized_fields["x-yinxin-region"] = SEATED[2]
    seats_of(root, [*root.roles["root"].keyids[:2], host], 2)


def one_key_under_two_ids(root: Root) -> None:
    first = root.keys[root.roles["root"].keyids[0]]
    twin = tuf_key(Officer("twin", EphemeralSigner.generate(ES256).public_key, SEATED[2]))
    twin.keytype, twin.scheme, twin.keyval = first.keytype, first.scheme, dict(first.keyval)
    root.keys[twin.keyid] = twin
    seats_of(root, [*root.roles["root"].keyids[:2], twin.keyid], 2)


@pytest.mark.parametrize(
    ("alter", "rule"),
    [
        (lower_root, rules.SEAT_THRESHOLD),
        (all_must_sign, rules.SEAT_THRESHOLD),
        (lower_targets, rules.SEAT_THRESHOLD),
        (another_house, rules.SAME_SEATS),
        (two_seats_for_the_east, rules.ONE_SEAT_A_REGION),
        (a_seat_of_nobody, rules.ONE_SEAT_A_REGION),
        (the_host_votes, rules.ONLINE_APART),
        (one_key_under_two_ids, rules.OWN_KEY_IDS),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_lawless_root_of_all_seats_is_refused(
    network: Network, store: TrustStore, conspiracy: Conspiracy, alter: Callable[[Root], None], rule: str
) -> None:
    """Every seat signs; the client still demands the rule, and names it."""
    conspiracy.publish_root(alter, network.officers)
    conspiracy.publish_role("targets", lambda _: None, network.officers)
    refused(network, store, f"rule {rule}")


def test_a_lawful_root_does_not_heal_a_lawless_one_on_the_way(
    network: Network, store: TrustStore, conspiracy: Conspiracy
) -> None:
    """The attack: a root that one seat may change alone, and after it one that looks right again."""
    conspiracy.publish_root(lower_root, network.officers)
    conspiracy.publish_root(lambda root: seats_of(root, root.roles["root"].keyids, 2), network.officers)
    refused(network, store, f"rule {rules.SEAT_THRESHOLD}")


def one_officer_suffices(targets: Targets) -> None:
    roles_of(targets)["region-990200"].threshold = 1


def one_officer_for_two_regions(targets: Targets) -> None:
    roles = roles_of(targets)
    roles["region-990200"].keyids.append(roles["region-990100"].keyids[0])


def a_region_without_a_vote(targets: Targets) -> None:
    assert targets.delegations is not None
    key = tuf_key(Officer("x", EphemeralSigner.generate(ES256).public_key))
    targets.delegations.keys[key.keyid] = key
    roles_of(targets)["region-990300"] = DelegatedRole(
        "region-990300", [key.keyid], 1, True, paths=["regions/990300/*"]
    )


def more_than_there_are(targets: Targets) -> None:
    roles_of(targets)["region-990200"].threshold = 3


def a_key_that_is_not_there(targets: Targets) -> None:
    roles_of(targets)["region-990200"].keyids.append("0" * 64)


@pytest.mark.parametrize(
    ("alter", "rule"),
    [
        (one_officer_suffices, rules.DUAL_CONTROL),
        (one_officer_for_two_regions, rules.ONE_AUTHORITY),
        (a_region_without_a_vote, rules.MEMBERS_VOTE),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_lawless_delegations_of_all_seats_are_refused(
    network: Network, store: TrustStore, conspiracy: Conspiracy, alter: Callable[[Targets], None], rule: str
) -> None:
    conspiracy.publish_role("targets", alter, network.officers)
    with pytest.raises(RefreshRefused, match=f"rule {rule}"):
        store.refresh(network.fetch, DAY_0)


@pytest.mark.parametrize(
    ("alter", "rule"), [(more_than_there_are, rules.DUAL_CONTROL), (a_key_that_is_not_there, rules.OWN_KEY_IDS)]
)
def test_thresholds_that_nobody_can_meet_are_no_law(
    network: Network, alter: Callable[[Targets], None], rule: str
) -> None:
    published = network.repository.current()
    alter(published.targets.signed)
    with pytest.raises(RuleBroken) as refusal:
        rules.check_delegations(published.root.signed, published.targets.signed)
    assert refusal.value.rule == rule


def keyed(network: Network, signer: Signer, region: RegionCode) -> Callable[[Targets], None]:
    key = tuf_key(Officer("both", signer.public_key))

    def alter(targets: Targets) -> None:
        assert targets.delegations is not None
        targets.delegations.keys[key.keyid] = key
        roles_of(targets)[f"region-{region}"].keyids.append(key.keyid)

    return alter


def test_no_host_key_and_no_other_regions_seat_signs_a_list(
    network: Network, store: TrustStore, conspiracy: Conspiracy
) -> None:
    conspiracy.publish_role("targets", keyed(network, network.online.snapshot, WEST), network.officers)
    with pytest.raises(RefreshRefused, match=f"rule {rules.ONLINE_APART}"):
        store.refresh(network.fetch, DAY_0)


def test_a_seat_is_an_officer_at_home_only(network: Network, store: TrustStore, conspiracy: Conspiracy) -> None:
    conspiracy.publish_role("targets", keyed(network, network.officers[1], WEST), network.officers)
    store.refresh(network.fetch, DAY_0)
    conspiracy.publish_role("targets", keyed(network, network.officers[0], WEST), network.officers)
    with pytest.raises(RefreshRefused, match=f"rule {rules.ONE_AUTHORITY}"):
        store.refresh(network.fetch, DAY_0)


def test_one_stolen_officers_key_changes_no_list(network: Network, store: TrustStore, conspiracy: Conspiracy) -> None:
    forged = replace(west_list(), version=2, names=Names("假", "Forged"))
    put = conspiracy.put_list(forged, "regions/990200/list.json")
    conspiracy.publish_role("region-990200", put, network.signers[WEST][:1])
    refused(network, store)


def test_no_region_signs_for_anothers_path(network: Network, store: TrustStore, conspiracy: Conspiracy) -> None:
    """All officers of the west sign a list of the east under their own role: nobody reads it there."""
    forged = replace(east_list(), version=2, names=Names("假", "Forged"))
    put = conspiracy.put_list(forged, "regions/990100/list.json")
    conspiracy.publish_role("region-990200", put, network.signers[WEST])
    assert store.refresh(network.fetch, DAY_0).view.lists[EAST] == east_list()
    conspiracy.publish_role("region-990100", put, network.signers[WEST])
    refused(network, store)


def test_stolen_host_keys_delay_and_do_not_forge(network: Network, store: TrustStore, conspiracy: Conspiracy) -> None:
    """Snapshot and timestamp keys in a thief's hands: an old list can't come back, none can vanish or be swapped."""
    network.publish(replace(west_list(), authority=Names("西川", "Another authority")))
    store.refresh(network.fetch, DAY_0)
    published = network.repository.current()
    old = (network.repository.metadata / "1.region-990200.json").read_bytes()
    network.repository.write_metadata("region-990200", 3, b"forged")
    for alter in (
        lambda meta: meta.update({"region-990200.json": MetaFile.from_data(1, old, ["sha256"])}),
        lambda meta: meta.pop("region-990200.json"),
        lambda meta: meta.update({"region-990200.json": MetaFile.from_data(3, b"forged", ["sha256"])}),
    ):
        conspiracy.publish_snapshot(alter)
        with pytest.raises(RefreshRefused):
            store.refresh(network.fetch, DAY_0)
        assert store.load(DAY_0).lists[WEST].version == 2
    assert published.targets.signed.version == network.repository.current().targets.signed.version


def test_after_a_theft_other_host_keys_bring_everybody_on(
    network: Network, store: TrustStore, conspiracy: Conspiracy
) -> None:
    """Recovery: the seats name other keys; what the thief signs from then on is worth nothing."""
    fresh = OnlineKeys(EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256))
    waiting = change_online_keys(network.repository, fresh, DAY_0)
    for signer in network.officers[:2]:
        sign(network.repository, waiting.id, signer)
    publish(network.repository, waiting.id, fresh, DAY_0)
    store.refresh(network.fetch, DAY_0)
    conspiracy.publish_snapshot(lambda meta: None)  # with the stolen keys
    refused(network, store)


def test_one_thief_names_no_other_host_keys(network: Network) -> None:
    stolen = OnlineKeys(EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256))
    waiting = change_online_keys(network.repository, stolen, DAY_0)
    for outsider in (network.online.snapshot, network.signers[EAST][0]):
        with pytest.raises(NotAnOfficer):
            sign(network.repository, waiting.id, outsider)
    sign(network.repository, waiting.id, network.officers[0])
    with pytest.raises(ThresholdNotReached):
        publish(network.repository, waiting.id, stolen, DAY_0)


def test_officers_of_an_expelled_region_publish_no_more(
    network: Network, store: TrustStore, conspiracy: Conspiracy
) -> None:
    begun = propose(network.repository, replace(west_list(), names=Names("西川", "Still here")), DAY_0)
    sign(network.repository, begun.id, network.signers[WEST][0])
    network.carry_out(expel(network.repository, WEST, DAY_0), network.officers[::2])
    with pytest.raises(UnknownList):
        propose(network.repository, replace(west_list(), names=Names("西川", "Still here")), DAY_0)
    for act in (
        lambda: sign(network.repository, begun.id, network.signers[WEST][1]),
        lambda: publish(network.repository, begun.id, network.online, DAY_0),
    ):
        with pytest.raises((ProposalOutdated, UnknownList, NotAnOfficer)):
            act()
    put = conspiracy.put_list(replace(west_list(), version=2), "regions/990200/list.json")
    conspiracy.publish_role("region-990200", put, network.signers[WEST])
    for each in (store, network.store("newcomer")):
        with pytest.raises(RefreshRefused, match="last-word"):
            each.refresh(network.fetch, DAY_0)


def test_the_ceremony_refuses_by_the_same_rules(network: Network) -> None:
    """Nobody is asked to sign what clients would not follow."""
    from trust_registry.ceremony import change_officers, pending

    twice = [Officer("x", network.signers[EAST][0].public_key), Officer("y", network.signers[WEST][0].public_key)]
    with pytest.raises(RuleBroken, match="one-key-one-authority") as refusal:
        change_officers(network.repository, WEST, officers=twice, threshold=2, now=DAY_0)
    assert refusal.value.rule == rules.ONE_AUTHORITY
    host = [Officer("h", network.online.timestamp.public_key), Officer("y", network.signers[WEST][0].public_key)]
    with pytest.raises(RuleBroken, match="online-keys-apart"):
        change_officers(network.repository, WEST, officers=host, threshold=2, now=DAY_0)
    assert pending(network.repository) == ()


def test_a_lawless_draft_in_the_folder_is_neither_signed_nor_published(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proposer writes into the folder, past `propose`; officers' machines refuse to sign it."""
    from trust_registry.proposals import Draft, ProposalKind, store_draft

    root = network.repository.latest_root().signed
    lower_root(root)
    root.version += 1
    store_draft(
        network.repository,
        Draft("root-v2", ProposalKind.RENEWAL, east_list().names, DAY_0, {"root": Metadata(root)}, {}),
    )
    with pytest.raises(RuleBroken, match="seat-threshold"):
        sign(network.repository, "root-v2", network.officers[0])
    monkeypatch.setattr("trust_registry.ceremony.check_whole", lambda *_: None)
    for signer in network.officers:
        sign(network.repository, "root-v2", signer)
    with pytest.raises(RuleBroken, match="seat-threshold"):
        publish(network.repository, "root-v2", network.online, DAY_0 + DAY)
