"""Whether the value of a signature dictionary is a signature over the covered bytes, in each form that PDF knows.

Two forms are SHA-1 by definition and withdrawn (ISO 32000-2 clause 12.8.3): they are verified, and named as that. What
time it was, what came after and whom to believe is not looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys import der
from keys.asn1_parts import octets
from keys.certificate import Certificate, parse_certificate
from keys.cms import DATA, SignedData, parse_signed_data
from keys.envelopes.pades.coverage import Coverage
from keys.envelopes.pades.structure import entry
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedEnvelope
from keys.foreign_algorithms import digest_of, foreign_key
from keys.model import Algorithm
from keys.signature_problems import SignatureProblem as Problem
from keys.signed_data import sound

# The last is what Brazil's ICP calls the first.
_DETACHED: Final = ("/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/PBAD.PAdES")
_OVER_A_DIGEST: Final = "/adbe.pkcs7.sha1"
_BARE: Final = "/adbe.x509.rsa_sha1"
_SHA1_WITH_RSA: Final = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.NULL)
_PINNING: Final = frozenset(
    {
        *(Problem.SIGNING_CERTIFICATE, Problem.SIGNING_CERTIFICATE_MISSING),
        *(Problem.SIGNING_CERTIFICATE_SHA1, Problem.SIGNING_CERTIFICATE_DIFFERS),
    }
)
_MAX_CHAIN: Final = 16


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found; `signed` is the CMS, where there is one that can be read."""

    problems: tuple[Problem, ...] = ()
    signed: SignedData | None = None
    certificate: Certificate | None = None
    intermediates: tuple[Certificate, ...] = ()
    algorithm: Algorithm | None = None
    digest_ok: bool = False
    signature_ok: bool = False
    pinned: bool = False


def check(data: bytes, dictionary: generic.DictionaryObject, coverage: Coverage | None) -> Checked:
    """The signature in the gap of `coverage`, over the bytes around it; without coverage, what can be read of it."""
    form = entry(dictionary, "/SubFilter")
    if form == _BARE and coverage is not None:
        return _bare(data, dictionary, coverage)
    if form not in _DETACHED and form != _OVER_A_DIGEST:
        return Checked(() if coverage is None else (Problem.SUB_FILTER,))
    if coverage is None:
        return _unplaced(dictionary)
    try:
        signed = parse_signed_data(coverage.contents, any_signers=True)
    except MalformedEnvelope:
        return Checked((Problem.CMS,))
    own = signed.problems()
    mismatch = Problem.ALGORITHM_MISMATCH in own
    content, content_ok, signature_ok = _content(data, coverage, signed, own, over_a_digest=form == _OVER_A_DIGEST)
    single = Problem.SEVERAL_SIGNERS not in own
    return Checked(
        (*content, *own),
        signed,
        signed.certificate,
        signed.intermediates,
        None if mismatch else signed.algorithm,
        content_ok and single,
        signature_ok,
        bool(signed.attributes) and _PINNING.isdisjoint(own),
    )


def _unplaced(dictionary: generic.DictionaryObject) -> Checked:
    """Whose it claims to be, of a signature that covers nothing."""
    try:
        signed = parse_signed_data(loose_contents(dictionary), any_signers=True)
    except MalformedEnvelope:
        return Checked()
    return Checked((), None, signed.certificate, signed.intermediates)


def loose_contents(dictionary: generic.DictionaryObject) -> bytes:
    """What a dictionary has as its Contents, wherever it stands."""
    contents: Any = entry(dictionary, "/Contents")
    strings = generic.ByteStringObject | generic.TextStringObject
    return bytes(contents.original_bytes) if isinstance(contents, strings) else b""


def _content(
    data: bytes, coverage: Coverage, signed: SignedData, own: tuple[Problem, ...], *, over_a_digest: bool
) -> tuple[tuple[Problem, ...], bool, bool]:
    """Problems with what the CMS vouches for; whether that is the covered bytes; whether the signature holds."""
    if signed.content_type != DATA:
        return (Problem.CONTENT_TYPE,), False, sound(own) and bool(signed.attributes)
    if over_a_digest:
        return _over_a_digest(data, coverage, signed, own)
    if signed.content is not None:
        return (Problem.CONTENT_INSIDE,), False, sound(own) and bool(signed.attributes)
    if not signed.attributes:
        holds = signed.signature_holds_over(b"".join(coverage.parts(data)))
        return (() if holds else (Problem.SIGNATURE,)), holds, holds
    if signed.digest is None or signed.message_digest is None:
        return (), False, sound(own)
    held = coverage.digest(data, signed.digest) == signed.message_digest
    return (() if held else (Problem.DIGEST,)), held, sound(own)


def _over_a_digest(
    data: bytes, coverage: Coverage, signed: SignedData, own: tuple[Problem, ...]
) -> tuple[tuple[Problem, ...], bool, bool]:
    """adbe.pkcs7.sha1: the CMS has the SHA-1 digest of the covered bytes as its content."""
    old = (Problem.SUB_FILTER_OLD, Problem.WEAK_ALGORITHM)
    digest = coverage.digest(data, "sha1")
    if signed.content is None or signed.digest is None:
        return (*old, Problem.CONTENT_TYPE), False, False
    if signed.attributes:
        kept = digest_of(signed.digest, signed.content) == signed.message_digest
        holds = sound(own)
    else:
        kept = holds = signed.signature_holds_over(signed.content)
    held = kept and signed.content == digest
    return (old if held else (Problem.DIGEST, *old)), held, holds


def _bare(data: bytes, dictionary: generic.DictionaryObject, coverage: Coverage) -> Checked:
    """adbe.x509.rsa_sha1: an RSA signature in an OCTET STRING, the certificates in /Cert."""
    old = (Problem.SUB_FILTER_OLD, Problem.WEAK_ALGORITHM, Problem.NO_SIGNED_ATTRIBUTES)
    chain = _certificates(entry(dictionary, "/Cert"))
    if not chain:
        return Checked((*old, Problem.CERTIFICATE_MISSING))
    try:
        value = octets(coverage.contents.rstrip(b"\0")) or octets(coverage.contents)
        key = foreign_key(_SHA1_WITH_RSA, chain[0].spki)
    except AlgorithmNotSupported:
        return Checked((*old, Problem.ALGORITHM), None, chain[0], chain[1:])
    if value is None:
        return Checked((*old, Problem.CMS), None, chain[0], chain[1:])
    holds = key.verify_der(value, b"".join(coverage.parts(data)))
    found = old if holds else (*old, Problem.SIGNATURE)
    return Checked(found, None, chain[0], chain[1:], key.algorithm, holds, holds)


def _certificates(value: Any) -> tuple[Certificate, ...]:
    strings = list(value)[:_MAX_CHAIN] if isinstance(value, generic.ArrayObject) else [value]
    found = []
    for each in strings:
        text = each.get_object() if isinstance(each, generic.IndirectObject) else each  # type: ignore[no-untyped-call]
        if isinstance(text, generic.ByteStringObject | generic.TextStringObject):
            try:
                found.append(parse_certificate(text.original_bytes))
            except MalformedCertificate:
                continue
    return tuple(found)
