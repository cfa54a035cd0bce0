"""A list with everything that a rendering shows, and the schemas of ETSI that judge it, found beside the repository."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from lxml import etree
from referencing import Registry, Resource

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    WEST,
    common_list,
    east_list,
    key_entry,
    recognition,
    west_list,
)
from trust_registry.catalogue import HOUSEHOLD_REGISTER
from trust_registry.interchange.rendering import Content, content_of_list, territory_of
from trust_registry.model import (
    Assurance,
    EntryReason,
    EntryStatus,
    KeyEntry,
    KeyUse,
    RegionCode,
    RegionList,
    StatusChange,
    TypeGrant,
)

SCHEMAS = Path(__file__).parents[2].parent / "shared" / "specs" / "etsi"
BASE = "https://registry.test/trust/"
NEXT = DAY_0 + 90 * DAY


@dataclass(frozen=True)
class ListKey:
    """A key that signs renderings, with a certificate as TS 119 612 clause 5.7.1 wants it."""

    signer: EphemeralSigner
    certificate: bytes

    def listed(self) -> KeyEntry:
        from keys.x509 import parse_certificate

        return key_entry(KeyUse.LIST, parse_certificate(self.certificate))


@cache
def list_key(code: RegionCode, operator: str) -> ListKey:
    """Country and organisation of the certificate are the list's territory and operator."""
    signer = EphemeralSigner.generate(ES256)
    ca = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, territory_of(code) or "ZZ"),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, operator),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, f"List signer {code}"),
        ]
    )
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"CA {code}")])
    key: Any = load_der_public_key(signer.public_key.spki)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key).serial_number(1)
    builder = builder.not_valid_before(DAY_0 - DAY).not_valid_after(DAY_0 + timedelta(days=36500))
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier("0.4.0.2231.3.0")]), critical=False)
    return ListKey(signer, builder.sign(ca, hashes.SHA256()).public_bytes(Encoding.DER))


def key_of(found: RegionList) -> ListKey:
    return list_key(found.code, found.authority.en)


def with_list_key(found: RegionList) -> RegionList:
    return replace(found, authorities=(*found.authorities, key_of(found).listed()))


def changes(*lines: tuple[EntryStatus, datetime, EntryReason]) -> tuple[StatusChange, ...]:
    return tuple(StatusChange(*line) for line in lines)


def eventful_east() -> RegionList:
    """The east, 60 days on: a suspended and reinstated grant, another at a higher assurance, a compromised seal."""
    found = with_list_key(east_list())
    (issuer,) = found.attests
    first, second = issuer.grants
    suspended = (
        *first.history,
        *changes(
            (EntryStatus.SUSPENDED, DAY_0 + 10 * DAY, EntryReason.REORGANISATION),
            (EntryStatus.GRANTED, DAY_0 + 20 * DAY, EntryReason.REINSTATED),
        ),
    )
    (seal,) = issuer.seals
    compromised = StatusChange(EntryStatus.WITHDRAWN, DAY_0 + 40 * DAY, EntryReason.KEY_COMPROMISE, DAY_0 + 35 * DAY)
    seal = replace(seal, key=replace(seal.key, history=(*seal.key.history, compromised)))
    grants = (replace(first, history=suspended), second, TypeGrant(HOUSEHOLD_REGISTER, second.history, Assurance.HIGH))
    issuer = replace(issuer, grants=grants, seals=(seal,))
    return replace(found, version=7, issued_at=DAY_0 + 60 * DAY, attests=(issuer,))


def eventful_west() -> RegionList:
    """The west recognises the east for a month, 30 days after the start."""
    until = recognition(DAY_0 + 30 * DAY, DAY_0 + 60 * DAY)
    return replace(with_list_key(west_list()), recognises=(until,))


def all_lists() -> dict[RegionCode, RegionList]:
    return {each.code: each for each in (with_list_key(common_list()), eventful_east(), eventful_west())}


def content(code: RegionCode) -> Content:
    lists = all_lists()
    return content_of_list(lists[code], lists, base=BASE, next_update=NEXT, at=DAY_0 + 60 * DAY)


@cache
def json_schema() -> jsonschema.Draft7Validator:
    """The JSON Schema of TS 119 602, formats checked."""
    path = SCHEMAS / "1960201_json_schema.json"
    if not path.is_file():
        pytest.skip("no specs/etsi/1960201_json_schema.json beside the repository")
    schema = json.loads(path.read_bytes())
    keys = Resource.from_contents(json.loads((SCHEMAS / "rfc7517.json").read_bytes()))
    registry: Registry[Any] = Registry().with_resource("rfcs/rfc7517.json", keys)
    return jsonschema.Draft7Validator(
        schema, registry=registry, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )


_XML_NAMESPACE = """<xs:schema targetNamespace="http://www.w3.org/XML/1998/namespace"
 xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:attribute name="lang" type="xs:language"/></xs:schema>"""
_IMPORTED = {
    "http://uri.etsi.org/02231/v2#": "ts_119612v020401_xsd.xsd",
    "http://uri.etsi.org/02231/v2/additionaltypes#": "ts_119612v020401_additionaltypes_xsd.xsd",
    "http://ec.europa.eu/tools/lotl/mra/schema/v2#": "mra_schema_v2_19612v020401.xsd",
    "http://uri.etsi.org/01903/v1.3.2#": "XAdES01903v132-201601.xsd",
}


class _Local(etree.Resolver):
    """Schemas by the last part of their address: ETSI's beside the repository, W3C's and XAdES from signxml."""

    def resolve(self, url: str, public_id: Any, context: Any) -> Any:
        name = url.rpartition("/")[2]
        if name == "xml.xsd":
            return self.resolve_string(_XML_NAMESPACE, context)
        name = {"19612_xsd.xsd": "ts_119612v020401_xsd.xsd"}.get(name, name)
        if (SCHEMAS / name).is_file():
            return self.resolve_string((SCHEMAS / name).read_bytes(), context)
        for package in ("signxml.schemas", "signxml.xades.schemas"):
            found = resources.files(package) / name
            if found.is_file():
                return self.resolve_string(found.read_bytes(), context)
        return None


@cache
def xml_schema() -> etree.XMLSchema:
    """The schemas of TS 119 612, with those of XML Signature, XAdES and mutual recognition agreements."""
    if not (SCHEMAS / "ts_119612v020401_xsd.xsd").is_file():
        pytest.skip("no specs/etsi/ts_119612v020401_xsd.xsd beside the repository")
    imports = "".join(f'<xs:import namespace="{n}" schemaLocation="{file}"/>' for n, file in _IMPORTED.items())
    text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    parser = etree.XMLParser()
    parser.resolvers.add(_Local())
    return etree.XMLSchema(etree.fromstring(text, parser, base_url="urn:all"))


__all__ = ["EAST", "WEST"]
