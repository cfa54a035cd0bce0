"""XML from strangers: UTF-8, no DTD, no entities, no network, bounded size, depth and attributes.

Verifies no signature (`keys.envelopes.xades`) and knows no schema.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from keys.errors import MalformedEnvelope

MAX_SIZE: Final = 32 << 20  # room for some twenty thousand services with their certificates
MAX_DEPTH: Final = 32  # the European lists nest 16 deep
# Canonicalisation takes time in the product of the prefixes used above an element and the elements, and in the square
# of one element's attributes: the European lists have at most two attributes on an element.
_MAX_ATTRIBUTES: Final = 16
_MAX_PREFIXED_ATTRIBUTES: Final = 3
_MAX_ELEMENTS: Final = 500_000
_MAX_NAMESPACE_DECLARATIONS: Final = 65536


def xml_parser() -> etree.XMLParser:
    """A new parser that reads UTF-8 whatever the text declares, loads nothing and expands nothing."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_blank_text=False,
    )


def parse_xml(data: bytes, *, max_size: int = MAX_SIZE) -> etree._Element:
    """The root element of an XML document of at most `max_size` bytes.

    Refuses other encodings than UTF-8, every document type declaration (and with it every entity), processing
    instructions, nesting beyond 32 elements, more than 500,000 elements, more than 16 attributes (3 with a prefix)
    on one, and Ids (`Id`, `ID`, `id`, `xml:id`) that occur twice. Raises MalformedEnvelope.
    """
    if len(data) > max_size:
        raise MalformedEnvelope(f"XML of more than {max_size} bytes")
    if b"<!DOCTYPE" in data:  # before the parser, which would expand entities in attributes
        raise MalformedEnvelope("XML with a document type declaration")
    if data.count(b"xmlns") > _MAX_NAMESPACE_DECLARATIONS:
        raise MalformedEnvelope("XML with too many namespace declarations")
    try:
        data.decode("utf-8")
        root = etree.fromstring(data, xml_parser())
    except (ValueError, etree.LxmlError) as err:
        raise MalformedEnvelope("not well-formed XML in UTF-8") from err
    information = root.getroottree().docinfo
    if information.internalDTD is not None or information.externalDTD is not None:
        raise MalformedEnvelope("XML with a document type declaration")
    _check_outside(root)
    _check_nodes(root)
    return root


def _check_outside(root: etree._Element) -> None:
    for around in (*root.itersiblings(preceding=True), *root.itersiblings()):
        if around.tag is not etree.Comment:
            raise MalformedEnvelope("XML with processing instructions")


def _check_nodes(root: etree._Element) -> None:
    ids: set[str] = set()
    depth = count = 0
    for event, node in etree.iterwalk(root, events=("start", "end", "pi")):
        if event == "end":
            depth -= 1
            continue
        if event == "pi":
            raise MalformedEnvelope("XML with processing instructions")
        depth += 1
        count += 1
        if depth > MAX_DEPTH or count > _MAX_ELEMENTS:
            raise MalformedEnvelope("XML nested too deep, or of too many elements")
        if node.attrib:
            _check_attributes(node, ids)


def _check_attributes(element: etree._Element, ids: set[str]) -> None:
    prefixed = sum(name[0] == "{" for name in element.attrib)
    if len(element.attrib) > _MAX_ATTRIBUTES or prefixed > _MAX_PREFIXED_ATTRIBUTES:
        raise MalformedEnvelope("an XML element with too many attributes")
    for name, value in element.attrib.items():
        if etree.QName(name).localname.lower() != "id":
            continue
        if value in ids:
            raise MalformedEnvelope("an XML Id that occurs twice")
        ids.add(value)
