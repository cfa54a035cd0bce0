"""Publishing the lists once more as ETSI trusted lists: public/interchange/<code>.json and .xml, lotl.json and .xml.

Each is signed by a key that its authority lists for this (use LIST). Nothing here is authoritative and nothing of the
network depends on it: a rendering that can't be made is missing, and everything else goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from trust_registry.model import RegionCode, RegionList, TrustView
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
    """A rendering to be signed, and by whom: `certificate` (DER) is listed by the authority and over the key."""

    content: Content
    signer: Signer
    certificate: bytes

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
    """What a verified copy holds."""
    roles = {code: ListRole(found.kind, code).name for code, found in view.lists.items()}
    expires = {code: view.expiries.get(role, view.expires_at) for code, role in roles.items()}
    return Source(view.lists, expires, view.metadata_versions["snapshot"])


def rendering_of(source: Source, code: RegionCode, signer: Signer, base: str, now: datetime) -> Rendering:
    """The rendering of one authority's list. `base` is the URL of the public files' folder, ending in a slash.

    Raises: UnknownList; CeremonyError when the list does not name the signer's key for this, or no longer.
    """
    found = source.lists.get(code)
    if found is None:
        raise UnknownList(code)
    content = content_of_list(found, source.lists, base=base, next_update=source.expires[code])
    return Rendering(content, signer, _certificate(found, signer, now))


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
    return Rendering(content, signer, _certificate(found, signer, now))


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
        for form in Form:
            path = public / FOLDER / f"{stem}.{form.value}"
            if not (path.is_file() and _says_the_same(path.read_bytes(), form, rendering)):
                write_durably(path, rendering.signed(form, now))
                written.append(path.name)
    return tuple(written)


def _says_the_same(data: bytes, form: Form, rendering: Rendering) -> bool:
    signers = [rendering.certificate]
    try:
        if form is Form.TS_119_602:
            return open_jades(data, signers=signers).payload == lote_json(rendering.content)
        return _canonical(open_signed_xml(data, signers=signers).root) == _canonical(tsl_xml(rendering.content))
    except MalformedEnvelope:
        return False


def _canonical(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, method="c14n", exclusive=True, with_comments=False))


def _certificate(found: RegionList, signer: Signer, now: datetime) -> bytes:
    for der in list_signers(found, now):
        certificate = parse_certificate(der)
        if certificate.spki == signer.public_key.spki:
            if not certificate.not_before <= now <= certificate.not_after:
                raise CeremonyError(f"the certificate for renderings of the list of {found.code} is not valid now")
            return der
    raise CeremonyError(f"the list of {found.code} does not name this key for its renderings (use: list)")
