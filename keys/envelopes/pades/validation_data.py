"""The document security store, and what signatures bring along themselves: certificates, CRLs, OCSP responses.

DER as it stands; nothing is verified, and what is odd is left out with a word. Bounded in number and in bytes.
Spec: EN 319 142-1 clauses 5.4.2.2 (DSS) and 5.4.2.3 (VRI); ISO 32000-2 clause 12.8.4.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError

from keys import der
from keys.asn1_parts import Element
from keys.certificate import Certificate, parse_certificate
from keys.envelopes.pades.model import ValidationData
from keys.envelopes.pades.structure import entry
from keys.errors import MalformedCertificate
from keys.signature_problems import SignatureProblem as Problem
from keys.signed_data import SignedData, single

_MAX_ITEMS: Final = 256
_MAX_BYTES: Final = 16 << 20
_MAX_RELATED: Final = 64  # entries of /VRI
_REVOCATION_ARCHIVAL: Final = "1.2.840.113583.1.1.8"  # Adobe's, in the signed attributes (ISO 32000-2 table 260)
_KINDS: Final = (("/Certs", "/Cert"), ("/CRLs", "/CRL"), ("/OCSPs", "/OCSP"))


class _Store:
    """Collects each thing once, up to the bounds."""

    def __init__(self) -> None:
        self.found: tuple[dict[bytes, None], ...] = ({}, {}, {})
        self.problems: dict[Problem, None] = {}
        self._bytes = 0

    def add(self, kind: int, der_bytes: bytes) -> None:
        if der_bytes in self.found[kind]:
            return
        self._bytes += len(der_bytes)
        if self._bytes > _MAX_BYTES or sum(map(len, self.found)) >= _MAX_ITEMS:
            self.problems[Problem.VALIDATION_DATA_TOO_MUCH] = None
            return
        if der_bytes[:1] == b"\x30":
            self.found[kind][der_bytes] = None
        else:
            self.odd()

    def odd(self) -> None:
        self.problems[Problem.VALIDATION_DATA] = None

    def result(self) -> ValidationData:
        certificates: list[Certificate] = []
        for each in self.found[0]:
            try:
                certificates.append(parse_certificate(each))
            except MalformedCertificate:
                self.odd()
        return ValidationData(tuple(certificates), tuple(self.found[1]), tuple(self.found[2]), tuple(self.problems))


def validation_data(root: generic.DictionaryObject, signatures: Iterable[SignedData]) -> ValidationData:
    """What there is in the store of the document and in the signatures. Never raises on content."""
    store = _Store()
    if "/DSS" in root:
        try:
            _read_store(entry(root, "/DSS"), store)
        except Exception:  # whatever pyHanko stumbles over in a hostile store
            store.odd()
    for signed in signatures:
        _read_signature(signed, store)
    return store.result()


def _read_store(dss: Any, store: _Store) -> None:
    if not isinstance(dss, generic.DictionaryObject):
        raise PdfReadError("a document security store that is none")
    for kind, (name, _) in enumerate(_KINDS):
        _read_array(dss, name, kind, store)
    related = entry(dss, "/VRI")
    if related is None:
        return
    if not isinstance(related, generic.DictionaryObject):
        raise PdfReadError("validation-related information that is none")
    for number, key in enumerate(related):
        if number >= _MAX_RELATED:
            store.problems[Problem.VALIDATION_DATA_TOO_MUCH] = None
            return
        part = entry(related, key)
        if isinstance(part, generic.DictionaryObject):
            for kind, (_, name) in enumerate(_KINDS):
                _read_array(part, name, kind, store)
        elif key != "/Type":
            store.odd()


def _read_array(parent: generic.DictionaryObject, name: str, kind: int, store: _Store) -> None:
    if name not in parent:
        return
    array = entry(parent, name)
    if not isinstance(array, generic.ArrayObject):
        store.odd()
        return
    for place in range(min(len(array), _MAX_ITEMS)):
        stream = array[place]
        if isinstance(stream, generic.StreamObject):
            store.add(kind, stream.data)
        else:
            store.odd()


def _read_signature(signed: SignedData, store: _Store) -> None:
    for crl in signed.crls:
        store.add(1, crl)
    for response in signed.ocsp_responses:
        store.add(2, response)
    archived = single(signed.attributes, _REVOCATION_ARCHIVAL)
    if archived is None:
        return
    try:
        for tag, each in _archived(archived):
            if tag in (0xA0, 0xA1):
                store.add(tag - 0xA0 + 1, each)
    except (ValueError, IndexError):
        store.odd()


def _archived(value: bytes) -> Iterator[tuple[int, bytes]]:
    """RevocationInfoArchival: [0] CRLs, [1] OCSP responses, each an explicit SEQUENCE OF."""
    (archive,) = [Element(value, each) for each in der.elements(value)]
    for part in archive.children(der.SEQUENCE):
        for sequence in part.children()[:1]:
            for each in sequence.children(der.SEQUENCE)[:_MAX_ITEMS]:
                yield part.tag, each.whole
