"""What even a threshold of officers can't make a verifier believe: to speak for a region is that region's alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tuf.api.metadata import DelegatedRole, Metadata, Root, SuccinctRoles, TargetFile, Targets

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.trust_registry.network import DAY, DAY_0, EAST, SEATED, WEST, Network, east_list, whole_network
from trust_registry.errors import RefreshRefused, ThresholdNotReached, TrustDamaged
from trust_registry.proposals import Draft, ProposalKind, store_draft
from trust_registry.roles import ListRole
from trust_registry.trusted_copy import admitted_roles
from trust_registry.tuf_keys import Officer, OfficerSigner, key_name, tuf_key
from trust_registry.wire import list_to_json


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


def publish_targets(network: Network, alter: Callable[[Targets], None], role: str = "targets") -> None:
    """The officers who hold a role sign whatever they like, past every check of the ceremony."""
    from trust_registry import publication

    current = network.repository.current()
    metadata = current.targets if role == "targets" else current.roles[role]
    signed = metadata.signed
    alter(signed)
    signed.version += 1
    made: Metadata[Targets] = Metadata(signed)
    signers = network.officers if role == "targets" else network.signers[WEST]
    for signer in signers[:2]:
        made.sign(OfficerSigner(signer), append=True)
    data = made.to_bytes()
    network.repository.write_metadata(role, signed.version, data)
    publication._publish_snapshot(
        network.repository, network.repository.current(), {role: data}, {role: signed.version}, network.online, DAY_0
    )


def own_file(targets: Targets) -> None:
    path = "regions/990100/list.json"
    targets.targets[path] = TargetFile.from_data(path, list_to_json(east_list()), ["sha256"])


def another_path(targets: Targets) -> None:
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    targets.delegations.roles["region-990200"].paths = ["regions/990200/*", "regions/990100/*"]


def nameless(targets: Targets) -> None:
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    role = targets.delegations.roles["region-990200"]
    targets.delegations.roles["helpers"] = DelegatedRole("helpers", role.keyids, 1, False, paths=["regions/*/*"])


def same_key_twice(targets: Targets) -> None:
    """The attack: one officer under two key ids reaches a threshold of two alone."""
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    role = targets.delegations.roles["region-990200"]
    twin = tuf_key(Officer("twin", EphemeralSigner.generate(ES256).public_key))
    twin.keyval["public"] = targets.delegations.keys[role.keyids[0]].keyval["public"]
    targets.delegations.keys[twin.keyid] = twin
    role.keyids.append(twin.keyid)


def one_code_twice(targets: Targets) -> None:
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    role = targets.delegations.roles["region-990200"]
    targets.delegations.roles["body-990200"] = DelegatedRole(
        "body-990200", role.keyids, 2, True, paths=["bodies/990200/*"]
    )


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (own_file, "files of its own"),
        (another_path, "no authority over its own path"),
        (nameless, "no authority over its own path"),
        (one_code_twice, "no authority over its own path"),
        (same_key_twice, "one key twice"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_who_admits_regions_cannot_speak_for_them(
    network: Network, alter: Callable[[Targets], None], words: str
) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)
    publish_targets(network, alter)
    with pytest.raises(RefreshRefused, match=words):
        store.refresh(network.fetch, DAY_0)
    assert store.load(DAY_0).metadata_versions["targets"] == 4


def test_an_expelled_region_is_gone_from_the_next_view(network: Network) -> None:
    store = network.store()
    store.refresh(network.fetch, DAY_0)

    def expel(targets: Targets) -> None:
        assert targets.delegations is not None
        assert targets.delegations.roles is not None
        del targets.delegations.roles["region-990200"]

    publish_targets(network, expel)
    assert set(store.refresh(network.fetch, DAY_0).view.lists) == {"common", EAST}


def test_a_region_whose_metadata_names_no_list_is_refused(network: Network) -> None:
    publish_targets(network, lambda targets: targets.targets.clear(), "region-990200")
    view = network.store().refresh(network.fetch, DAY_0).view
    assert "does not name its list" in view.held[WEST].reason
    assert set(view.lists) == {"common", EAST}


def test_a_region_whose_list_has_no_sha256_is_refused(network: Network) -> None:
    def weaken(targets: Targets) -> None:
        (target,) = targets.targets.values()
        target.hashes = {"sha512": "0" * 128}

    publish_targets(network, weaken, "region-990200")
    view = network.store().refresh(network.fetch, DAY_0).view
    assert "does not name its list" in view.held[WEST].reason
    assert set(view.lists) == {"common", EAST}


def test_delegations_of_another_kind_are_refused() -> None:
    assert list(admitted_roles(Targets())) == []
    from tuf.api.metadata import Delegations

    succinct = Delegations({}, succinct_roles=SuccinctRoles([], 1, 2, "bins"))
    with pytest.raises(TrustDamaged, match="no authorities"):
        list(admitted_roles(Targets(delegations=succinct)))


def test_role_names_that_are_none_of_ours_have_no_meaning() -> None:
    assert ListRole.parse("region-990100") is not None
    for name in ("region", "region-", "planet-990100", "region-../x", "root"):
        assert ListRole.parse(name) is None


def test_a_key_without_a_name_is_called_by_its_id() -> None:
    key = tuf_key(Officer("x", EphemeralSigner.generate(ES256).public_key))
    assert key_name(key) == "x"
    key.unrecognized_fields.clear()
    assert key_name(key) == key.keyid[:12]


def test_a_new_root_is_followed_when_the_old_threshold_signed_it(network: Network) -> None:
    """TUF 5.3.4: a new root needs the threshold of the old keys and of its own; here one officer is replaced."""
    from trust_registry import publication
    from trust_registry.ceremony import pending, proposal, sign

    store = network.store()
    store.refresh(network.fetch, DAY_0)
    newcomer = EphemeralSigner.generate(ES256)
    root: Root = network.repository.latest_root().signed
    leaving = root.roles["root"].keyids[2]
    for role in ("root", "targets"):
        root.revoke_key(leaving, role)
        root.add_key(tuf_key(Officer("newcomer", newcomer.public_key, SEATED[2])), role)
    root.version = 2
    title = proposal_title = east_list().names
    draft = Draft("root-v2", ProposalKind.ADMISSION, title, DAY_0, {"root": Metadata(root)}, {})
    store_draft(network.repository, draft)
    (waiting,) = pending(network.repository)
    assert [change.entry for change in waiting.changes] == ["seats/990900", "seats"]
    assert "newcomer" in waiting.changes[0].text.en
    assert waiting.title == proposal_title
    sign(network.repository, "root-v2", newcomer)
    sign(network.repository, "root-v2", network.officers[0])
    with pytest.raises(ThresholdNotReached):  # two signed, but only one of the old officers
        publication.publish(network.repository, "root-v2", network.online, DAY_0)
    sign(network.repository, "root-v2", network.officers[1])
    assert proposal(network.repository, "root-v2").ready
    publication.publish(network.repository, "root-v2", network.online, DAY_0)
    result = store.refresh(network.fetch, DAY_0 + DAY)
    assert result.changed
    assert result.view.metadata_versions["root"] == 2
    assert network.store("late").refresh(network.fetch, DAY_0 + DAY).view.metadata_versions["root"] == 2
