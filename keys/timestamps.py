"""RFC 3161 time-stamps: ask for one, make one, read one. A token says that a digest existed at a time.

Whether that TSA is to be believed (its certificate's path, its listing) is judged elsewhere. No clock, no network: the
time and the HTTP POST are handed in.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from asn1crypto import core, tsp

from keys import der
from keys.asn1_parts import Element, digest_name, generalized_time
from keys.certificate import Certificate
from keys.cms import DIGESTS, SignedData, digest_identifier, make_signed_data, parse_signed_data
from keys.errors import MalformedEnvelope, MalformedTimestamp, TimestampUnavailable
from keys.foreign_algorithms import digest_broken, digest_of
from keys.model import Algorithm
from keys.signature_problems import SignatureProblem
from keys.signer import Signer

TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
QUERY_TYPE: Final = "application/timestamp-query"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
_IMPRINTS: Final = {32: "sha256", 48: "sha384", 64: "sha512"}  # by size in bytes
_MAX_TOKEN: Final = 1 << 17
_MAX_QUERY: Final = 4096
_ROOM_WITHOUT_CERTIFICATES: Final = 1024
_POLICY: Final = "2.25.90402468744051286381614880139286675593.3.1"
_GRANTED: Final = (0, 1)  # granted, grantedWithMods
_REJECTION: Final = 2
_BAD_ALGORITHM, _BAD_REQUEST, _BAD_DATA_FORMAT, _UNACCEPTED_POLICY, _UNACCEPTED_EXTENSION = 0, 2, 5, 15, 16
_NOT_ASN1 = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)

_INTEGER: Final = 0x02
_VERSION_1: Final = b"\x02\x01\x01"

Post = Callable[[str, bytes, str], bytes]  # (URL, body, content type) -> body; raises OSError or TimestampUnavailable


class Timestamper(Protocol):
    """Somebody who stamps digests."""

    def timestamp(self, digest: bytes) -> bytes:
        """DER TimeStampToken over a digest of SHA-256 (32 bytes), SHA-384 or SHA-512. Raises TimestampUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class TimestampToken:
    """A parsed token. `signature_ok`: every cryptographic check held; `problems` names those that did not.

    `digest` is the imprint, made with `digest_algorithm` ("sha256", ...); None for an algorithm we do not accept.
    """

    generated_at: datetime
    digest: bytes
    certificate: Certificate
    intermediates: tuple[Certificate, ...]
    signature_ok: bool
    serial: int
    digest_algorithm: str | None
    policy: str
    nonce: int | None
    problems: tuple[str, ...]
    algorithm: Algorithm | None = None

    def covers(self, *data: bytes | memoryview) -> bool:
        """Whether the imprint is of `data` (parts in order)."""
        return self.digest_algorithm is not None and digest_of(self.digest_algorithm, *data) == self.digest


class EmbeddedTimestamper:
    """A TSA in this process. `chain` is embedded beside `certificate` (TIMESTAMP profile); `now` is UTC-aware."""

    def __init__(
        self, signer: Signer, certificate: Certificate, chain: Sequence[Certificate], now: Callable[[], datetime]
    ) -> None:
        if signer.public_key != certificate.public_key:
            raise ValueError("the signer and the certificate are of different keys")
        if certificate.extended_key_usage != {TIME_STAMPING} or not certificate.extended_key_usage_critical:
            raise ValueError("not a time-stamping certificate (RFC 3161 section 2.3)")
        self._signer, self._certificate, self._chain, self._now = signer, certificate, tuple(chain), now

    @property
    def room(self) -> int:
        """How many bytes a token takes at most."""
        return _ROOM_WITHOUT_CERTIFICATES + sum(len(c.der) for c in (self._certificate, *self._chain))

    def timestamp(self, digest: bytes) -> bytes:
        """DER TimeStampToken over a digest of the SHA-2 family. Raises: ValueError for one of another size."""
        if len(digest) not in _IMPRINTS:
            raise ValueError("not a digest of SHA-256, SHA-384 or SHA-512")
        return self._token(der.sequence(digest_identifier(_IMPRINTS[len(digest)]), der.octets(digest)))

    def answer_query(self, query: bytes) -> bytes:
        """DER TimeStampResp for a DER TimeStampReq: granted, or a rejection that says why. Never raises on content.

        Spec: RFC 3161 sections 2.4.1 and 2.4.2.
        """
        if len(query) > _MAX_QUERY:
            return _rejection(_BAD_DATA_FORMAT)
        try:
            imprint, nonce, want_certificates, failure = _read_query(query)
        except _NOT_ASN1:
            return _rejection(_BAD_DATA_FORMAT)
        if failure is not None:
            return _rejection(failure)
        token = self._token(imprint, nonce=nonce, embed_certificates=want_certificates)
        return der.sequence(der.sequence(der.integer(0)), token)

    def _token(self, imprint: bytes, *, nonce: bytes = b"", embed_certificates: bool = True) -> bytes:
        moment = self._now().astimezone(UTC)
        info = der.sequence(
            der.integer(1),
            der.oid(_POLICY),
            imprint,
            der.integer(secrets.randbits(120) | 1 << 120),
            der.tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode("ascii")),
            der.sequence(der.integer(1)),  # accuracy: whole seconds, so within one
            nonce,
            der.tlv(0xA0, der.tlv(0xA4, self._certificate.subject_name_der)),
        )
        return make_signed_data(
            signer=self._signer,
            certificate=self._certificate,
            chain=self._chain,
            content_type=TST_INFO,
            content=info,
            message_digest=hashlib.new(self._signer.algorithm.digest, info).digest(),
            embed_certificates=embed_certificates,
        )


class HttpTimestamper:
    """A TSA at a URL. `post` sends the request and gives the answer's body; OSErrors become TimestampUnavailable."""

    def __init__(self, url: str, post: Post) -> None:
        self._url, self._post = url, post

    def timestamp(self, digest: bytes) -> bytes:
        """DER TimeStampToken over a SHA-256 digest, checked against the question. Raises TimestampUnavailable.

        Spec: RFC 3161 sections 2.2 and 3.4.
        """
        nonce = secrets.randbits(63)
        hash_name = _IMPRINTS[len(digest)]
        imprint = der.sequence(digest_identifier(hash_name), der.octets(digest))
        query = der.sequence(der.integer(1), imprint, der.integer(nonce), der.BOOLEAN_TRUE)
        try:
            token_der = _granted(self._post(self._url, query, QUERY_TYPE))
            token = parse_timestamp_token(token_der)
        except OSError as err:
            raise TimestampUnavailable("the time-stamping authority could not be reached") from err
        except (MalformedTimestamp, *_NOT_ASN1) as err:
            raise TimestampUnavailable("the time-stamping authority gave no token") from err
        if token.nonce != nonce or token.digest != digest or token.digest_algorithm != hash_name:
            raise TimestampUnavailable("the time-stamping authority answered another question")
        if not token.signature_ok:
            raise TimestampUnavailable(f"the time-stamping authority's token is wrong: {', '.join(token.problems)}")
        return token_der


def parse_timestamp_token(data: bytes) -> TimestampToken:
    """Read and check a TimeStampToken of at most 128 KiB. Its TSA is not judged. Raises MalformedTimestamp.

    Checked: content type, one signer whose certificate is embedded, signature over the signed attributes by algorithms
    that are not retired (nothing proves when a token was made but itself), message digest, signing certificate,
    extended key usage timeStamping alone and critical. An imprint by a retired digest is none.
    Spec: RFC 3161 sections 2.3 and 2.4.2, RFC 5816.
    """
    if len(data) > _MAX_TOKEN:
        raise MalformedTimestamp(f"a time-stamp token of more than {_MAX_TOKEN} bytes")
    try:
        signed = parse_signed_data(data)
    except MalformedEnvelope as err:
        raise MalformedTimestamp("not a CMS SignedData with one signer") from err
    if signed.content_type != TST_INFO or signed.content is None:
        raise MalformedTimestamp("a SignedData that holds no TSTInfo")
    if signed.certificate is None:
        raise MalformedTimestamp("the TSA's certificate is not embedded, or can't be read")
    try:
        info = _Info(signed.content)
    except _NOT_ASN1 as err:
        raise MalformedTimestamp("not a TSTInfo") from err
    problems = tuple(_token_problems(signed, signed.content, signed.certificate))
    return TimestampToken(
        generated_at=info.generated_at,
        digest=info.digest,
        certificate=signed.certificate,
        intermediates=signed.intermediates,
        signature_ok=not problems,
        serial=info.serial,
        digest_algorithm=info.digest_algorithm,
        policy=info.policy,
        nonce=info.nonce,
        problems=problems,
        algorithm=signed.algorithm,
    )


def _token_problems(signed: SignedData, content: bytes, certificate: Certificate) -> Iterator[SignatureProblem]:
    if signed.digest is None or digest_of(signed.digest, content) != signed.message_digest:
        yield SignatureProblem.DIGEST
    for problem in signed.problems():
        # RFC 3161 itself asks for the SHA-1 attribute (RFC 5816 for a better one): another certificate with that digest
        # cannot be made, only two at once, and a time-stamper does not forge its own.
        if problem is not SignatureProblem.SIGNING_CERTIFICATE_SHA1:
            yield problem
    if certificate.extended_key_usage != {TIME_STAMPING} or not certificate.extended_key_usage_critical:
        yield SignatureProblem.KEY_USAGE


class _Info:
    """A TSTInfo. Spec: RFC 3161 section 2.4.2. Raises what `_NOT_ASN1` names."""

    def __init__(self, content: bytes) -> None:
        (info,) = [Element(content, each) for each in der.elements(content)]
        version, policy, imprint, serial, time, *rest = info.children(der.SEQUENCE)
        if version.whole != _VERSION_1 or serial.tag != _INTEGER or time.tag != 0x18:
            raise ValueError("not a TSTInfo")
        # accuracy, ordering, nonce, tsa, extensions: each once at most, in this order
        kinds = [each.tag for each in rest]
        if kinds != [kind for kind in (0x30, 0x01, _INTEGER, 0xA0, 0xA1) if kind in kinds]:
            raise ValueError("not a TSTInfo")
        algorithm, hashed = imprint.children(der.SEQUENCE)
        if hashed.tag != 0x04:
            raise ValueError("not an imprint")
        name = digest_name(algorithm)
        self.digest = hashed.content
        self.digest_algorithm = None if name is None or digest_broken(name) else name
        self.policy = policy.name
        self.serial = int.from_bytes(serial.content, "big", signed=True)
        self.generated_at = generalized_time(time.content.decode("ascii"))
        nonces = [int.from_bytes(each.content, "big", signed=True) for each in rest if each.tag == _INTEGER]
        self.nonce = nonces[0] if nonces else None


def _read_query(query: bytes) -> tuple[bytes, bytes, bool, int | None]:
    """The imprint and nonce as DER, whether certificates are wanted, and the failure bit if it can't be granted."""
    request: Any = tsp.TimeStampReq.load(query, strict=True)  # type: ignore[no-untyped-call]
    imprint, nonce = request["message_imprint"], request["nonce"]
    name = DIGESTS.get(imprint["hash_algorithm"]["algorithm"].dotted)
    digest: bytes = imprint["hashed_message"].native
    failure = None
    if request["version"].native not in (1, "v1"):
        failure = _BAD_REQUEST
    elif name is None:
        failure = _BAD_ALGORITHM
    elif len(digest) != hashlib.new(name).digest_size:
        failure = _BAD_DATA_FORMAT
    elif not isinstance(request["req_policy"], core.Void) and request["req_policy"].dotted != _POLICY:
        failure = _UNACCEPTED_POLICY
    elif not isinstance(request["extensions"], core.Void):
        failure = _UNACCEPTED_EXTENSION
    # The imprint goes back byte by byte, as asked (RFC 3161 section 2.4.2).
    nonce_der = b"" if isinstance(nonce, core.Void) else nonce.dump()
    return imprint.dump(), nonce_der, bool(request["cert_req"].native), failure


def _granted(response: bytes) -> bytes:
    """The token in a TimeStampResp. Raises TimestampUnavailable, or what asn1crypto raises."""
    if len(response) > _MAX_TOKEN:
        raise TimestampUnavailable("the time-stamping authority's answer is too long")
    ((_, _, start, end),) = der.elements(response)
    status, *token = der.elements(response, start, end)  # asn1crypto knows no response without a token
    _, _, value, past = der.elements(response, status[2], status[3])[0]
    if int.from_bytes(response[value:past], "big") not in _GRANTED:
        raise TimestampUnavailable("the time-stamping authority refused the request")
    ((_, first, _, last),) = token
    return response[first:last]


def _rejection(bit: int) -> bytes:
    return der.sequence(der.sequence(der.integer(_REJECTION), der.named_bits(frozenset({bit}))))
