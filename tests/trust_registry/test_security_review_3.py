"""Attacks on the network as a whole: one party that holds up all others, hosts that step back, words that deceive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tuf.api.metadata import DelegatedRole, Metadata, MetaFile, Targets

from keys.algorithms import EDDSA, ES256
from keys.signer import EphemeralSigner
from server.cli.registry_signing import open_folder, shown
from server.edge import make_edge
from tests.trust_registry.conspiracy import Conspiracy, roles_of
from tests.trust_registry.logged import WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    SEATED,
    WEST,
    Network,
    east_list,
    next_version,
    view_of,
    west_list,
    whole_network,
)
from tests.trust_registry.test_console_forms import Access
from trust_registry.ceremony import (
    change_log,
    change_officers,
    change_online_keys,
    expel,
    found_network,
    proposal,
    propose,
    renew_list,
    renew_network,
    sign,
)
from trust_registry.client import TrustStore
from trust_registry.departures import LEFT_FIELD
from trust_registry.errors import FetchFailed, RefreshRefused, RuleBroken, TrustDamaged
from trust_registry.log import cosigning
from trust_registry.log.declaration import declare_log
from trust_registry.log.witness import WitnessAnswer
from trust_registry.log.witness_store import Witness
from trust_registry.model import HeldBack, IssuerEntry, IssuerId, Names, RegionCode, RegionList
from trust_registry.pages import router
from trust_registry.pages.frame import with_names
from trust_registry.publication import OnlineKeys, Publication, publish, renew
from trust_registry.service import RegistryService
from trust_registry.tuf_keys import LOG_FIELD, Officer, tuf_key


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def store(network: Network) -> TrustStore:
    store = network.store()
    store.refresh(network.fetch, network.now)
    return store


def rewritten(version: int = 2) -> RegionList:
    """The west takes back a recognition, as if it had never been."""
    return replace(west_list(), version=version, issued_at=DAY_0 + version * DAY, recognises=())


def publish_rewriting(network: Network, version: int = 2) -> None:
    """Every officer of the west signs it, and the host publishes it."""
    conspiracy = Conspiracy(network)
    put = conspiracy.put_list(rewritten(version), "regions/990200/list.json")
    conspiracy.publish_role("region-990200", put, network.signers[WEST])


def renamed(names: str, version: int = 2) -> RegionList:
    return replace(next_version(east_list(), names=Names("东岭", names)), version=version)


def test_a_region_that_does_not_renew_its_list_keeps_nobody_from_the_others_news(
    network: Network, store: TrustStore
) -> None:
    """The attack: freeze everybody by letting one's own list run out. Each list's end is a fact of the view."""
    network.now = DAY_0 + 300 * DAY
    renewal = renew_list(network.repository, EAST, network.now)
    network.carry_out(renewal, network.signers[EAST])
    network.now = DAY_0 + 400 * DAY  # the west's list has run out
    renew(network.repository, network.online, network.now)
    network.publish(renamed("Dongling, with news"))
    for each in (store, network.store("newcomer")):
        view = each.refresh(network.fetch, network.now).view
        assert view.lists[EAST].names.en == "Dongling, with news"
        assert view.lists[WEST] == west_list()
        assert view.expiries["region-990200"] < network.now
        assert view.confirmed_at(WEST) == view.expiries["region-990200"]
        assert view.confirmed_at(EAST) == network.now


def test_a_region_that_rewrites_its_history_keeps_nobody_from_the_others_news(
    network: Network, store: TrustStore
) -> None:
    publish_rewriting(network)
    assert store.refresh(network.fetch, DAY_0 + DAY).changed
    network.now = DAY_0 + 2 * DAY
    network.publish(renamed("Dongling, with news"))
    store.refresh(network.fetch, network.now)
    for each in (store, TrustStore(store.folder)):
        view = each.load(network.now)
        assert view.lists[EAST].names.en == "Dongling, with news"
        assert view.lists[WEST] == west_list()
        assert view.metadata_versions["region-990200"] == 1
        assert view.held[WEST].entry == "990200/recognises/R1"
        assert "vanished" in view.held[WEST].reason
        assert view.confirmed_at(WEST) == DAY_0 + DAY  # not the day of the last refresh
        assert view.confirmed_at(EAST) == network.now


def test_a_region_that_was_held_back_is_heard_again_once_it_follows(network: Network, store: TrustStore) -> None:
    publish_rewriting(network)
    store.refresh(network.fetch, DAY_0 + DAY)
    conspiracy = Conspiracy(network)
    good = replace(next_version(west_list(), names=Names("西川", "Again")), version=3)
    conspiracy.publish_role(
        "region-990200", conspiracy.put_list(good, "regions/990200/list.json"), network.signers[WEST]
    )
    view = TrustStore(store.folder).refresh(network.fetch, DAY_0 + 2 * DAY).view
    assert view.lists[WEST] == good
    assert not view.held
    assert TrustStore(store.folder).load(DAY_0 + 2 * DAY).held == {}


def test_what_stands_in_must_be_signed_by_the_officers_of_today(network: Network, store: TrustStore) -> None:
    """The attack: officers who were replaced speak on through what stands in for a list that is held back."""
    publish_rewriting(network)
    store.refresh(network.fetch, DAY_0 + DAY)
    others = replace_officers(network)
    view = store.refresh(network.fetch, DAY_0 + DAY).view
    assert WEST not in view.lists
    assert WEST in view.held
    network.now, network.signers[WEST] = DAY_0 + 2 * DAY, others
    conspiracy = Conspiracy(network)
    put = conspiracy.put_list(rewritten(7), "regions/990200/list.json")
    conspiracy.publish_role("region-990200", put, others)
    assert WEST not in store.refresh(network.fetch, network.now).view.lists  # its history is remembered
    good = replace(west_list(), version=8, issued_at=network.now)
    conspiracy.publish_role("region-990200", conspiracy.put_list(good, "regions/990200/list.json"), others)
    assert store.refresh(network.fetch, network.now).view.lists[WEST] == good


def test_a_stand_in_that_was_tampered_with_is_not_believed(network: Network, store: TrustStore) -> None:
    publish_rewriting(network)
    store.refresh(network.fetch, DAY_0 + DAY)
    path = store.metadata_folder / "held" / "region-990200.json"
    document = json.loads(path.read_bytes())
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(document))
    assert WEST not in TrustStore(store.folder).load(DAY_0 + DAY).lists
    (path.parent / "held.json").write_text("[")
    with pytest.raises(TrustDamaged, match="held back"):
        TrustStore(store.folder).load(DAY_0 + DAY)


def replace_officers(network: Network) -> list[EphemeralSigner]:
    """The west gets other officers."""
    others = [EphemeralSigner.generate(ES256) for _ in range(2)]
    officers = [Officer(f"new {n}", each.public_key) for n, each in enumerate(others)]
    change = change_officers(network.repository, WEST, officers=officers, threshold=2, now=network.now)
    network.carry_out(change, [*network.officers, *others])
    return others


def other_online_keys(network: Network) -> None:
    """The seats give the host other keys, as after a theft; the host publishes with them."""
    network.online = OnlineKeys(EphemeralSigner.generate(ES256), EphemeralSigner.generate(EDDSA))
    network.carry_out(change_online_keys(network.repository, network.online, DAY_0), network.officers)


def test_new_host_keys_cannot_bring_back_officers_who_were_replaced(network: Network, store: TrustStore) -> None:
    """The attack: TUF's clients forget snapshot and timestamp when their keys change, and take an old top level."""
    meta = network.repository.current().snapshot.signed.meta
    before = {name: meta[name] for name in ("targets.json", "region-990200.json")}
    replace_officers(network)
    assert store.refresh(network.fetch, DAY_0).view.metadata_versions["targets"] == 5
    other_online_keys(network)
    Conspiracy(network).publish_snapshot(lambda meta: meta.update(before))
    with pytest.raises(RefreshRefused, match="targets was version 5 and is 4: it was rolled back"):
        store.refresh(network.fetch, DAY_0)
    assert store.load(DAY_0).metadata_versions["targets"] == 5


@pytest.mark.parametrize("alter", ["older", "left out"])
def test_new_host_keys_cannot_roll_back_or_leave_out_a_list(network: Network, store: TrustStore, alter: str) -> None:
    before = network.repository.current().snapshot.signed.meta["region-990200.json"]
    network.carry_out(renew_list(network.repository, WEST, DAY_0 + DAY), network.signers[WEST])
    assert store.refresh(network.fetch, DAY_0).view.metadata_versions["region-990200"] == 2
    other_online_keys(network)

    def step_back(meta: dict[str, MetaFile]) -> None:
        meta.pop("region-990200.json")
        if alter == "older":
            meta["region-990200.json"] = before

    Conspiracy(network).publish_snapshot(step_back)
    with pytest.raises(RefreshRefused, match="region-990200 was version 2"):
        store.refresh(network.fetch, DAY_0)
    assert store.load(DAY_0).metadata_versions["region-990200"] == 2


def test_the_console_tells_whose_list_is_held_back_and_names_are_no_markup(network: Network) -> None:
    """The reason quotes what the offender wrote."""
    held = HeldBack('the list rewrites history: "<script>alert(1)</script>"', None, DAY_0)
    view = replace(view_of(east_list(), west_list()), held={WEST: held, RegionCode("990300"): held})
    app, access = FastAPI(), Access()
    access.who = None
    app.include_router(router(RegistryService(lambda: view, lambda: DAY_0), make_edge(access, lambda: DAY_0)))
    with TestClient(app, headers={"accept-language": "en"}) as web:
        shown = web.get("/registry").text
        assert "The newest list of Xichuan can&#39;t be followed" in shown
        assert "The list of 990300 can&#39;t be followed" in shown
        assert "<script>alert" not in shown


def store_secretly(network: Network, alter: Callable[[Targets], None]) -> str:
    """A renewal, as one seat or the host would hand it round, with something else in its bytes."""
    renewal = renew_network(network.repository, DAY_0)
    path = network.repository.proposals / renewal.id / "roles" / "targets.json"
    metadata: Metadata[Targets] = Metadata.from_bytes(path.read_bytes())
    alter(metadata.signed)
    path.write_bytes(metadata.to_bytes())
    return renewal.id


def test_nobody_who_never_was_a_member_is_smuggled_in_as_having_left(network: Network) -> None:
    """The attack: a list that counts until the year 2999, under keys of the proposer, in what is shown as a renewal."""
    forger = [tuf_key(Officer(f"forger {n}", EphemeralSigner.generate(ES256).public_key)) for n in range(2)]

    def smuggle(targets: Targets) -> None:
        role = DelegatedRole("region-666", [key.keyid for key in forger], 2, True, paths=["regions/666/*"])
        role.unrecognized_fields[LEFT_FIELD] = {"at": "2999-01-01T00:00:00Z", "version": 1}
        roles_of(targets)["region-666"] = role
        assert targets.delegations is not None
        targets.delegations.keys.update({key.keyid: key for key in forger})

    told = [each.text.en for each in proposal(network.repository, store_secretly(network, smuggle)).changes]
    assert any("region-666 is no member from 2999-01-01T00:00:00Z on" in each and "forger 0" in each for each in told)


def test_when_somebody_left_cannot_be_altered_unseen(network: Network) -> None:
    """The attack: the past of a region that left is cut off, or another of its versions made its last word."""
    network.carry_out(expel(network.repository, WEST, DAY_0), network.officers[::2])
    assert "region-990200/left" not in {
        each.entry for each in proposal(network.repository, store_secretly(network, lambda _: None)).changes
    }

    def backdate(targets: Targets) -> None:
        roles_of(targets)["region-990200"].unrecognized_fields[LEFT_FIELD]["at"] = "2020-01-01T00:00:00Z"

    told = {
        each.entry: each.text.en for each in proposal(network.repository, store_secretly(network, backdate)).changes
    }
    assert "from 2020-01-01T00:00:00Z on" in told["region-990200/left"]

    def forget(targets: Targets) -> None:
        del roles_of(targets)["region-990200"]

    found = proposal(network.repository, store_secretly(network, forget)).changes
    assert "Forgets what region-990200 said" in {each.entry: each.text.en for each in found}["region-990200/left"]


def test_metadata_does_not_hold_for_a_hundred_years_unseen(network: Network) -> None:
    """The attack: what can't run out can be shown for ever. A change of officers, and between the lines the end."""
    others = [Officer(f"new {n}", EphemeralSigner.generate(ES256).public_key) for n in range(2)]
    made = change_officers(network.repository, EAST, officers=others, threshold=2, now=DAY_0 + DAY)
    assert not any("hold until" in each.text.en for each in made.changes)
    for role in ("targets", "region-990100"):
        path = network.repository.proposals / made.id / "roles" / f"{role}.json"
        metadata: Metadata[Targets] = Metadata.from_bytes(path.read_bytes())
        metadata.signed.expires += 36500 * DAY
        path.write_bytes(metadata.to_bytes())
    told = {each.text.en for each in proposal(network.repository, made.id).changes}
    assert {"targets is to hold until 2127-12-09", "region-990100 is to hold until 2126-12-09"} <= told


def test_neither_a_foundings_log_nor_another_witness_is_agreed_on_unseen(tmp_path: Path) -> None:
    """The attack: the host's own keys as witnesses under the regions' names, or none at all, in a root to be signed."""
    network = LoggedNetwork(tmp_path)
    seats = [
        Officer(f"officer {n}", s.public_key, code)
        for n, (s, code) in enumerate(zip(network.officers, SEATED, strict=True))
    ]
    declared = network.declared
    made = found_network(network.repository, seats=seats, online=network.online, now=DAY_0, log=declared.to_field())
    told = {each.entry: each.text.en for each in made.changes}
    assert "2 of 3 witnesses needed" in told["log"]
    assert sum(entry.startswith("log/witness witness.test/") for entry in told) == 3
    assert "The host's snapshot key is " in told["snapshot"]
    network.carry_out(made, network.officers)
    mine = EphemeralSigner.generate(EDDSA).public_key
    named = [(WITNESSES[0], mine), *((each.name, each.public_key) for each in declared.witnesses[1:])]
    field = declare_log(declared.origin, declared.key.public_key, named, quorum=2).to_field()
    told = {each.entry: each.text.en for each in change_log(network.repository, field, DAY_0).changes}
    swapped = {entry for entry in told if entry.startswith(f"log/witness {WITNESSES[0]} (key ")}
    assert len(swapped) == 2  # one goes, one of the same name comes


def test_who_left_still_has_no_officer_who_acts_alone(network: Network) -> None:
    network.carry_out(expel(network.repository, WEST, DAY_0), network.officers[::2])

    def weaken(targets: Targets) -> None:
        roles_of(targets)["region-990200"].threshold = 1

    with pytest.raises(RuleBroken, match="act alone"):
        sign(network.repository, store_secretly(network, weaken), network.officers[0])


TRICK = "Dongling\x1b[2K\r\n  ~ nothing else \u202egnilgnoD\u2066 \u2028"


@pytest.mark.parametrize("where", ["list", "officer", "title"])
def test_no_name_makes_a_difference_read_as_another_one(network: Network, where: str) -> None:
    """The attack: a proposer's words erase a line on the officer's terminal, or turn it around in the console."""
    if where == "list":
        made = propose(network.repository, replace(east_list(), names=Names(f"东{TRICK}", TRICK)), DAY_0)
    elif where == "officer":
        others = [Officer(f"{n}{TRICK}", EphemeralSigner.generate(ES256).public_key) for n in range(2)]
        made = change_officers(network.repository, EAST, officers=others, threshold=2, now=DAY_0)
    else:
        made = renew_network(network.repository, DAY_0)
        path = network.repository.proposals / made.id / "proposal.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "title": {"zh": TRICK, "en": TRICK}}))
    desk = open_folder(network.repository.folder, made.id)
    for found in (proposal(network.repository, made.id), shown(desk, None, DAY_0)[0]):
        told = [found.title.zh, found.title.en]
        told += [text for each in found.changes for text in (each.entry, each.text.zh, each.text.en)]
        told += [name for each in found.progress for name in (*each.signed, *each.missing)]
        assert any("\ufffd" in text for text in told)
        assert all(text.isprintable() for text in told)


def news_of(network: LoggedNetwork) -> Publication:
    """The east has news, and its officers have signed; the host publishes."""
    network.now += DAY
    made = propose(network.repository, replace(east_list(), names=Names("东岭", f"News of {network.now}")), network.now)
    for signer in network.signers[EAST]:
        sign(network.repository, made.id, signer)
    return publish(network.repository, made.id, network.online, network.now)


def test_a_witness_that_never_ends_its_answer_does_not_hold_up_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack: one region's witness sends a byte now and then, while the host may not publish anything else."""
    network, release = logged_network(tmp_path), Event()
    monkeypatch.setattr(cosigning, "LONGEST", 0.5)

    def drip(_: bytes) -> WitnessAnswer:
        release.wait(30)
        raise FetchFailed("http://witness.test/", "timed out")

    submits = {**network.online.witnesses, WITNESSES[0]: drip}
    network.online = replace(network.online, witnesses=submits)
    try:
        done = news_of(network)
        assert done.in_force
        assert done.cosigning is not None
        assert done.cosigning.missing == {WITNESSES[0]: "did not answer in time"}
    finally:
        release.set()


def test_a_witness_whose_time_no_client_counts_is_not_counted_by_the_host_either(tmp_path: Path) -> None:
    """The attack: the host believes that it has its quorum, and every client refuses what it publishes."""
    network = logged_network(tmp_path)
    store = network.store()
    store.refresh(network.fetch, network.now)
    ahead = Witness(
        WITNESSES[0],
        network.witness_keys[0],
        [network.declared.key],
        tmp_path / "witness" / "0",
        lambda: network.now + 365 * DAY,
    )
    submits = {**network.online.witnesses, WITNESSES[0]: ahead.add_checkpoint}
    network.online = replace(network.online, witnesses=submits)
    network.silent = {WITNESSES[1]}
    waiting = news_of(network)
    assert not waiting.in_force
    assert waiting.cosigning is not None
    assert waiting.cosigning.missing[WITNESSES[0]] == "its clock is ahead"
    assert not store.refresh(network.fetch, network.now).changed  # and nothing that it would have to refuse
    network.silent = set()
    assert renew(network.repository, network.online, network.now)
    assert store.refresh(network.fetch, network.now).view.lists[EAST].version == 2


def test_two_halves_of_the_witnesses_cannot_cosign_two_truths(tmp_path: Path) -> None:
    """The attack: one of three is enough, so that each of two honest witnesses vouches for another history."""
    network = logged_network(tmp_path)
    store = network.store()
    store.refresh(network.fetch, network.now)
    field = {**network.declared.to_field(), "quorum": 1}
    with pytest.raises(RuleBroken, match="more than half"):
        change_log(network.repository, field, network.now)
    Conspiracy(network).publish_root(lambda root: root.unrecognized_fields.update({LOG_FIELD: field}), network.officers)
    with pytest.raises(RefreshRefused, match="more than half"):
        store.refresh(network.fetch, network.now)


class Unlisted(dict[IssuerId, IssuerEntry]):
    """A nation's issuers: whoever goes through all of them for a sentence fails."""

    def __iter__(self) -> Iterator[IssuerId]:
        raise AssertionError("gone through")

    items = keys = values = __iter__  # type: ignore[assignment]


def test_a_sentence_of_a_public_page_does_not_cost_a_nations_issuers() -> None:
    """The attack: an anonymous reader asks for a page of sentences, each of which took 60,000 names to write."""
    view = view_of(east_list(), west_list())
    object.__setattr__(view, "issuers", Unlisted(view.issuers))
    told = with_names(
        Names("990100/civil-affairs：region-990200", "990100/civil-affairs: x990100, region-990200."), view
    )
    assert told == Names("“东岭区民政局”：“西川区名录”", "Dongling Civil Affairs Bureau: x990100, The list of Xichuan.")


@pytest.mark.parametrize("before", ["²", "٣", "9" * 5000, "-1"])
def test_a_number_that_is_none_is_no_error_of_the_audits_page(network: Network, before: str) -> None:
    """The attack: `"²".isdigit()`, and `int("²")` raises."""
    view, app, access = view_of(east_list(), west_list()), FastAPI(), Access()
    service = RegistryService(lambda: view, lambda: DAY_0, network.repository)
    app.include_router(router(service, make_edge(access, lambda: DAY_0)))
    with TestClient(app) as web:
        assert web.get("/registry/audit", params={"before": before}).status_code == 200
