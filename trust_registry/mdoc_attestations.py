"""A certificate as an mdoc: which document type, namespaces and elements carry it, and back. Signs and checks nothing.

The document type is `org.yinxin.<defining list>.<slug>.1`, made from the certificate type's id; it is the namespace of
the claims, too. What an SD-JWT VC says beside its claims stands in the namespace `org.yinxin.certificate.1`. An mdoc
can withhold any element, so whoever asks for one asks for `CORE_ELEMENTS` with it: without them it names no seal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from keys.envelopes.mdoc import Mdoc, ValidityInfo
from trust_registry.attestations import Attestation, StatusReference
from trust_registry.errors import MalformedAttestation
from trust_registry.identifiers import CertificateId
from trust_registry.model import IssuerId, SealId, TypeId

__all__ = ["CORE", "CORE_ELEMENTS", "MdocContent", "doc_type_of", "from_mdoc", "to_mdoc", "type_of_doc_type"]

CORE: Final = "org.yinxin.certificate.1"
CORE_ELEMENTS: Final = ("certificate_id", "issuer_id", "seal_id")
_ROOT: Final = "org.yinxin."
_VERSION: Final = ".1"
_VALID_FROM: Final = "valid_from"  # beside them where it lies before the signature, which `validFrom` may not
_NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280 section 4.1.2.5: no end; an MSO has one
_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class MdocContent:
    """What `keys.envelopes.mdoc.issue_mdoc` signs: elements by namespace and identifier."""

    doc_type: str
    elements: Mapping[str, Mapping[str, Any]]
    validity: ValidityInfo
    status: Mapping[str, Any]


def doc_type_of(type_id: TypeId) -> str:
    """The document type, and namespace, of a certificate type. Raises: ValueError for ids that it can't name."""
    owner, _, slug = type_id.partition("/")
    if not owner or not slug or "." in type_id or "/" in slug:
        raise ValueError("a certificate type that has no document type")
    return f"{_ROOT}{owner}.{slug}{_VERSION}"


def type_of_doc_type(doc_type: str) -> TypeId | None:
    """The certificate type of a document type; None when it is not one of this network's."""
    owner, _, slug = doc_type.removeprefix(_ROOT).removesuffix(_VERSION).partition(".")
    type_id = TypeId(f"{owner}/{slug}")
    known = owner and slug and "." not in slug and "/" not in owner + slug
    return type_id if known and doc_type == doc_type_of(type_id) else None


def to_mdoc(a: Attestation) -> MdocContent:
    """The content of the mdoc: every claim an element of its own, all of them for the holder to show or not.

    The status reference is that of Token Status List section 6.3, in the MSO. Raises: ValueError, as `doc_type_of`.
    """
    core: dict[str, Any] = {"certificate_id": a.certificate_id, "issuer_id": a.issuer_id, "seal_id": a.seal_id}
    if a.valid_from < a.issued_at:
        core[_VALID_FROM] = a.valid_from.astimezone(UTC).strftime(_FORMAT)
    doc_type = doc_type_of(a.type_id)
    return MdocContent(
        doc_type,
        {doc_type: dict(a.claims), CORE: core} if a.claims else {CORE: core},
        ValidityInfo(a.issued_at, max(a.issued_at, a.valid_from), a.valid_until or _NO_END),
        {"status_list": {"idx": a.status.index, "uri": a.status.uri}},
    )


def from_mdoc(mdoc: Mdoc) -> Attestation:
    """The attestation in an mdoc, with the claims that it shows. Raises: MalformedAttestation.

    Whether the items are those that the issuer signed is not asked here.
    """
    mso, elements = mdoc.mso, mdoc.issuer_signed.elements()
    type_id = type_of_doc_type(mso.doc_type)
    if type_id is None:
        raise MalformedAttestation("not the document type of a certificate")
    core = elements.get(CORE, {})
    try:
        reference = (mso.status or {})["status_list"]
        certificate_id, issuer_id, seal_id = (_text(core[name]) for name in CORE_ELEMENTS)
        since, until = mso.validity.valid_from, mso.validity.valid_until
        return Attestation(
            certificate_id=CertificateId(certificate_id),
            type_id=type_id,
            issuer_id=IssuerId(issuer_id),
            seal_id=SealId(seal_id),
            issued_at=mso.validity.signed,
            valid_from=_time(core[_VALID_FROM]) if _VALID_FROM in core else since,
            valid_until=None if until == _NO_END else until,
            status=StatusReference(_text(reference["uri"]), _natural(reference["idx"])),
            claims={name: _plain(value) for name, value in elements.get(mso.doc_type, {}).items()},
            holder_key=mso.device_key,
        )
    except (LookupError, TypeError, ValueError, AttributeError) as err:
        raise MalformedAttestation("not the elements of a certificate's mdoc") from err


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _natural(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("a natural number expected")
    return value


def _time(value: object) -> datetime:
    return datetime.strptime(_text(value), _FORMAT).replace(tzinfo=UTC)


def _plain(value: Any) -> Any:
    """A value that JSON has, too: whatever reads a claim may write it down."""
    if isinstance(value, dict):
        for name, item in value.items():
            _text(name)
            _plain(item)
    elif isinstance(value, list):
        for item in value:
            _plain(item)
    elif not (
        value is None or isinstance(value, str | int) or (isinstance(value, float) and abs(value) < float("inf"))
    ):
        raise TypeError("no claim's value")
    return value
