"""What a foreign developer needs to know about a certificate type, as documents: SD-JWT VC type metadata, the elements
of its mdoc, the JSON Schema of its claims, and a query that asks for it.

Pure: the same type gives the same bytes, whichever server is asked, so that a digest of them identifies them. Serves
nothing; the names of claims and namespaces are those of `attestations` and `mdoc_attestations`.
Spec: SD-JWT VC sections 5 (type metadata) and 6 (integrity); OpenID4VP 1.0 section 6 (DCQL).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from enum import Enum
from hashlib import sha256
from typing import Any, Final

from trust_registry.attestations import TYPE_URN
from trust_registry.mdoc_attestations import CORE, CORE_ELEMENTS, doc_type_of
from trust_registry.model import CertificateType, ClaimDefinition, Names, TypeId

SCHEMA_URN: Final = "urn:yinxin:schema:"
_LIGHT, _DARK = "#ffffff", "#1b1f24"
_DIM: Final = 0.36  # relative luminance above which dark text is easier to read on a colour
_CERTIFICATE_ID = Names("电子证照标识", "Certificate identifier")
_SEAL_ID = Names("电子印章编号", "Seal number")
_ISSUER_ID = Names("颁证机构", "Issuing office")
_VALID_FROM = Names("生效时间（早于签发时）", "Valid from, where that is before it was signed")
_CBOR: Final = {"string": "tstr", "integer": "int", "boolean": "bool", "array": "array", "object": "map"}


class TypeDocument(Enum):
    """Which of a type's documents; the value is the file's name."""

    VCT = "vct.json"
    SCHEMA = "schema.json"
    MDOC = "mdoc.json"


def vct_of(type_id: TypeId) -> str:
    """The `vct` of SD-JWT VCs of this type."""
    return TYPE_URN + type_id


def make_document(type: CertificateType, kind: TypeDocument) -> bytes:
    """One of the type's documents: JSON in UTF-8. Raises: ValueError for a type that no mdoc can name."""
    make = {
        TypeDocument.VCT: type_metadata,
        TypeDocument.SCHEMA: claims_schema,
        TypeDocument.MDOC: mdoc_elements,
    }[kind]
    return json.dumps(make(type), ensure_ascii=False, indent=1, sort_keys=False).encode() + b"\n"


def integrity(document: bytes) -> str:
    """The integrity metadata string of a document: `sha256-` and the digest in base64. Spec: SD-JWT VC section 6."""
    return f"sha256-{b64encode(sha256(document).digest()).decode()}"


def type_metadata(type: CertificateType) -> dict[str, Any]:
    """The type metadata document. What is not said to be disclosable `always` or `never` is so in copies for wallets,
    where every claim is, and not in the office's own rendering.

    Spec: SD-JWT VC sections 5.2, 5.5 and 5.6.
    """
    required = set(type.schema.get("required", ()))
    described = [
        _claim(["certificate_id"], _CERTIFICATE_ID, mandatory=True),
        _claim(["seal_id"], _SEAL_ID, mandatory=True, sd="never"),
        *(
            _claim([c.name], c.names, mandatory=c.name in required, sd="always" if c.selective else None)
            for c in type.claims
        ),
    ]
    return {
        "vct": vct_of(type.id),
        "name": type.names.en,
        "description": f"{type.names.en} ({type.names.zh}), {type.code}, version {type.version}",
        "display": [
            {
                "locale": locale,
                "name": name,
                "rendering": {"simple": {"background_color": type.hue, "text_color": text_on(type.hue)}},
            }
            for locale, name in _localised(type.names)
        ],
        "claims": described,
    }


def claims_schema(type: CertificateType) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the claims, with their names in English as titles."""
    schema = dict(type.schema)
    named = {c.name: c.names for c in type.claims}
    properties = {
        name: {"title": named[name].en, **definition} if name in named else definition
        for name, definition in schema.pop("properties", {}).items()
    }
    dialect = schema.pop("$schema", "https://json-schema.org/draft/2020-12/schema")
    return {
        "$schema": dialect,
        "$id": f"{SCHEMA_URN}{type.id}:{type.version}",
        "title": f"{type.names.en} ({type.names.zh})",
        **schema,
        "properties": properties,
    }


def mdoc_elements(type: CertificateType) -> dict[str, Any]:
    """The document type and what its namespaces hold. Every element can be withheld: ask for `core` with the others."""
    doc_type = doc_type_of(type.id)
    required = set(type.schema.get("required", ()))
    properties: Mapping[str, Any] = type.schema.get("properties", {})
    own = [_element(c, properties.get(c.name, {}), mandatory=c.name in required) for c in type.claims]
    core = {"certificate_id": _CERTIFICATE_ID, "issuer_id": _ISSUER_ID, "seal_id": _SEAL_ID}
    common = [_entry(name, names, "tstr", mandatory=True) for name, names in core.items()]
    common.append(_entry("valid_from", _VALID_FROM, "tstr", mandatory=False))
    return {
        "doctype": doc_type,
        "name": type.names.en,
        "version": type.version,
        "core": {"namespace": CORE, "elements": list(CORE_ELEMENTS)},
        "namespaces": {doc_type: own, CORE: common},
    }


def example_query(type: CertificateType) -> dict[str, Any]:
    """A DCQL query for a certificate of this type, in either format, with what a verdict needs."""
    claims = [c.name for c in type.claims if c.on_printed_qr] or [c.name for c in type.claims[:1]]
    doc_type = doc_type_of(type.id)
    return {
        "credentials": [
            {
                "id": "sd_jwt",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [vct_of(type.id)]},
                "claims": [{"path": [name]} for name in ("certificate_id", *claims)],
            },
            {
                "id": "mdoc",
                "format": "mso_mdoc",
                "meta": {"doctype_value": doc_type},
                "claims": [
                    *({"path": [CORE, name]} for name in CORE_ELEMENTS),
                    *({"path": [doc_type, name]} for name in claims),
                ],
            },
        ],
        "credential_sets": [{"options": [["sd_jwt"], ["mdoc"]]}],
    }


def text_on(hue: str) -> str:
    """The colour of text that can be read on a card of this colour. Spec: WCAG 2.2, relative luminance."""
    channels = [int(hue[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return _DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _DIM else _LIGHT


def _claim(path: list[str], names: Names, *, mandatory: bool, sd: str | None = None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "path": path,
        "display": [{"locale": locale, "label": label} for locale, label in _localised(names)],
        "mandatory": mandatory,
    }
    return described if sd is None else {**described, "sd": sd}


def _element(claim: ClaimDefinition, schema: Mapping[str, Any], *, mandatory: bool) -> dict[str, Any]:
    return _entry(claim.name, claim.names, _CBOR.get(schema.get("type", ""), "any"), mandatory=mandatory)


def _entry(name: str, names: Names, type: str, *, mandatory: bool) -> dict[str, Any]:
    display = [{"locale": locale, "name": text} for locale, text in _localised(names)]
    return {"identifier": name, "type": type, "mandatory": mandatory, "display": display}


def _localised(names: Names) -> tuple[tuple[str, str], ...]:
    return ("zh-CN", names.zh), ("en", names.en)
