"""What we write for readers in other networks, our own reader reads back: the same statuses at every instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.trust_registry.network import DAY, DAY_0, EAST, WEST
from tests.trust_registry.renderings import BASE, all_lists, content, key_of
from trust_registry.attestations import TYPE_URN
from trust_registry.catalogue import COMMON
from trust_registry.core import status_at
from trust_registry.core.foreign import is_list_of_lists, period_at, service_status_at
from trust_registry.interchange import uris
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.lote_writing import write_lote
from trust_registry.interchange.lotl import national_lists
from trust_registry.interchange.mra import ASSURANCE_URN
from trust_registry.interchange.rendering import Content, content_of_network
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.interchange.tsl_writing import write_tsl
from trust_registry.model import ForeignList, RegionCode

SIGNED_AT = DAY_0 + 60 * DAY
SECOND = timedelta(seconds=1)


def as_xml(of: Content, code: RegionCode) -> ForeignList:
    key = key_of(all_lists()[code])
    data = write_tsl(of, signer=key.signer, certificate=key.certificate, signing_time=SIGNED_AT)
    return read_tsl(data, [key.certificate])


def as_json(of: Content, code: RegionCode) -> ForeignList:
    key = key_of(all_lists()[code])
    data = write_lote(of, signer=key.signer, certificate=key.certificate, signing_time=SIGNED_AT)
    return read_lote(data, [key.certificate])


Form = Callable[[Content, RegionCode], ForeignList]
both_forms = pytest.mark.parametrize("form", [as_xml, as_json])


def instants(of: Content) -> list[datetime]:
    changes = {change.at for entity in of.entities for service in entity.services for change in service.history}
    return sorted({moment for change in changes for moment in (change - SECOND, change, change + SECOND)})


@both_forms
@pytest.mark.parametrize("code", [COMMON, EAST, WEST])
def test_our_list_reads_back_to_the_same_statuses(form: Form, code: RegionCode) -> None:
    written = content(code)
    found = form(written, code)
    assert found.sequence_number == written.sequence_number
    assert found.territory == written.territory
    assert (found.issued_at, found.next_update) == (written.issued_at, written.next_update)
    assert found.scheme_operator == written.operator
    services = [service for entity in written.entities for service in entity.services]
    assert len(found.services) == len(services) > 0
    for ours, theirs in zip(services, found.services, strict=True):
        assert theirs.names == ours.names
        assert theirs.identity.certificates == ours.certificates
        assert theirs.current.service_type == ours.type_uri
        assert len(theirs.history) == len(ours.history)
        for at in instants(written):
            assert service_status_at(theirs, at) is status_at(ours.history, at)


@both_forms
def test_type_and_assurance_of_a_grant_are_what_others_can_map(form: Form) -> None:
    found = form(content(EAST), EAST)
    grants = [service for service in found.services if service.current.service_type == uris.ATTESTATION]
    assert grants
    for service in grants:
        period = period_at(service, SIGNED_AT)
        assert period is not None
        assert any(uri.startswith(TYPE_URN) for uri in period.additional)
        assert any(uri.startswith(ASSURANCE_URN) for uri in period.additional)


@both_forms
def test_our_list_of_lists_leads_to_every_list(form: Form) -> None:
    lists = all_lists()
    written = content_of_network(lists, lists[COMMON], 1, BASE, SIGNED_AT, SIGNED_AT + 30 * DAY)
    found = form(written, COMMON)
    assert is_list_of_lists(found)
    assert {pointer.location.rpartition("/")[2].rpartition(".")[0] for pointer in found.pointers} == {
        pointer.slug for pointer in written.pointers
    }
    assert all(pointer.signers for pointer in found.pointers)
    assert len(national_lists(found)) <= len(found.pointers)


def test_agreement_in_our_xml_reads_back() -> None:
    written = content(WEST)
    found = as_xml(written, WEST)
    agreements = [pointer.agreement for pointer in written.pointers if pointer.agreement]
    assert agreements
    assert [pointer.agreement for pointer in found.pointers if pointer.agreement] == agreements
