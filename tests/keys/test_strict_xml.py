"""XML from strangers, alone and signed: no DTD, no entities, bounded size, depth, attributes and time."""

from __future__ import annotations

import time

import pytest
from lxml import etree

from keys.algorithms import ES256
from keys.envelopes.strict_xml import parse_xml
from keys.envelopes.xades import open_signed_xml, sign_xml
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from keys.x509 import Profile
from tests.keys.conftest import NOW, make_region
from tests.keys.xml_forge import LIST, canonical, forge_of, small_list

REGION = make_region()
SIGNER = EphemeralSigner.generate(ES256)
CERTIFICATE = REGION.certify(Profile.STATUS, SIGNER).der
FORGE = forge_of(SIGNER, CERTIFICATE, NOW)


def opened(data: bytes) -> etree._Element:
    return open_signed_xml(data, signers=[CERTIFICATE]).root


def refused(data: bytes, why: str) -> None:
    with pytest.raises(MalformedEnvelope, match=why):
        opened(data)


BILLION_LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "'
    + "ha" * 10
    + '">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
DECLARATIONS = {
    "billion laughs": (BILLION_LAUGHS, "&i;"),
    "quadratic blow-up": (f'<!DOCTYPE l [<!ENTITY a "{"x" * 50000}">]>', "&a;" * 2000),
    "external entity": ('<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]>', "&a;"),
    "external DTD": ('<!DOCTYPE l SYSTEM "http://registry.test/list.dtd">', ""),
    "parameter entity": ('<!DOCTYPE l [<!ENTITY % a SYSTEM "http://registry.test/x"> %a;]>', ""),
    "no declaration": ("", "&a;"),
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_document_types_and_entities_are_refused(name: str) -> None:
    declaration, use = DECLARATIONS[name]
    text = FORGE.signed.decode().partition("?>")[2].strip()
    began = time.thread_time()
    refused(f"{declaration}{text.replace('granted', use or 'granted')}".encode(), "XML")
    in_attribute = text.replace('Id="the-list"', f'Id="{use or "the-list"}"')
    refused(f"{declaration}{in_attribute if use or declaration else 'x'}".encode(), "XML")
    assert time.thread_time() - began < 1


def test_a_document_type_in_another_encoding_is_refused() -> None:
    text = BILLION_LAUGHS + "<l>&i;</l>"
    refused(text.encode("utf-16"), "XML")
    refused(b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE l +AFs +AF0APg- <l/>', "XML")


def test_what_an_encoding_declaration_says_is_not_believed() -> None:
    """Else what was searched for document types would not be what is parsed."""
    assert parse_xml('<?xml version="1.0" encoding="ISO-8859-1"?><a>东</a>'.encode()).text == "东"


def test_processing_instructions_are_refused() -> None:
    refused(FORGE.signed.replace(b"granted", b"<?php granted?>"), "processing instructions")
    refused(FORGE.signed + b"<?after?>", "processing instructions")


BOUNDS = {
    "depth": b"<a>" * 33 + b"</a>" * 33,
    "elements": b"<a>" + b"<b/>" * 500_000 + b"</a>",
    "depth beyond the parser's": b"<a>" * 100000,
    "attributes": b"<a " + b" ".join(b'a%d=""' % n for n in range(17)) + b"/>",
    "prefixed attributes": b"<a xmlns:p='urn:p' " + b" ".join(b"p:a%d=''" % n for n in range(4)) + b"/>",
    "namespaces": b"<a>" + b'<b xmlns="urn:b"/>' * 65537 + b"</a>",
    "size": b"<a>" + b" " * 2000 + b"</a>",
    "not UTF-8": "<a>é</a>".encode("latin-1"),
    "empty": b"",
}


@pytest.mark.parametrize("name", BOUNDS)
def test_xml_beyond_its_bounds_is_refused(name: str) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_xml(BOUNDS[name], max_size=1000 if name == "size" else 5 << 20)


def test_xml_within_its_bounds_is_read_in_good_time() -> None:
    """The most expensive document that the bounds allow, in 2 MB: prefixes in use at every depth over many elements."""
    at_depth = ""
    for depth in range(31):
        declared = " ".join(f"xmlns:p{depth}x{n}='urn:{depth}:{n}'" for n in range(100))
        used = " ".join(f"p{depth}x{n}:b='c'" for n in range(3))
        at_depth += f"<a {declared} {used}>"
    data = (at_depth + "<b/>" * 300000 + "</a>" * 31).encode()
    began = time.thread_time()
    canonical(parse_xml(data, max_size=2 << 20))
    assert time.thread_time() - began < 10


def test_a_large_list_is_opened() -> None:
    root = small_list()
    for number in range(40000):
        etree.SubElement(root, f"{{{LIST}}}issuer").text = f"office {number} " + "x" * 100
    data = sign_xml(root, signer=SIGNER, certificate=CERTIFICATE, signing_time=NOW)
    assert len(data) > 5_000_000
    assert len(opened(data)) == 40002
    with pytest.raises(MalformedEnvelope, match="more than"):
        open_signed_xml(data, signers=[CERTIFICATE], max_size=1 << 20)
