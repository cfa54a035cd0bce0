"""ASiC-E containers whose objects are held together by time-stamps: making, renewing and opening them.

A container is a ZIP of data objects; `META-INF/ASiCManifest.xml` names them with digests, and a time-stamp over that
manifest says that all of them existed then. A renewal is one more manifest, over everything before, with one more
time-stamp. What is read here are facts: whether a time-stamper is to be believed, and whether a renewal came in time,
is judged elsewhere. Signed containers (CAdES, XAdES), ASiC-S and evidence records are not opened.
Spec: ETSI EN 319 162-1 V1.1.1 clause 4.4 and annex A.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from lxml import etree

from keys.envelopes.strict_xml import parse_xml
from keys.envelopes.strict_zip import read_zip, write_zip
from keys.errors import MalformedEnvelope, MalformedTimestamp
from keys.timestamps import Timestamper, TimestampToken, parse_timestamp_token

MIMETYPE: Final = "application/vnd.etsi.asic-e+zip"
FIRST_BYTES: Final = b"PK\x03\x04"
MAX_CONTAINER: Final = 64 * 1024 * 1024
MAX_INSIDE: Final = 128 * 1024 * 1024
MAX_RENEWALS: Final = 64
_MARK: Final = "mimetype"
_FOLDER: Final = "META-INF/"
_MANIFEST: Final = "META-INF/ASiCManifest.xml"
_ARCHIVE_MANIFEST: Final = "META-INF/ASiCArchiveManifest.xml"
_STAMP_TYPE: Final = "application/vnd.etsi.timestamp-token"
_ASIC: Final = "http://uri.etsi.org/02918/v1.2.1#"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_MAX_MANIFESTS: Final = 16 * 1024 * 1024
_MAX_NAME: Final = 512
_DIGEST: Final = "sha512"  # of the objects: they must outlive any one time-stamp
_DIGEST_URIS: Final = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_URI_OF: Final = {name: uri for uri, name in _DIGEST_URIS.items()}


@dataclass(frozen=True, slots=True)
class Reference:
    """A manifest's word on one object. `digest_algorithm` is a hashlib name, None for one that we do not accept.

    `intact`: the object is there and has this digest.
    """

    name: str
    digest_algorithm: str | None
    intact: bool


@dataclass(frozen=True, slots=True)
class TimeAssertion:
    """One manifest and the time-stamp over it. `holds`: the token is whole, and over this manifest as it is here.

    `archive`: an ASiCArchiveManifest, a renewal. `token` is None where it is missing or can't be read.
    """

    manifest: str
    archive: bool
    token_name: str
    token: TimestampToken | None
    holds: bool
    references: tuple[Reference, ...]

    def covers(self, name: str) -> bool:
        """Whether it says that this object, as it is here, existed at its time."""
        if not self.holds:
            return False
        return name == self.manifest or any(each.name == name and each.intact for each in self.references)

    @property
    def broken(self) -> tuple[str, ...]:
        """The objects that are missing or are not as they were."""
        return tuple(each.name for each in self.references if not each.intact)


@dataclass(frozen=True, slots=True)
class Container:
    """What is in it. `files`: every member but `mimetype`, with those below META-INF/.

    `assertions`: oldest first. `uncovered`: objects that no manifest names, so that anybody may have put them in.
    """

    files: Mapping[str, bytes]
    assertions: tuple[TimeAssertion, ...]
    uncovered: tuple[str, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of members that are not what a manifest or a time-stamp says, each once, in order."""
        names = [name for each in self.assertions for name in each.broken]
        names += [each.token_name for each in self.assertions if not each.holds]
        return tuple(dict.fromkeys(names))


def make_container(objects: Mapping[str, bytes], timestamper: Timestamper, *, imprint: str = "sha256") -> bytes:
    """An ASiC-E of these data objects (name -> bytes, in this order) with one time-stamp over all of them.

    `imprint`: the digest that the time-stamper is asked to stamp. Raises: ValueError for no objects, or a name that no
    container may hold; TimestampUnavailable. Spec: EN 319 162-1 clause 4.4.4.
    """
    if not objects or any(name == _MARK or name.startswith(_FOLDER) for name in objects):
        raise ValueError("data objects are needed, and none of them mimetype or below META-INF/")
    return _with_assertion(dict(objects), _MANIFEST, timestamper, imprint)


def renew_container(
    data: bytes, timestamper: Timestamper, more: Mapping[str, bytes] | None = None, *, imprint: str = "sha256"
) -> bytes:
    """The same container with one more time-stamp, over everything in it and over `more` objects.

    Raises: MalformedEnvelope for one that can't be read or is not whole; ValueError for a name that is taken;
    TimestampUnavailable. Spec: EN 319 162-1 clause 4.4.3.2 item 6 and annex A.7.
    """
    found = read_container(data)
    if found.broken or found.uncovered or not found.assertions:
        raise MalformedEnvelope("not whole: a time-stamp over it would vouch for what was altered")
    if len(found.assertions) >= MAX_RENEWALS:
        raise MalformedEnvelope(f"renewed {MAX_RENEWALS} times")
    files = dict(found.files)
    if _ARCHIVE_MANIFEST in files:  # the newest has the plain name, the ones before have numbers
        number = sum(each.archive for each in found.assertions)
        previous = f"META-INF/ASiCArchiveManifest{number:03}.xml"
        if previous in files:
            raise MalformedEnvelope("the archive manifests are not numbered as they should be")
        files[previous] = files.pop(_ARCHIVE_MANIFEST)
    for name, content in (more or {}).items():
        if name in files or name == _MARK or name.startswith(_FOLDER):
            raise ValueError("an object of this name can't be added")
        files[name] = content
    return _with_assertion(files, _ARCHIVE_MANIFEST, timestamper, imprint)


def _with_assertion(files: dict[str, bytes], manifest: str, timestamper: Timestamper, imprint: str) -> bytes:
    number = sum(name.endswith(".tst") and name.startswith(_FOLDER) for name in files)
    token_name = f"META-INF/timestamp{number + 1:03}.tst"
    document = _write_manifest(files, token_name)
    token = timestamper.timestamp(hashlib.new(imprint, document).digest())
    return write_zip({_MARK: MIMETYPE.encode("ascii"), **files, manifest: document, token_name: token}, stored=(_MARK,))


def _write_manifest(files: Mapping[str, bytes], token_name: str) -> bytes:
    root = etree.Element(f"{{{_ASIC}}}ASiCManifest", nsmap={"asic": _ASIC, "ds": _DS})
    etree.SubElement(root, f"{{{_ASIC}}}SigReference", URI=token_name, MimeType=_STAMP_TYPE)
    last = max((name for name in files if "ASiCArchiveManifest" in name), default=None)
    for name, content in files.items():
        reference = etree.SubElement(root, f"{{{_ASIC}}}DataObjectReference", URI=name)
        if name == last:
            reference.set("Rootfile", "true")  # annex A.7: the archive manifest before this one
        etree.SubElement(reference, f"{{{_DS}}}DigestMethod", Algorithm=_URI_OF[_DIGEST])
        value = etree.SubElement(reference, f"{{{_DS}}}DigestValue")
        value.text = b64encode(hashlib.new(_DIGEST, content).digest()).decode("ascii")
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written


# --- opening


def is_container(data: bytes) -> bool:
    """Whether this begins like an ASiC-E, or another container with a media type of its own (clause 4.3.3.1)."""
    return data.startswith(FIRST_BYTES) and data[30:38] == _MARK.encode("ascii")


def read_container(data: bytes) -> Container:
    """What an ASiC-E of at most 64 MiB holds, and how its manifests and time-stamps agree with that. Trusts nobody.

    Raises: MalformedEnvelope for anything but a ZIP that every reader reads alike, with the media type first, and for
    containers of other kinds: ASiC-S, OpenDocument, or held together by signatures instead of time-stamps.
    """
    if len(data) > MAX_CONTAINER:
        raise MalformedEnvelope(f"a container of more than {MAX_CONTAINER} bytes")
    files = read_zip(data, max_inside=MAX_INSIDE)
    if next(iter(files), None) != _MARK or data[8:10] != b"\0\0" or data[28:30] != b"\0\0":
        raise MalformedEnvelope("the media type is not the first member, as it is")
    media_type = files.pop(_MARK)
    if media_type != MIMETYPE.encode("ascii"):
        raise MalformedEnvelope("not an ASiC-E container, but one of another media type")
    for name in files:
        if name.startswith(_FOLDER) and name.lower().endswith((".p7s", ".p7m", "signatures.xml", ".ers")):
            raise MalformedEnvelope("a container with signatures or evidence records of its own: not supported")
    manifests = [name for name in files if _is_manifest(name)]
    if not manifests or len(manifests) > MAX_RENEWALS:
        raise MalformedEnvelope("no manifest, or too many: not held together by time-stamps")
    if sum(len(files[name]) for name in manifests) > _MAX_MANIFESTS:
        raise MalformedEnvelope(f"manifests of more than {_MAX_MANIFESTS} bytes")
    digests = _Digests(files)
    assertions = sorted((_read_assertion(name, digests) for name in manifests), key=_age)
    named = {each.name for assertion in assertions for each in assertion.references}
    own = {name for each in assertions for name in (each.manifest, each.token_name)}
    return Container(files, tuple(assertions), tuple(name for name in files if name not in named | own))


def _is_manifest(name: str) -> bool:
    return name.startswith(_FOLDER) and name.endswith(".xml") and ("ASiCManifest" in name or "ASiCArchive" in name)


def _age(assertion: TimeAssertion) -> tuple[bool, float, int]:
    """Oldest first; of one second, those who name fewer objects: a renewal names all that was before."""
    token = assertion.token
    return assertion.archive, 0.0 if token is None else token.generated_at.timestamp(), len(assertion.references)


class _Digests:
    """The digests of members, each made once however many manifests name it."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self._known: dict[tuple[str, str], bytes] = {}

    def of(self, name: str, algorithm: str) -> bytes:
        found = self._known.get((name, algorithm))
        if found is None:
            found = self._known[name, algorithm] = hashlib.new(algorithm, self.files[name]).digest()
        return found


def _read_assertion(name: str, digests: _Digests) -> TimeAssertion:
    files = digests.files
    document = files[name]
    root = parse_xml(document, max_size=_MAX_MANIFESTS)
    if root.tag != f"{{{_ASIC}}}ASiCManifest":
        raise MalformedEnvelope("a manifest that is none")
    children = [child for child in root if isinstance(child.tag, str)]
    if not children or children[0].tag != f"{{{_ASIC}}}SigReference":
        raise MalformedEnvelope("a manifest without its SigReference")
    token_name = children[0].get("URI", "")
    if not token_name.endswith(".tst") or len(token_name) > _MAX_NAME:
        raise MalformedEnvelope("a manifest that no time-stamp covers: signed containers are not supported")
    references = tuple(_read_reference(child, digests) for child in children[1:])
    if not references or len({each.name for each in references}) != len(references):
        raise MalformedEnvelope("a manifest that names nothing, or one object twice")
    token = _read_token(files.get(token_name))
    holds = token is not None and token.signature_ok and token.covers(document)
    return TimeAssertion(name, "ASiCArchive" in name, token_name, token, holds, references)


def _read_reference(element: etree._Element, digests: _Digests) -> Reference:
    uri = element.get("URI", "")
    name = uri if uri in digests.files else unquote(uri)
    method, value = element.find(f"{{{_DS}}}DigestMethod"), element.find(f"{{{_DS}}}DigestValue")
    if element.tag != f"{{{_ASIC}}}DataObjectReference" or not name or method is None or value is None:
        raise MalformedEnvelope("a manifest with a reference that names no object or no digest")
    algorithm = _DIGEST_URIS.get(method.get("Algorithm", ""))
    try:
        digest = b64decode("".join((value.text or "").split()), validate=True)
    except ValueError as err:
        raise MalformedEnvelope("a digest that is not base64") from err
    intact = algorithm is not None and name in digests.files and digests.of(name, algorithm) == digest
    return Reference(name, algorithm, intact)


def _read_token(data: bytes | None) -> TimestampToken | None:
    try:
        return None if data is None else parse_timestamp_token(data)
    except MalformedTimestamp:
        return None
