"""Foreign trusted lists (TS 119 612): read with their whole history, or refused naming what is wrong."""

from __future__ import annotations

import base64
import contextlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from keys.envelopes.xades import read_signer_certificates
from tests.trust_registry.foreign_lists import (
    DAY_0,
    FOR_SEALS,
    SERVICE_TYPE,
    STATUS,
    Period,
    Service,
    TrustedList,
    certificate_xml,
    days,
    key,
)
from trust_registry.core.foreign import is_list_of_lists, service_status_at
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.lotl import national_lists, next_signers
from trust_registry.interchange.tsl_reading import MAX_SIZE, read_tsl, unsafe_read_tsl
from trust_registry.model import STATUS_MEANINGS, EntryStatus, ForeignList

FOLDER = Path(__file__).parents[2].parent / "shared" / "vectors" / "trusted-lists"
with_samples = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no vectors in {FOLDER.parent.name}/{FOLDER.name} beside the repository"
)
SIGNER = key("operator").certificate


def sample(name: str) -> ForeignList:
    data = (FOLDER / name).read_bytes()
    return read_tsl(data, read_signer_certificates(data))


def read(trusted_list: TrustedList) -> ForeignList:
    return read_tsl(trusted_list.sign(), [SIGNER])


def refused(trusted_list: TrustedList, field: str) -> None:
    with pytest.raises(InvalidForeignList) as refusal:
        read(trusted_list)
    assert refusal.value.field.split(".")[-1] == field


@with_samples
def test_estonian_list_shows_its_services_with_history() -> None:
    found = sample("tsl-ee.xml")
    assert (found.territory, found.sequence_number, len(found.services)) == ("EE", 68, 62)
    assert sum(len(service.history) for service in found.services) == 142
    assert all(period.status is not None for service in found.services for period in service.history)
    service = next(each for each in found.services if len(each.history) == 4)
    assert [period.status_uri.rpartition("/")[2] for period in service.history] == [
        *("undersupervision", "granted", "granted", "withdrawn"),
    ]
    withdrawn_at = service.current.since
    assert service_status_at(service, withdrawn_at) is EntryStatus.WITHDRAWN
    assert service_status_at(service, withdrawn_at - timedelta(seconds=1)) is EntryStatus.GRANTED
    assert service_status_at(service, service.history[0].since - timedelta(seconds=1)) is None


@with_samples
def test_belgian_list_shows_its_services_with_history() -> None:
    found = sample("tsl-be-v6.xml")
    assert (found.territory, found.sequence_number, len(found.services)) == ("BE", 81, 135)
    assert sum(len(service.history) for service in found.services) == 208
    statuses = Counter(period.status for service in found.services for period in service.history)
    assert statuses == {EntryStatus.GRANTED: 150, EntryStatus.WITHDRAWN: 58}
    assert found.scheme_operator.en.startswith("FPS Economy")
    assert all(service.identity.certificates or service.identity.subject_names for service in found.services)


@with_samples
def test_list_of_lists_points_to_every_country() -> None:
    found = sample("eu-lotl.xml")
    assert is_list_of_lists(found)
    assert not is_list_of_lists(sample("tsl-ee.xml"))
    assert (found.territory, found.sequence_number, found.services, len(found.pointers)) == ("EU", 388, (), 43)
    countries = {pointer.territory: pointer for pointer in national_lists(found)}
    assert len(countries) == 31
    assert countries["EE"].location == "https://sr.riik.ee/tsl/estonian-tsl.xml"
    assert set(countries) >= {"EE", "BE", "EL", "UK"}
    assert len(next_signers(found)) == 6
    assert "https://ec.europa.eu/tools/lotl/eu-lotl-pivot-378.xml" in found.information_uris


@with_samples
@pytest.mark.parametrize(("name", "territory"), [("tsl-ee.xml", "EE"), ("tsl-be-v6.xml", "BE")])
def test_national_lists_are_signed_by_whom_the_list_of_lists_names(name: str, territory: str) -> None:
    pointer = next(each for each in national_lists(sample("eu-lotl.xml")) if each.territory == territory)
    assert read_tsl((FOLDER / name).read_bytes(), pointer.signers).territory == territory


@with_samples
def test_list_of_another_country_is_not_signed_by_this_ones_signers() -> None:
    pointer = next(each for each in national_lists(sample("eu-lotl.xml")) if each.territory == "EE")
    with pytest.raises(InvalidForeignList, match="signature"):
        read_tsl((FOLDER / "tsl-be-v6.xml").read_bytes(), pointer.signers)


def test_list_without_a_name_for_its_operator_is_refused() -> None:
    refused(
        TrustedList().but('<Name xml:lang="en">Office of Lists</Name><Name xml:lang="zh">名录局</Name>', ""),
        "SchemeOperatorName",
    )


def test_list_without_services_is_a_list() -> None:
    document = TrustedList().xml()
    services = document[document.index("<TrustServiceProviderList>") : document.index("</TrustServiceStatusList>")]
    assert read(TrustedList().but(services, "")).services == ()


def test_list_is_read_as_it_says() -> None:
    found = read(TrustedList())
    assert (found.scheme_operator.zh, found.scheme_operator.en) == ("名录局", "Office of Lists")
    assert (found.issued_at, found.next_update) == (DAY_0, days(180))
    service = found.services[0]
    assert (service.provider.zh, service.names.en) == ("Provider", "Seals for all")
    assert service.current.service_type == SERVICE_TYPE
    assert service.current.additional == (FOR_SEALS,)
    assert service.identity.certificates == (key("Seals for all").certificate,)


def test_closed_list_has_no_next_update() -> None:
    assert read(TrustedList(next_update=None)).next_update is None


def test_statuses_before_eidas_are_understood() -> None:
    old = "http://uri.etsi.org/TrstSvc/eSigDir-1999-93-EC-TrustedList/Svcstatus/"
    for word, status in (("accredited", "GRANTED"), ("supervisionrevoked", "WITHDRAWN")):
        assert STATUS_MEANINGS[old + word] is EntryStatus[status]
        assert STATUS_MEANINGS[STATUS + word] is EntryStatus[status]
    assert STATUS_MEANINGS["http://uri.etsi.org/TrstSvc/Svcstatus/suspended"] is EntryStatus.SUSPENDED


def test_unknown_status_grants_nothing() -> None:
    found = read(TrustedList(services=[Service(now=Period(status=STATUS + "excellent"))]))
    assert service_status_at(found.services[0], DAY_0) is None


def test_unknown_extension_is_passed_over_unless_critical() -> None:
    """TS 119 612 clause 5.5.9: what is critical and not understood must not be relied upon."""
    strange = '<Extension Critical="{}"><x:New xmlns:x="urn:x">1</x:New></Extension>'
    for critical, status in (("false", EntryStatus.GRANTED), ("true", None), ("1", None)):
        found = read(TrustedList(services=[Service(now=Period(extensions=strange.format(critical)))]))
        assert service_status_at(found.services[0], DAY_0) is status


def test_history_out_of_order_answers_as_if_in_order() -> None:
    """Newest first is the rule; a reader that believed it would answer for an instant with a status of long before."""
    before = [
        Period(STATUS + "granted", days(-400)),
        Period(STATUS + "withdrawn", days(-300)),
        Period(STATUS + "undersupervision", days(-350)),
    ]
    service = read(TrustedList(services=[Service(before=before)])).services[0]
    assert [period.since for period in service.history] == [days(-400), days(-350), days(-300), days(-100)]
    assert service_status_at(service, days(-320)) is EntryStatus.GRANTED
    assert service_status_at(service, days(-200)) is EntryStatus.WITHDRAWN


def test_history_after_the_current_status_is_refused() -> None:
    refused(TrustedList(services=[Service(before=[Period(since=days(-1))])]), "ServiceHistory")


def test_of_two_statuses_from_one_instant_the_nearer_to_now_counts() -> None:
    """As Estonia's list has it."""
    same = days(-300)
    before = [Period(STATUS + "withdrawn", same), Period(STATUS + "granted", same)]
    service = read(TrustedList(services=[Service(before=before)])).services[0]
    assert service_status_at(service, same) is EntryStatus.WITHDRAWN


def test_service_is_known_by_its_keys() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    numbers = rsa.generate_private_key(65537, 2048).public_key()
    point = curve.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    modulus = numbers.public_numbers().n.to_bytes(256)
    xml = (
        "<DigitalId><X509SubjectName>CN=A, C=EE</X509SubjectName></DigitalId>"
        f"<DigitalId><X509SKI>{base64.b64encode(b'k' * 20).decode()}</X509SKI></DigitalId>"
        "<DigitalId><Other>something</Other></DigitalId>"
        '<DigitalId><d:KeyValue xmlns:d="http://www.w3.org/2000/09/xmldsig#"><e:ECKeyValue '
        'xmlns:e="http://www.w3.org/2009/xmldsig11#"><e:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
        f"<e:PublicKey>{base64.b64encode(point).decode()}</e:PublicKey></e:ECKeyValue></d:KeyValue></DigitalId>"
        '<DigitalId><d:KeyValue xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:RSAKeyValue>'
        f"<d:Modulus>{base64.b64encode(modulus).decode()}</d:Modulus><d:Exponent>AQAB</d:Exponent></d:RSAKeyValue>"
        "</d:KeyValue></DigitalId>"
    )
    found = read(TrustedList(services=[Service(identity=xml)]))
    identity = found.services[0].identity
    assert identity.subject_names == ("CN=A, C=EE",)
    assert identity.key_ids == (b"k" * 20,)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert identity.public_keys == (curve.public_bytes(*form), numbers.public_bytes(*form))
    assert found.services_by_key_id[b"k" * 20] == found.services


@pytest.mark.parametrize(
    "value",
    [
        "<d:RSAKeyValue><d:Modulus>AQAB</d:Modulus></d:RSAKeyValue>",
        "<d:DSAKeyValue/>",
        '<e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#"><e:NamedCurve URI="urn:oid:1.3.132.0.34"/>'
        "<e:PublicKey>BAAA</e:PublicKey></e:ECKeyValue>",
    ],
)
def test_key_that_is_none_is_refused(value: str) -> None:
    xml = f'<DigitalId><d:KeyValue xmlns:d="http://www.w3.org/2000/09/xmldsig#">{value}</d:KeyValue></DigitalId>'
    refused(TrustedList(services=[Service(identity=xml)]), "KeyValue")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("<TSLVersionIdentifier>6<", "<TSLVersionIdentifier>4<", "TSLVersionIdentifier"),
        ("<TSLSequenceNumber>1<", "<TSLSequenceNumber>0<", "TSLSequenceNumber"),
        ("<TSLSequenceNumber>1<", "<TSLSequenceNumber>+1<", "TSLSequenceNumber"),
        ("<TSLSequenceNumber>1<", f"<TSLSequenceNumber>{'9' * 5000}<", "TSLSequenceNumber"),
        ("<TSLSequenceNumber>1<", "<TSLSequenceNumber>１<", "TSLSequenceNumber"),
        ("<NextUpdate>", "<NextUpdate/><NextUpdate>", "NextUpdate"),
        ("2026-03-01T00:00:00Z</List", "2026-03-01</List", "ListIssueDateTime"),
        ("2026-03-01T00:00:00Z</List", "2026-02-31T00:00:00Z</List", "ListIssueDateTime"),
        ("2026-03-01T00:00:00Z</List", "0001-01-01T00:00:00Z</List", "ListIssueDateTime"),
        ("<SchemeTerritory>EE<", "<SchemeTerritory> <", "SchemeTerritory"),
        ("<SchemeTerritory>EE<", "<SchemeTerritory>E<b/>E<", "SchemeTerritory"),
        ("<X509Certificate>", "<X509Certificate>*", "X509Certificate"),
        ("<X509Certificate>", "<X509Certificate>" + "A" * 40000, "X509Certificate"),
        ('<Name xml:lang="en">Provider</Name>', "", "TSPName"),
        ("<ServiceStatus>", "<ServiceStatus>a</ServiceStatus><ServiceStatus>", "ServiceStatus"),
    ],
)
def test_list_that_breaks_its_form_is_refused_by_field(old: str, new: str, field: str) -> None:
    refused(TrustedList().but(old, new), field)


def test_text_cut_by_a_comment_is_read_whole() -> None:
    """What canonicalisation drops must not decide: `granted<!-- -->-no` was signed as one word."""
    found = read(TrustedList().but("Svcstatus/granted<", "Svcstatus/granted<!-- -->-no<"))
    assert service_status_at(found.services[0], DAY_0) is None


def test_other_documents_are_no_trusted_lists() -> None:
    document = TrustedList().but("TrustServiceStatusList", "TrustedServiceStatusList")
    refused(document, "TrustServiceStatusList")


def test_list_signed_by_a_stranger_is_refused() -> None:
    with pytest.raises(InvalidForeignList, match="signature"):
        read_tsl(TrustedList().sign("stranger"), [SIGNER])
    assert unsafe_read_tsl(TrustedList().sign("stranger")).territory == "EE"


def test_altered_list_is_refused() -> None:
    data = TrustedList().sign().replace(b"Svcstatus/granted", b"Svcstatus/granteD")
    with pytest.raises(InvalidForeignList, match="signature"):
        read_tsl(data, [SIGNER])


def test_wrapped_list_is_refused() -> None:
    """XML signature wrapping: the signed list hidden inside one that nobody signed."""
    honest = TrustedList().sign()
    body = honest[honest.index(b"<TrustServiceStatusList") :]
    forged = TrustedList(services=[Service("Forger")]).xml().encode()
    for data in (
        forged.replace(b"</TrustServiceStatusList>", body + b"</TrustServiceStatusList>"),
        forged.replace(b'Id="list"', b'Id="other"').replace(b"</TrustServiceStatusList>", body[-3000:]),
    ):
        with pytest.raises(InvalidForeignList, match="signature"):
            read_tsl(data, [SIGNER])


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + TrustedList().sign()
    with pytest.raises(InvalidForeignList, match="signature"):
        read_tsl(bomb, [SIGNER])


def test_list_of_100_megabytes_is_refused_before_it_is_read() -> None:
    for reader in (lambda data: read_tsl(data, [SIGNER]), unsafe_read_tsl):
        with pytest.raises(InvalidForeignList, match="more than"):
            reader(bytes(100 << 20))
    assert MAX_SIZE < 100 << 20


def test_duplicate_service_is_listed_as_often_as_it_is() -> None:
    """Belgium's list has one; what contradicting entries come to is `core.foreign`'s to say."""
    assert len(read(TrustedList(services=[Service(), Service()])).services) == 2


def test_list_of_a_thousand_services_is_read_in_a_second() -> None:
    identity = certificate_xml(SIGNER)
    services = [
        Service(f"Service {number}", identity=identity, before=[Period(since=days(-200))]) for number in range(1000)
    ]
    started = datetime.now(UTC)
    assert len(read(TrustedList(services=services)).services) == 1000
    assert datetime.now(UTC) - started < timedelta(seconds=10)


SAMPLE = TrustedList().sign()


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=2000) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_list_or_the_one_error(data: bytes) -> None:
    with pytest.raises(InvalidForeignList):
        read_tsl(data, [SIGNER])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 30), st.binary(max_size=12))
def test_any_mutated_list_is_the_same_list_or_the_one_error(at: int, length: int, junk: bytes) -> None:
    data = SAMPLE[:at] + junk + SAMPLE[at + length :]
    try:
        found = read_tsl(data, [SIGNER])
    except InvalidForeignList:
        return
    assert found.services == read_tsl(SAMPLE, [SIGNER]).services


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(
        ["<ServiceStatus>", "<TSLSequenceNumber>", "<SchemeTerritory>", "<X509Certificate>", "<StatusStartingTime>"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>&"), max_size=40),
)
def test_any_value_signed_by_the_operator_is_a_list_or_the_one_error(element: str, value: str) -> None:
    try:
        signed = TrustedList().but(element, element + value).sign()
    except (etree.XMLSyntaxError, ValueError):
        return  # no XML at all: nothing was signed
    with contextlib.suppress(InvalidForeignList):
        read_tsl(signed, [SIGNER])
