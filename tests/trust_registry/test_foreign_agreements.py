"""Mutual recognition agreements (mra_schema_v2): ours read back, those of others mapped, nothing said too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from tests.trust_registry.foreign_lists import (
    DAY_0,
    FOR_SEALS,
    LOTL_TYPE,
    SERVICE_TYPE,
    Pointer,
    TrustedList,
    days,
    key,
)
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.mra import (
    ENACTED,
    REPEALED,
    agreement_of,
    equivalences_of,
    read_agreement,
    write_agreement,
)
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.model import (
    Assurance,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    MutualRecognition,
    Names,
    RegionCode,
    ServiceEquivalence,
    StatusChange,
    TypeId,
)

SCHEMAS = Path(__file__).parents[2].parent / "shared" / "specs" / "etsi"
PERMIT = TypeId("990200/permit")
EQUIVALENCE = ServiceEquivalence(SERVICE_TYPE, PERMIT, Assurance.HIGH, (FOR_SEALS,))
ENTRY = ForeignListEntry(
    code=RegionCode("EU-EE"),
    names=Names("爱沙尼亚", "Estonia"),
    format=ForeignFormat.TS_119_612,
    location="https://lists.example/ee.xml",
    signers=(key("operator").certificate,),
    equivalences=(EQUIVALENCE, ServiceEquivalence(SERVICE_TYPE, TypeId("990200/card"), Assurance.LOW)),
    history=(
        StatusChange(EntryStatus.GRANTED, days(-9), EntryReason.INITIAL),
        StatusChange(EntryStatus.SUSPENDED, days(-5), EntryReason.REORGANISATION),
        StatusChange(EntryStatus.GRANTED, DAY_0, EntryReason.REINSTATED),
    ),
)


def written(agreement: tuple[MutualRecognition, ...]) -> etree._Element:
    return write_agreement(
        agreement, pointing_legislation="https://law.example/ours", pointed_legislation="https://law.example/theirs"
    )


def reread(element: etree._Element) -> tuple[MutualRecognition, ...]:
    return read_agreement(etree.fromstring(etree.tostring(element)))


def test_our_agreement_reads_back() -> None:
    agreement = agreement_of(ENTRY)
    assert reread(written(agreement)) == agreement
    assert equivalences_of(agreement, DAY_0) == ENTRY.equivalences


def test_agreement_holds_when_it_was_in_force() -> None:
    agreement = agreement_of(ENTRY)
    second = timedelta(seconds=1)
    answers = [bool(equivalences_of(agreement, at)) for at in (days(-9) - second, days(-9), days(-5), DAY_0 - second)]
    assert answers == [False, True, False, False]


def test_agreement_fits_its_schema() -> None:
    if not SCHEMAS.is_dir():
        pytest.skip(f"no schemas in {SCHEMAS.parent.name}/{SCHEMAS.name} beside the repository")
    text = (SCHEMAS / "mra_schema_v2_19612v020401.xsd").read_bytes()
    schema = etree.fromstring(text)
    # The schemas that it imports from the network: the one of lists is here, two are needed for conditions only.
    for imported in schema.findall("{http://www.w3.org/2001/XMLSchema}import"):
        schema.remove(imported)
    names = {"xsd": "http://www.w3.org/2001/XMLSchema"}
    agreement = schema.find("xsd:complexType[@name='TrustServiceEquivalenceInformationType']/xsd:sequence", names)
    assert agreement is not None
    wanted = [element.get("name") for element in agreement]
    for line in written(agreement_of(ENTRY)):
        found = [etree.QName(child).localname for child in line]
        assert found == [name for name in wanted if name in found]
        assert set(found) >= {element.get("name") for element in agreement if element.get("minOccurs") is None}


def test_agreement_in_a_list_of_lists_is_read_with_its_pointer() -> None:
    information = etree.tostring(written(agreement_of(ENTRY))).decode()
    pointer = Pointer(
        "https://a.example/ee.xml",
        "EE",
        [key("EE").certificate],
        more=f"<OtherInformation>{information}</OtherInformation>",
    )
    found = read_tsl(TrustedList("EU", list_type=LOTL_TYPE, pointers=[pointer]).sign(), [key("operator").certificate])
    assert equivalences_of(found.pointers[0].agreement, DAY_0) == ENTRY.equivalences


def test_conditions_on_single_certificates_are_not_dropped_silently() -> None:
    """A line that counts for some certificates of a service only must not count for all of them."""
    element = written(agreement_of(ENTRY))
    namespace = etree.QName(element).namespace
    for line in element:
        etree.SubElement(line, f"{{{namespace}}}CertificateContentReferencesEquivalenceList")
    agreement = reread(element)
    assert all(line.conditional for line in agreement)
    assert equivalences_of(agreement, DAY_0) == ()


def test_lines_about_other_networks_types_map_to_nothing() -> None:
    line = replace(agreement_of(ENTRY)[0], pointing=agreement_of(ENTRY)[0].pointed)
    assert equivalences_of([line], DAY_0) == ()


def test_assurance_not_stated_is_low() -> None:
    line = agreement_of(ENTRY)[0]
    line = replace(line, pointing=line.pointing[:1])
    assert equivalences_of([line], DAY_0) == (replace(EQUIVALENCE, assurance=Assurance.LOW),)


def test_equivalence_that_the_schema_cannot_say_is_not_written_as_less() -> None:
    """Two additional URIs mean both; two forms would mean either."""
    narrow = replace(ENTRY, equivalences=(replace(EQUIVALENCE, additional=(FOR_SEALS, "urn:x")),))
    with pytest.raises(ValueError, match="two additional"):
        agreement_of(narrow)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (ENACTED, "http://x.example/maybe", "TrustServiceEquivalenceStatus"),
        (
            "<mra:TrustServiceLegalIdentifier>",
            "<mra:TrustServiceLegalIdentifier/><mra:X>",
            "TrustServiceLegalIdentifier",
        ),
        ("2026-03-01T00:00:00Z", "2026-02-20T00:00:00Z", "TrustServiceEquivalenceHistory"),
        ("2026-03-01T00:00:00Z", "yesterday", "TrustServiceEquivalenceStatusStartingTime"),
        ("mra:TrustServiceTSLType>", "mra:Other>", "TrustServiceTSLType"),
        ("mra:TrustServiceEquivalenceInformation>", "mra:Other>", "MutualRecognitionAgreementInformation"),
    ],
)
def test_agreement_that_breaks_its_form_is_refused(old: str, new: str, field: str) -> None:
    text = etree.tostring(written(agreement_of(ENTRY))).decode()
    assert old in text
    text = text.replace(old, new).replace(
        "</mra:TrustServiceLegalIdentifier>", "</mra:X>" if "mra:X" in new else "</mra:TrustServiceLegalIdentifier>"
    )
    with pytest.raises(InvalidForeignList) as refusal:
        read_agreement(etree.fromstring(text))
    assert refusal.value.field == field


def test_repealed_agreement_maps_nothing() -> None:
    text = etree.tostring(written(agreement_of(replace(ENTRY, history=ENTRY.history[:2])))).decode()
    assert REPEALED in text
    assert equivalences_of(read_agreement(etree.fromstring(text)), DAY_0) == ()
