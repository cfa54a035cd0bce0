"""Making mdocs: sign an MSO over salted items, leave items out, present. Decides nothing about who may.

Spec: ISO/IEC 18013-5:2021 clauses 8.3.2.1.2.2 and 9.1.2.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, Final

import cbor2

from keys.envelopes import cbor
from keys.envelopes.cose import sign_cose_parts
from keys.envelopes.cose_key import cose_key_of
from keys.envelopes.mdoc.model import DIGESTS, MSO_VERSION, RESPONSE_VERSION, Mdoc, ValidityInfo
from keys.envelopes.mdoc.parsing import embedded
from keys.signer import Signer

_RANDOM_BYTES: Final = 32
_X5CHAIN: Final = 33
# An IssuerSignedItem with its members in deterministic order: random, digestID, elementValue, elementIdentifier.
_ITEM_HEAD: Final = b"\xa4\x66random\x58" + bytes((_RANDOM_BYTES,))
_DIGEST_ID: Final = b"\x68digestID"
_VALUE: Final = b"\x6celementValue"
_IDENTIFIER: Final = b"\x71elementIdentifier"


def issue_mdoc(
    doc_type: str,
    elements: Mapping[str, Mapping[str, Any]],
    *,
    signer: Signer,
    chain: Sequence[bytes],
    validity: ValidityInfo,
    device_key: Mapping[str, Any] | None,
    status: Mapping[str, Any] | None = None,
    digest_algorithm: str = "SHA-256",
) -> bytes:
    """IssuerSigned, in CBOR, of `elements` (by namespace and identifier; plain CBOR data), signed by `signer`.

    `chain`: the signer's certificate first, in DER, without the anchor. `device_key`: the holder's public JWK.
    Every item has 256 random bits; digestIDs are drawn so that they say nothing about the order of elements.
    Raises MalformedEnvelope (a device key of an unknown kind), TypeError (values that are not plain data).
    """
    digest = DIGESTS[digest_algorithm]
    items: dict[str, list[bytes]] = {}
    digests: dict[str, dict[int, bytes]] = {}
    for name_space, values in elements.items():
        numbers = _shuffled(len(values))
        randoms = os.urandom(_RANDOM_BYTES * len(values))
        made = [
            embedded(_item(number, randoms[_RANDOM_BYTES * place : _RANDOM_BYTES * (place + 1)], *each))
            for place, (number, each) in enumerate(zip(numbers, values.items(), strict=True))
        ]
        items[name_space] = made
        digests[name_space] = {
            number: digest(item).digest() for number, item in sorted(zip(numbers, made, strict=True))
        }
    mso = _mso(doc_type, digests, validity, device_key, status, digest_algorithm)
    shown = list(chain)
    issuer_auth = sign_cose_parts(
        embedded(mso), signer=signer, unprotected={_X5CHAIN: shown[0] if len(shown) == 1 else shown}
    )
    return _issuer_signed(items, cbor.encode(issuer_auth))


def _shuffled(count: int) -> list[int]:
    """The numbers below `count` in an order that nobody can guess."""
    keys = os.urandom(8 * count)
    return sorted(range(count), key=lambda number: keys[8 * number : 8 * number + 8])


def _item(number: int, random: bytes, identifier: str, value: Any) -> bytes:
    return b"".join(
        (
            _ITEM_HEAD,
            random,
            _DIGEST_ID,
            cbor2.dumps(number),
            _VALUE,
            cbor2.dumps(value) if value.__class__ is str else cbor.encode(value),
            _IDENTIFIER,
            cbor2.dumps(identifier),
        )
    )


def _mso(  # noqa: PLR0917
    doc_type: str,
    digests: Mapping[str, Mapping[int, bytes]],
    validity: ValidityInfo,
    device_key: Mapping[str, Any] | None,
    status: Mapping[str, Any] | None,
    digest_algorithm: str,
) -> bytes:
    mso: dict[str, Any] = {
        "version": MSO_VERSION,
        "digestAlgorithm": digest_algorithm,
        "valueDigests": digests,
        "docType": doc_type,
        "validityInfo": _validity(validity),
    }
    if device_key is not None:
        mso["deviceKeyInfo"] = {"deviceKey": cose_key_of(device_key)}
    if status is not None:
        mso["status"] = status
    return cbor2.dumps(mso, canonical=True)


def _validity(validity: ValidityInfo) -> dict[str, cbor2.CBORTag]:
    times = {"signed": validity.signed, "validFrom": validity.valid_from, "validUntil": validity.valid_until}
    if validity.expected_update is not None:
        times["expectedUpdate"] = validity.expected_update
    return {name: cbor2.CBORTag(0, _tdate(time)) for name, time in times.items()}


def _tdate(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()[:19] + "Z"


def _issuer_signed(items: Mapping[str, Sequence[bytes]], issuer_auth: bytes) -> bytes:
    """The map of `nameSpaces` and `issuerAuth`, of parts that are encoded already and must stay as they are."""
    written = [b"\xa2\x6anameSpaces", _head(0xA0, len(items))]
    for name_space, each in items.items():
        written += (cbor.encode(name_space), _head(0x80, len(each)), *each)
    return b"".join((*written, b"\x6aissuerAuth", issuer_auth))


def _head(kind: int, count: int) -> bytes:
    """The head of an array (0x80) or map (0xA0) of `count` members."""
    if count < 24:
        return bytes((kind | count,))
    return bytes((kind | 24, count)) if count < 0x100 else bytes((kind | 25,)) + count.to_bytes(2, "big")


def select_elements(mdoc: Mdoc, wanted: Mapping[str, AbstractSet[str]]) -> bytes:
    """IssuerSigned with only the `wanted` elements (identifiers by namespace), every kept byte as the issuer wrote it.

    Spec: clause 9.1.2.2: leaving items out is what discloses selectively.
    """
    signed = mdoc.issuer_signed
    kept: dict[str, list[bytes]] = {}
    for item in signed.items:
        if item.identifier in wanted.get(item.name_space, ()):
            kept.setdefault(item.name_space, []).append(item.encoded)
    auth = signed.issuer_auth
    parts = [auth.protected_bytes, dict(auth.unprotected), auth.payload, auth.signature]
    return _issuer_signed(kept, cbor.encode(parts))


def make_device_response(doc_type: str, issuer_signed: bytes, device_signed: bytes) -> bytes:
    """A DeviceResponse of one document. `issuer_signed` and `device_signed` are in CBOR. Spec: clause 8.3.2.1.2.2."""
    return b"".join(
        (
            b"\xa3\x67version",
            cbor.encode(RESPONSE_VERSION),
            b"\x69documents\x81\xa3\x67docType",
            cbor.encode(doc_type),
            b"\x6cissuerSigned",
            issuer_signed,
            b"\x6cdeviceSigned",
            device_signed,
            b"\x66status\x00",
        )
    )
