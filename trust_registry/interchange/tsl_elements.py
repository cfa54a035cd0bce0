"""Children and texts of the elements of a trusted list, each there as often as it must be. Parses and verifies nothing.

Spec: ETSI TS 119 612 V2.4.1 annex C.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.foreign_parts import MAX_TEXT, names_of
from trust_registry.model import Names

TSL: Final = "{http://uri.etsi.org/02231/v2#}"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"


def one(parent: etree._Element, name: str, namespace: str = TSL) -> etree._Element:
    """The only child of this name. Raises: InvalidForeignList."""
    found = maybe(parent, name, namespace)
    if found is None:
        raise InvalidForeignList(name, "missing")
    return found


def maybe(parent: etree._Element, name: str, namespace: str = TSL) -> etree._Element | None:
    """The only child of this name, if there is one. Raises: InvalidForeignList."""
    found = parent.findall(f"{namespace}{name}")
    if len(found) > 1:
        raise InvalidForeignList(name, "given more than once")
    return found[0] if found else None


def text(parent: etree._Element, name: str, namespace: str = TSL) -> str:
    """The text of the only child of this name. Raises: InvalidForeignList."""
    return own_text(one(parent, name, namespace))


def maybe_text(parent: etree._Element, name: str) -> str | None:
    """The text of the only child of this name, if there is one. Raises: InvalidForeignList."""
    found = maybe(parent, name)
    return None if found is None else own_text(found)


def own_text(element: etree._Element) -> str:
    """The element's text with white space put in order. Raises: InvalidForeignList."""
    found = " ".join(raw_text(element).split())
    if not found or len(found) > MAX_TEXT:
        raise InvalidForeignList(etree.QName(element).localname, f"1 to {MAX_TEXT} characters are needed")
    return found


def raw_text(element: etree._Element) -> str:
    """The element's text as it is. Raises: InvalidForeignList when the element holds anything else."""
    # A comment in the middle would cut the text short where `text` ends and the signature goes on.
    if len(element):
        raise InvalidForeignList(etree.QName(element).localname, "text is needed, and nothing else")
    return element.text or ""


def names(element: etree._Element) -> Names:
    """The names in an element of names. Raises: InvalidForeignList."""
    texts = [(name.get(_LANGUAGE) or "", own_text(name)) for name in element.iterfind(f"{TSL}Name")]
    return names_of(texts, etree.QName(element).localname)
