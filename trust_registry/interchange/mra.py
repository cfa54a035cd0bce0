"""Mutual recognition agreements between trusted lists: reading them, writing ours, and what they map to here.

The pointing party says which of its own services those of the pointed party are equivalent to. Here a certificate type
is a service form whose additional information is the type's URN. Conditions on single certificates (content
references, qualifiers) are passed over when read: a line that has them is not turned into an equivalence.
Spec: ETSI TS 119 612 V2.4.1, mra_schema_v2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from trust_registry.attestations import TYPE_URN
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.foreign_parts import instant
from trust_registry.interchange.tsl_elements import TSL, maybe, one, own_text, text
from trust_registry.model import (
    Assurance,
    EntryStatus,
    ForeignListEntry,
    MutualRecognition,
    ServiceEquivalence,
    ServiceForm,
    TypeId,
)

NAMESPACE: Final = "http://ec.europa.eu/tools/lotl/mra/schema/v2#"
MRA: Final = f"{{{NAMESPACE}}}"
ENACTED: Final = "http://ec.europa.eu/tools/lotl/mra/enacted"
REPEALED: Final = "http://ec.europa.eu/tools/lotl/mra/repealed"
GRANTED: Final = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
WITHDRAWN: Final = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
ASSURANCE_URN: Final = "urn:yinxin:assurance:"
ATTESTATION: Final = "urn:yinxin:service:attestation"  # in our lists: issuing certificates of one type
_MAX_LINES: Final = 1000
_CONDITIONS: Final = (
    "CertificateContentReferencesEquivalenceList",
    "TrustServiceTSLQualificationExtensionEquivalenceList",
)
_STATES: Final = {ENACTED: True, REPEALED: False}


def read_agreement(element: etree._Element) -> tuple[MutualRecognition, ...]:
    """The lines of a MutualRecognitionAgreementInformation. Raises: InvalidForeignList."""
    lines = element.findall(f"{MRA}TrustServiceEquivalenceInformation")
    if not 0 < len(lines) <= _MAX_LINES:
        raise InvalidForeignList("MutualRecognitionAgreementInformation", f"1 to {_MAX_LINES} lines are needed")
    return tuple(_line(line) for line in lines)


def _line(line: etree._Element) -> MutualRecognition:
    in_force, since = _state(line)
    types = one(line, "TrustServiceTSLTypeEquivalenceList", MRA)
    statuses = one(line, "TrustServiceTSLStatusEquivalenceList", MRA)
    valid = one(statuses, "TrustServiceTSLStatusValidEquivalence", MRA)
    invalid = one(statuses, "TrustServiceTSLStatusInvalidEquivalence", MRA)
    instances = line.iterfind(f"{MRA}TrustServiceEquivalenceHistory/{MRA}TrustServiceEquivalenceHistoryInstance")
    earlier = sorted((since, in_force) for in_force, since in map(_state, instances))
    if earlier and earlier[-1][0] >= since:
        raise InvalidForeignList("TrustServiceEquivalenceHistory", "a past state begins after the current one")
    return MutualRecognition(
        legal_identifier=text(line, "TrustServiceLegalIdentifier", MRA),
        pointing=_forms(one(types, "TrustServiceTSLTypeListPointingParty", MRA)),
        pointed=_forms(one(types, "TrustServiceTSLTypeListPointedParty", MRA)),
        in_force=in_force,
        since=since,
        valid_pointing=_statuses(valid, "Pointing"),
        valid_pointed=_statuses(valid, "Pointed"),
        invalid_pointing=_statuses(invalid, "Pointing"),
        invalid_pointed=_statuses(invalid, "Pointed"),
        history=tuple(earlier),
        conditional=any(maybe(line, name, MRA) is not None for name in _CONDITIONS),
    )


def _state(element: etree._Element) -> tuple[bool, datetime]:
    status = text(element, "TrustServiceEquivalenceStatus", MRA)
    if status not in _STATES:
        raise InvalidForeignList("TrustServiceEquivalenceStatus", "enacted or repealed is needed")
    name = "TrustServiceEquivalenceStatusStartingTime"
    return _STATES[status], instant(text(element, name, MRA), name)


def _forms(element: etree._Element) -> tuple[ServiceForm, ...]:
    found = []
    for form in element.iterfind(f"{MRA}TrustServiceTSLType"):
        additional = maybe(form, "AdditionalServiceInformation")
        uris = () if additional is None else (text(additional, "URI"),)
        found.append(ServiceForm(text(form, "ServiceTypeIdentifier"), uris))
    if not found:
        raise InvalidForeignList("TrustServiceTSLType", "missing")
    return tuple(found)


def _statuses(element: etree._Element, party: str) -> tuple[str, ...]:
    found = one(element, f"TrustServiceTSLStatusList{party}Party", MRA).iterfind(f"{TSL}ServiceStatus")
    return tuple(own_text(status) for status in found)


def equivalences_of(
    agreement: Iterable[MutualRecognition], at: datetime, *, assurance: Assurance = Assurance.LOW
) -> tuple[ServiceEquivalence, ...]:
    """What an agreement's lines in force at `at` (UTC) map to certificate types of this network.

    A line counts when its pointing party's form names a type by URN, and sets no conditions on single certificates. An
    assurance URN in a pointing form of the line beats `assurance`.
    """
    found: dict[ServiceEquivalence, None] = {}
    for line in agreement:
        if line.conditional or not _in_force(line, at):
            continue
        uris = [uri for form in line.pointing for uri in form.additional]
        level = next((level for level in Assurance if ASSURANCE_URN + level.value in uris), assurance)
        for uri in uris:
            if uri.startswith(TYPE_URN):
                type_id = TypeId(uri.removeprefix(TYPE_URN))
                for form in line.pointed:
                    found[ServiceEquivalence(form.service_type, type_id, level, form.additional)] = None
    return tuple(found)


def _in_force(line: MutualRecognition, at: datetime) -> bool:
    if line.since <= at:
        return line.in_force
    return next((in_force for since, in_force in reversed(line.history) if since <= at), False)


def agreement_of(entry: ForeignListEntry) -> tuple[MutualRecognition, ...]:
    """What a region's entry of a foreign list says, as lines of an agreement: one for each equivalence.

    The schema has room for one additional URI in a form: several become as many forms, which others may read as
    alternatives. Raises: ValueError for an equivalence with more than one, rather than say more than the region does.
    """
    lines = []
    current = entry.history[-1]
    for equivalence in entry.equivalences:
        if len(equivalence.additional) > 1:
            raise ValueError("the agreement's schema has no form with two additional URIs")
        lines.append(
            MutualRecognition(
                legal_identifier=equivalence.type_id,
                pointing=tuple(
                    ServiceForm(ATTESTATION, (uri,))
                    for uri in (TYPE_URN + equivalence.type_id, ASSURANCE_URN + equivalence.assurance.value)
                ),
                pointed=(ServiceForm(equivalence.service_type, equivalence.additional),),
                in_force=current.status is EntryStatus.GRANTED,
                since=current.at,
                valid_pointing=(GRANTED,),
                valid_pointed=(GRANTED,),
                invalid_pointing=(WITHDRAWN,),
                invalid_pointed=(WITHDRAWN,),
                history=tuple((change.at, change.status is EntryStatus.GRANTED) for change in entry.history[:-1]),
            )
        )
    return tuple(lines)


def write_agreement(
    agreement: Sequence[MutualRecognition], *, pointing_legislation: str, pointed_legislation: str
) -> etree._Element:
    """A MutualRecognitionAgreementInformation. Legislations are URIs. Spec: mra_schema_v2."""
    root = etree.Element(f"{MRA}MutualRecognitionAgreementInformation", nsmap={"mra": NAMESPACE, "tsl": TSL[1:-1]})
    for name, value in (
        ("technicalType", "2"),
        ("version", "2"),
        ("pointingContractingPartyLegislation", pointing_legislation),
        ("pointedContractingPartyLegislation", pointed_legislation),
        ("MRADepth", "1"),
    ):
        root.set(name, value)
    for line in agreement:
        element = _child(root, "TrustServiceEquivalenceInformation")
        _child(element, "TrustServiceLegalIdentifier", line.legal_identifier)
        _write_state(element, line, line.in_force, line.since)
        if line.history:
            history = _child(element, "TrustServiceEquivalenceHistory")
            for since, in_force in reversed(line.history):
                _write_state(_child(history, "TrustServiceEquivalenceHistoryInstance"), line, in_force, since)
    return root


def _write_state(parent: etree._Element, line: MutualRecognition, in_force: bool, since: datetime) -> None:
    types = _child(parent, "TrustServiceTSLTypeEquivalenceList")
    for party, forms in (("Pointing", line.pointing), ("Pointed", line.pointed)):
        listed = _child(types, f"TrustServiceTSLTypeList{party}Party")
        for form in forms:
            element = _child(listed, "TrustServiceTSLType")
            _child(element, "ServiceTypeIdentifier", form.service_type, TSL)
            for uri in form.additional:
                information = _child(element, "AdditionalServiceInformation", None, TSL)
                _child(information, "URI", uri, TSL).set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    _child(parent, "TrustServiceEquivalenceStatus", ENACTED if in_force else REPEALED)
    moment = since.astimezone(UTC).isoformat().replace("+00:00", "Z")
    _child(parent, "TrustServiceEquivalenceStatusStartingTime", moment)
    statuses = _child(parent, "TrustServiceTSLStatusEquivalenceList")
    for kind, pointing, pointed in (
        ("Valid", line.valid_pointing, line.valid_pointed),
        ("Invalid", line.invalid_pointing, line.invalid_pointed),
    ):
        element = _child(statuses, f"TrustServiceTSLStatus{kind}Equivalence")
        for party, uris in (("Pointing", pointing), ("Pointed", pointed)):
            listed = _child(element, f"TrustServiceTSLStatusList{party}Party")
            for uri in uris:
                _child(listed, "ServiceStatus", uri, TSL)


def _child(parent: etree._Element, name: str, content: str | None = None, namespace: str = MRA) -> etree._Element:
    element = etree.SubElement(parent, f"{namespace}{name}")
    element.text = content
    return element
