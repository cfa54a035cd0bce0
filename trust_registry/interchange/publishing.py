"""Publishing the lists once more as ETSI trusted lists: public/interchange/<code>.json and .xml, lotl.json and .xml.

Each is signed by a key that its authority lists for this (use LIST). Nothing here is authoritative and nothing of the
network depends on it: a rendering that can't be made is missing, and everything else goes on. A rendering that says
something new gets a new number: readers refuse two lists under one (TS 119 612 clause 5.3.2).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Final

from lxml import etree

from keys.certificate import parse_certificate
from keys.envelopes.jades import open_jades
from keys.envelopes.xades import open_signed_xml
from keys.errors import MalformedEnvelope
from keys.signer import Signer
from trust_registry.durable import write_durably
from trust_registry.errors import CeremonyError, UnknownList
from trust_registry.interchange.lote_writing import lote_json, write_lote
from trust_registry.interchange.rendering import Content, content_of_list, content_of_network, list_signers
from trust_registry.interchange.tsl_writing import tsl_xml, write_tsl
from trust_registry.model import KeyUse, RegionCode, RegionList, TrustView
from trust_registry.repository import Repository
from trust_registry.roles import ListRole

FOLDER: Final = "interchange"
LIST_OF_LISTS: Final = "lotl"


class Form(Enum):
    """In which form a list is rendered; the value is the file's suffix."""

    TS_119_602 = "json"
    TS_119_612 = "xml"


@dataclass(frozen=True, slots=True)
class Source:
    """What is published: the lists, until when each is signed for, and the snapshot's version, which only grows."""

    lists: Mapping[RegionCode, RegionList]
    expires: Mapping[RegionCode, datetime]
    snapshot_version: int


@dataclass(frozen=True, slots=True)
class Rendering:
    """A rendering to be signed, and by whom: `certificate` (DER) is listed by the authority and over the key.

    `signers` are all certificates that ever signed for the authority: what was released before is known by them.
    """

    content: Content
    signer: Signer
    certificate: bytes
    signers: tuple[bytes, ...]

    def signed(self, form: Form, at: datetime) -> bytes:
        """The signed file."""
        write = write_lote if form is Form.TS_119_602 else write_tsl
        return write(self.content, signer=self.signer, certificate=self.certificate, signing_time=at)


def source_of_repository(repository: Repository) -> Source:
    """What a network's own folder publishes. Raises: NotFounded."""
    published = repository.current()
    lists, expires = {}, {}
    for role in published.list_roles():
        found = repository.published_list(published, role)
        if found is not None:
            lists[role.code] = found
            expires[role.code] = published.roles[role.name].signed.expires
    return Source(lists, expires, published.snapshot.signed.version)


def source_of_view(view: TrustView) -> Source:
    """What a verified copy holds of the authorities that belong to the network."""
    lists = {code: found for code, found in view.lists.items() if code not in view.left}
    roles = {code: ListRole(found.kind, code).name for code, found in lists.items()}
    expires = {code: view.expiries.get(role, view.expires_at) for code, role in roles.items()}
    return Source(lists, expires, view.metadata_versions["snapshot"])


def rendering_of(source: Source, code: RegionCode, signer: Signer, base: str, now: datetime) -> Rendering:
    """The rendering of one authority's list. `base` is the URL of the public files' folder, ending in a slash.

    Raises: UnknownList; CeremonyError when the list does not name the signer's key for this, or no longer.
    """
    found = source.lists.get(code)
    if found is None:
        raise UnknownList(code)
    content = content_of_list(found, source.lists, base=base, next_update=source.expires[code], at=now)
    return _rendering(content, found, signer, now)


def rendering_of_network(source: Source, operator: RegionCode, signer: Signer, base: str, now: datetime) -> Rendering:
    """The list of lists, signed by one of the authorities. Raises: as `rendering_of`."""
    found = source.lists.get(operator)
    if found is None:
        raise UnknownList(operator)
    content = content_of_network(
        source.lists,
        found,
        source.snapshot_version,
        base,
        max(each.issued_at for each in source.lists.values()),
        min(source.expires.values()),
        at=now,
    )
    return _rendering(content, found, signer, now)


def render_all(
    source: Source,
    signers: Mapping[RegionCode, Signer],
    operator: RegionCode | None,
    base: str,
    now: datetime,
) -> dict[str, Rendering]:
    """A rendering for each authority that has a signer here, by the file's stem; with an `operator`, the list of lists.

    Raises: as `rendering_of`.
    """
    made = {str(code): rendering_of(source, code, signer, base, now) for code, signer in signers.items()}
    if operator is not None and operator in signers:
        made[LIST_OF_LISTS] = rendering_of_network(source, operator, signers[operator], base, now)
    return made


def write_renderings(public: Path, renderings: Mapping[str, Rendering], now: datetime) -> tuple[str, ...]:
    """Sign and write what is new into `public`/interchange, each file whole or not at all; returns the files' names.

    What says the same as before, by the same signer, is left as it is. Raises: OSError; what was written stays.
    """
    written = []
    for stem, rendering in renderings.items():
        paths = {form: public / FOLDER / f"{stem}.{form.value}" for form in Form}
        before = {form: _released(path, form, rendering.signers) for form, path in paths.items()}
        release = replace(rendering, content=_next_release(rendering.content, before, now))
        for form, path in paths.items():
            there = before[form]
            if there is None or there.certificate != release.certificate or there.body != _body(form, release.content):
                write_durably(path, release.signed(form, now))
                written.append(path.name)
    return tuple(written)


def remove_departed(public: Path, source: Source) -> tuple[str, ...]:
    """Take away the renderings of authorities that left: each says, until its next update, that all is as it was.

    Returns the files' names. Raises: OSError.
    """
    suffixes, known = {f".{form.value}" for form in Form}, {LIST_OF_LISTS, *source.lists}
    gone = [
        path
        for path in sorted((public / FOLDER).glob("*"))
        if path.suffix in suffixes and path.stem not in known and path.is_file()
    ]
    for path in gone:
        path.unlink()
    return tuple(path.name for path in gone)


@dataclass(frozen=True, slots=True)
class _Released:
    """What lies in the folder: its number, when it was issued, what it says, whose certificate (DER) signed it."""

    number: int
    issued_at: datetime
    body: bytes
    certificate: bytes


def _next_release(content: Content, before: Mapping[Form, _Released | None], now: datetime) -> Content:
    """The content under the number that is out already, if that says the same, or else under a new one."""
    newest = max((each.number for each in before.values() if each is not None), default=None)
    if newest is None:
        return content
    latest = {form: each for form, each in before.items() if each is not None and each.number == newest}
    for form, each in latest.items():
        same = replace(content, sequence_number=newest, issued_at=each.issued_at)
        if newest >= content.sequence_number and each.body == _body(form, same):
            return same
    known = (content.issued_at, *(each.issued_at for each in latest.values()))
    issued_at = now if now < content.next_update else max(known)  # an expired list is not issued after its end
    return replace(content, sequence_number=max(content.sequence_number, newest + 1), issued_at=issued_at)


def _body(form: Form, content: Content) -> bytes:
    return lote_json(content) if form is Form.TS_119_602 else _canonical(tsl_xml(content))


def _released(path: Path, form: Form, signers: tuple[bytes, ...]) -> _Released | None:
    """What was released before, if it is whole and one of `signers` signed it."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    try:
        if form is Form.TS_119_602:
            token = open_jades(data, signers=signers)
            scheme = json.loads(token.payload)["LoTE"]["ListAndSchemeInformation"]
            number, issued_at = scheme["LoTESequenceNumber"], scheme["ListIssueDateTime"]
            return _Released(number, datetime.fromisoformat(issued_at), token.payload, token.certificate)
        opened = open_signed_xml(data, signers=signers)
        number, issued_at = (
            opened.root.findtext(f"{{*}}SchemeInformation/{{*}}{name}")
            for name in ("TSLSequenceNumber", "ListIssueDateTime")
        )
        return _Released(int(number), datetime.fromisoformat(issued_at), _canonical(opened.root), opened.certificate)
    except (MalformedEnvelope, KeyError, TypeError, ValueError):
        return None


def _canonical(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, method="c14n", exclusive=True, with_comments=False))


def _rendering(content: Content, found: RegionList, signer: Signer, now: datetime) -> Rendering:
    """Raises: CeremonyError."""
    signers = tuple(key.certificate for key in found.authorities if key.use is KeyUse.LIST)
    return Rendering(content, signer, _certificate(found, signer, now), signers)


def _certificate(found: RegionList, signer: Signer, now: datetime) -> bytes:
    for der in list_signers(found, now):
        certificate = parse_certificate(der)
        if certificate.spki == signer.public_key.spki:
            if not certificate.not_before <= now <= certificate.not_after:
                raise CeremonyError(f"the certificate for renderings of the list of {found.code} is not valid now")
            return der
    raise CeremonyError(f"the list of {found.code} does not name this key for its renderings (use: list)")
