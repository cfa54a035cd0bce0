"""Our lists as ETSI trusted lists: valid by ETSI's schemas, signed, the same twice, and read again as they were."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from keys.envelopes.jades import open_jades
from keys.envelopes.xades import open_signed_xml
from tests.trust_registry.network import DAY, DAY_0, EAST, WEST, common_list, east_list, granted
from tests.trust_registry.renderings import (
    BASE,
    NEXT,
    all_lists,
    content,
    eventful_east,
    json_schema,
    key_of,
    with_list_key,
    xml_schema,
)
from trust_registry.attestations import TYPE_URN
from trust_registry.catalogue import COMMON, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.core import status_at
from trust_registry.interchange import uris
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.lote_writing import lote_json, write_lote
from trust_registry.interchange.mra import ASSURANCE_URN
from trust_registry.interchange.rendering import (
    Content,
    combined,
    content_of_list,
    content_of_network,
    territory_of,
)
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.interchange.tsl_writing import tsl_xml, write_tsl
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    ForeignList,
    ForeignService,
    History,
    RegionCode,
    StatusChange,
)

CODES = [COMMON, EAST, WEST]


def network() -> Content:
    lists = all_lists()
    return content_of_network(lists, lists[COMMON], 12, BASE, DAY_0 + 61 * DAY, NEXT)


def contents() -> list[Content]:
    return [content(code) for code in CODES] + [network()]


def signed(found: Content, code: RegionCode) -> tuple[bytes, bytes]:
    key = key_of(all_lists()[code])
    at = found.issued_at
    as_json = write_lote(found, signer=key.signer, certificate=key.certificate, signing_time=at)
    as_xml = write_tsl(found, signer=key.signer, certificate=key.certificate, signing_time=at)
    return as_json, as_xml


def both_read(code: RegionCode) -> list[ForeignList]:
    as_json, as_xml = signed(content(code), code)
    signers = [key_of(all_lists()[code]).certificate]
    return [read_lote(as_json, signers), read_tsl(as_xml, signers)]


@pytest.mark.parametrize("found", contents(), ids=lambda found: found.slug)
def test_json_follows_the_schema_of_ts_119_602(found: Content) -> None:
    document = json.loads(lote_json(found))
    errors = [f"{error.json_path}: {error.message}" for error in json_schema().iter_errors(document)]
    assert errors == []
    del document["LoTE"]["ListAndSchemeInformation"]["NextUpdate"]
    assert not json_schema().is_valid(document)


@pytest.mark.parametrize("found", contents(), ids=lambda found: found.slug)
def test_xml_follows_the_schema_of_ts_119_612(found: Content) -> None:
    _, as_xml = signed(found, EAST)
    document = etree.fromstring(as_xml)
    xml_schema().assertValid(document)
    broken = copy.deepcopy(document)
    broken[0].remove(broken[0].find("{*}NextUpdate"))
    assert not xml_schema().validate(broken)


@pytest.mark.parametrize("found", contents(), ids=lambda found: found.slug)
def test_the_same_list_is_the_same_document(found: Content) -> None:
    again = copy.deepcopy(found)
    assert lote_json(again) == lote_json(found)
    assert etree.tostring(tsl_xml(again)) == etree.tostring(tsl_xml(found))


def test_what_is_signed_is_the_whole_document() -> None:
    as_json, as_xml = signed(content(EAST), EAST)
    signers = [key_of(all_lists()[EAST]).certificate]
    assert open_jades(as_json, signers=signers).payload == lote_json(content(EAST))
    root = open_signed_xml(as_xml, signers=signers).root
    canonical = {"method": "c14n", "exclusive": True}
    assert etree.tostring(root, **canonical) == etree.tostring(tsl_xml(content(EAST)), **canonical)


@pytest.mark.parametrize("form", [0, 1], ids=["TS 119 602", "TS 119 612"])
def test_a_list_says_who_when_and_until_when(form: int) -> None:
    found = both_read(EAST)[form]
    assert found.scheme_operator == east_list().authority
    assert (found.sequence_number, found.issued_at, found.next_update) == (7, DAY_0 + 60 * DAY, NEXT)
    assert (found.territory, found.list_type) == ("ZZ", uris.LIST_OF_REGION)


def service(found: ForeignList, kind: str, *additional: str) -> ForeignService:
    (only,) = (
        each
        for each in found.services
        if each.current.service_type == kind and set(additional) <= set(each.current.additional)
    )
    return only


@pytest.mark.parametrize("form", [0, 1], ids=["TS 119 602", "TS 119 612"])
def test_every_grant_seal_and_key_is_a_service(form: int) -> None:
    found = both_read(EAST)[form]
    assert sorted(each.current.service_type for each in found.services) == sorted(
        [uris.ATTESTATION] * 3
        + [uris.SEALING, uris.STATUS_LISTS, uris.LIST_SIGNING, "http://uri.etsi.org/TrstSvc/Svctype/CA/PKC"]
    )
    high = service(found, uris.ATTESTATION, TYPE_URN + HOUSEHOLD_REGISTER, ASSURANCE_URN + "high")
    low = service(found, uris.ATTESTATION, TYPE_URN + HOUSEHOLD_REGISTER, ASSURANCE_URN + "substantial")
    assert high.identity.certificates == low.identity.certificates == ()  # no seal has it in its scope
    married = service(found, uris.ATTESTATION, TYPE_URN + MARRIAGE_CERTIFICATE)
    seal = service(found, uris.SEALING)
    (listed,) = eventful_east().attests[0].seals
    assert married.identity.certificates == seal.identity.certificates == (listed.key.certificate,)


@pytest.mark.parametrize("form", [0, 1], ids=["TS 119 602", "TS 119 612"])
def test_history_is_told_whole(form: int) -> None:
    found = both_read(EAST)[form]
    married = service(found, uris.ATTESTATION, TYPE_URN + MARRIAGE_CERTIFICATE)
    assert [(line.since, line.status) for line in married.history] == [
        (DAY_0, EntryStatus.GRANTED),
        (DAY_0 + 10 * DAY, EntryStatus.SUSPENDED),
        (DAY_0 + 20 * DAY, EntryStatus.GRANTED),
    ]
    seal = service(found, uris.SEALING)
    assert [(line.since, line.status) for line in seal.history] == [
        (DAY_0, EntryStatus.GRANTED),
        (DAY_0 + 40 * DAY, EntryStatus.WITHDRAWN),
    ]
    assert uris.REASON_URN + "key_compromise" in seal.current.additional


STARTING = re.compile(r"StatusStartingTime[\">: ]+(\d{4}-[0-9T:-]+Z)")


@pytest.mark.parametrize("day", [60, 65, 70])
def test_clause_5_5_5_no_status_starts_after_the_lists_issue(day: int) -> None:
    """What is announced is no status yet; the next update is due when the first of it takes effect."""
    found = eventful_east()
    (issuer,) = found.attests
    end = StatusChange(EntryStatus.WITHDRAWN, DAY_0 + 65 * DAY, EntryReason.KEY_ROLLOVER)
    begins = replace(issuer.grants[1], history=granted(DAY_0 + 70 * DAY))
    key = issuer.status_keys[0]
    announced = replace(
        issuer,
        grants=(issuer.grants[0], begins, issuer.grants[2]),
        status_keys=(replace(key, history=(*key.history, end)),),
    )
    at = DAY_0 + day * DAY
    lists = {**all_lists(), EAST: replace(found, attests=(announced,))}
    told = content_of_list(lists[EAST], lists, base=BASE, next_update=NEXT, at=at)
    assert told.issued_at == at
    assert told.next_update == {60: DAY_0 + 65 * DAY, 65: DAY_0 + 70 * DAY, 70: NEXT}[day]
    for text in (lote_json(told).decode(), etree.tostring(tsl_xml(told)).decode()):
        starts = [datetime.fromisoformat(each) for each in STARTING.findall(text)]
        assert len(starts) > 5
        assert max(starts) <= at
    services = [service for entity in told.entities for service in entity.services]
    (status,) = [service for service in services if service.type_uri == uris.STATUS_LISTS]
    assert status.history[-1].status is (EntryStatus.GRANTED if day < 65 else EntryStatus.WITHDRAWN)
    assert sum(service.type_uri == uris.ATTESTATION for service in services) == (3 if day == 70 else 2)


@pytest.mark.parametrize(("day", "held"), [(29, None), (30, True), (59, True), (60, False)])
def test_a_recognition_is_in_the_agreement_once_it_is_in_force(day: int, held: bool | None) -> None:
    lists, at = all_lists(), DAY_0 + day * DAY
    told = content_of_list(lists[WEST], lists, base=BASE, next_update=NEXT, at=at)
    lines = [line for pointer in told.pointers for line in pointer.agreement]
    assert [line.in_force for line in lines] == ([] if held is None else [held])
    assert told.next_update == (DAY_0 + 30 * DAY if day < 30 else DAY_0 + 60 * DAY if day < 60 else NEXT)


def test_a_list_signer_to_come_makes_the_list_of_lists_due() -> None:
    key = key_of(east_list()).listed()
    lists = {EAST: replace(east_list(), authorities=(replace(key, history=granted(DAY_0 + 9 * DAY)),))}
    early = content_of_network(lists, lists[EAST], 1, BASE, DAY_0, NEXT)
    assert (early.pointers, early.next_update) == ((), DAY_0 + 9 * DAY)
    late = content_of_network(lists, lists[EAST], 1, BASE, DAY_0, NEXT, at=DAY_0 + 9 * DAY)
    assert (len(late.pointers), late.issued_at, late.next_update) == (1, DAY_0 + 9 * DAY, NEXT)


def test_since_when_a_key_is_doubted_is_said() -> None:
    doubted = "2026-02-05T00:00:00Z"
    assert doubted in lote_json(content(EAST)).decode()
    assert doubted in etree.tostring(tsl_xml(content(EAST))).decode()


@pytest.mark.parametrize("form", [0, 1], ids=["TS 119 602", "TS 119 612"])
def test_who_recognises_points_to_whom_it_recognises(form: int) -> None:
    (pointer,) = both_read(WEST)[form].pointers
    assert pointer.location == f"{BASE}interchange/{EAST}.{('json', 'xml')[form]}"
    assert pointer.signers == (key_of(all_lists()[EAST]).certificate,)


def test_a_recognition_is_a_line_of_an_agreement() -> None:
    (pointer,) = both_read(WEST)[1].pointers
    (line,) = pointer.agreement
    assert (line.legal_identifier, line.in_force, line.since) == ("R1", False, DAY_0 + 60 * DAY)
    assert line.history == ((DAY_0 + 30 * DAY, True),)
    assert line.pointed[0].additional == (TYPE_URN + MARRIAGE_CERTIFICATE,)


def test_a_recognition_in_json_is_told_in_our_own_words() -> None:
    scheme = json.loads(lote_json(content(WEST)))["LoTE"]["ListAndSchemeInformation"]
    (extension,) = scheme["SchemeExtensions"]
    assert extension["Recognition"]["issuing"] == EAST


@pytest.mark.parametrize("form", [0, 1], ids=["TS 119 602", "TS 119 612"])
def test_the_list_of_lists_names_each_list_and_its_signer(form: int) -> None:
    data = signed(network(), COMMON)[form]
    read = (read_lote, read_tsl)[form]
    found = read(data, [key_of(all_lists()[COMMON]).certificate])
    assert found.list_type == uris.LIST_OF_LISTS
    suffix = ("json", "xml")[form]
    assert {(p.location, p.signers) for p in found.pointers} == {
        (f"{BASE}interchange/{each.code}.{suffix}", (key_of(each).certificate,)) for each in all_lists().values()
    }
    assert found.services == ()


def test_a_list_without_a_signer_of_renderings_is_not_pointed_to() -> None:
    lists = {each.code: each for each in (with_list_key(common_list()), east_list())}
    found = content_of_network(lists, lists[COMMON], 1, BASE, DAY_0, NEXT)
    assert [pointer.slug for pointer in found.pointers] == [COMMON]


def test_a_withdrawn_signer_of_renderings_is_not_named() -> None:
    found = eventful_east()
    ca, key = found.authorities
    line = StatusChange(EntryStatus.WITHDRAWN, DAY_0 + 5 * DAY, EntryReason.KEY_ROLLOVER)
    withdrawn = replace(key, history=(*key.history, line))
    lists = {EAST: replace(found, authorities=(ca, withdrawn))}
    assert content_of_network(lists, lists[EAST], 1, BASE, DAY_0 + 6 * DAY, NEXT).pointers == ()
    assert len(content_of_network(lists, lists[EAST], 1, BASE, DAY_0 + 4 * DAY, NEXT).pointers) == 1


def test_a_type_that_nobody_defines_is_called_by_its_id() -> None:
    found = content_of_list(eventful_east(), {}, base=BASE, next_update=NEXT)
    assert MARRIAGE_CERTIFICATE in found.entities[1].services[0].names.zh


@pytest.mark.parametrize(
    ("code", "territory"),
    [("110000", "CN"), ("990100", "ZZ"), ("FR-75", "FR"), ("EE", "EE"), ("common", None), ("ab", None), ("x-y", None)],
)
def test_territories(code: str, territory: str | None) -> None:
    assert territory_of(RegionCode(code)) == territory


@st.composite
def histories(draw: st.DrawFn) -> History:
    days = sorted(draw(st.sets(st.integers(0, 20), min_size=1, max_size=5)))
    statuses = [draw(st.sampled_from(EntryStatus)) for _ in days]
    return tuple(
        StatusChange(status, DAY_0 + day * DAY, EntryReason.INITIAL) for status, day in zip(statuses, days, strict=True)
    )


@settings(deadline=None)
@given(st.lists(histories(), min_size=1, max_size=3), st.integers(0, 25))
def test_what_stands_on_several_is_never_better_than_the_worst(parts: list[History], day: int) -> None:
    """An issuer that is suspended must not be shown to grant: its services' histories are combined with its own."""
    at: datetime = DAY_0 + day * DAY
    states = [status_at(part, at) for part in parts]
    whole = combined(parts)
    assert all(earlier.at < later.at for earlier, later in pairwise(whole))
    if None in states:
        assert status_at(whole, at) is None
    elif EntryStatus.WITHDRAWN in states:
        assert status_at(whole, at) is EntryStatus.WITHDRAWN
    elif EntryStatus.SUSPENDED in states:
        assert status_at(whole, at) is EntryStatus.SUSPENDED
    else:
        assert status_at(whole, at) is EntryStatus.GRANTED


def test_an_issuer_that_is_suspended_grants_nothing_meanwhile() -> None:
    suspended = (*granted(), StatusChange(EntryStatus.SUSPENDED, DAY_0 + 3 * DAY, EntryReason.BREACH_OF_DUTY))
    assert combined((suspended, granted()))[-1].status is EntryStatus.SUSPENDED
