"""mdocs: every MUST of ISO/IEC 18013-5 clauses 8.3.2.1.2.2 and 9.1 that the envelope answers for, and the attacks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ALGORITHMS, EDDSA, ES256, ES384
from keys.envelopes.mdoc import (
    DeviceOutcome,
    ItemOutcome,
    Mdoc,
    check_device_authentication,
    dc_api_transcript,
    mac_as_device,
    openid4vp_transcript,
    parse_device_response,
    parse_mdoc,
    select_elements,
    sign_as_device,
)
from keys.envelopes.mdoc.parsing import embedded
from keys.errors import MalformedEnvelope
from keys.model import Algorithm
from keys.signer import EphemeralSigner
from tests.keys.mdocs import (
    CERTIFICATE,
    DEVICE,
    DOC_TYPE,
    ELEMENTS,
    ISSUER,
    TRANSCRIPT,
    VALIDITY,
    Reader,
    altered,
    issued,
    presented,
    with_item,
    with_mso,
)

THUMBPRINT = bytes.fromhex("4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047")
NONCE = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA"


def outcomes(mdoc: Mdoc) -> set[ItemOutcome]:
    return {mdoc.issuer_signed.compare(item) for item in mdoc.issuer_signed.items}


# --- honest


def test_what_is_issued_reads_back_and_every_digest_holds() -> None:
    mdoc = parse_mdoc(issued())
    assert mdoc.issuer_signed.elements() == ELEMENTS
    assert outcomes(mdoc) == {ItemOutcome.OK}
    assert mdoc.mso.doc_type == DOC_TYPE
    assert mdoc.doc_type_agrees
    assert mdoc.mso.validity == VALIDITY
    assert mdoc.mso.device_key == DEVICE.public_key.jwk()
    assert mdoc.mso.status == {"status_list": {"idx": 412, "uri": "https://example.org/status/1"}}
    assert mdoc.issuer_signed.issuer_auth.verified_by(ISSUER.public_key)
    assert mdoc.issuer_signed.issuer_auth.chain() == (CERTIFICATE.der,)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda each: each.jose)
@pytest.mark.parametrize("digest", ["SHA-256", "SHA-384", "SHA-512"])
def test_9_1_2_5_every_digest_and_every_registered_signature(algorithm: Algorithm, digest: str) -> None:
    signer, device = EphemeralSigner.generate(algorithm), EphemeralSigner.generate(algorithm)
    made = issued(signer, digest_algorithm=digest, device_key=device.public_key.jwk())
    mdoc = parse_mdoc(presented(made, sign_as_device(DOC_TYPE, TRANSCRIPT, device)))
    assert mdoc.issuer_signed.issuer_auth.verified_by(signer.public_key)
    assert outcomes(mdoc) == {ItemOutcome.OK}
    assert check_device_authentication(mdoc, TRANSCRIPT) is DeviceOutcome.OK


def test_9_1_2_5_randoms_are_long_and_never_the_same() -> None:
    randoms = [item.random for _ in range(8) for item in parse_mdoc(issued()).issuer_signed.items]
    assert len(set(randoms)) == len(randoms)
    assert {len(each) for each in randoms} == {32}


def test_digest_ids_tell_nothing_of_the_order_of_elements() -> None:
    orders = {tuple(item.digest_id for item in parse_mdoc(issued()).issuer_signed.items) for _ in range(40)}
    assert len(orders) > 1


def test_leaving_items_out_keeps_the_others_and_the_issuers_signature_as_they_were() -> None:
    whole = parse_mdoc(issued())
    shown = parse_mdoc(select_elements(whole, {DOC_TYPE: {"points", "nothing"}}))
    assert shown.issuer_signed.elements() == {DOC_TYPE: {"points": 3}}
    assert shown.issuer_signed.issuer_auth == whole.issuer_signed.issuer_auth
    assert shown.issuer_signed.items[0] in whole.issuer_signed.items
    assert outcomes(shown) == {ItemOutcome.OK}
    none = parse_mdoc(select_elements(whole, {}))
    assert none.issuer_signed.items == ()


def test_many_elements_are_written_with_the_right_lengths() -> None:
    elements = {DOC_TYPE: {f"e{number}": number for number in range(300)}, "few": {"x": 1}}
    mdoc = parse_mdoc(issued(elements=elements))
    assert mdoc.issuer_signed.elements() == elements
    assert outcomes(mdoc) == {ItemOutcome.OK}


def test_a_document_alone_and_a_response_read_alike() -> None:
    response = presented()
    document = cbor2.dumps(cbor2.loads(response)["documents"][0])
    assert parse_mdoc(document).doc_type == parse_mdoc(response).doc_type == DOC_TYPE
    assert len(parse_device_response(response)) == 1


def test_lengths_longer_than_need_be_are_digested_as_they_were_received() -> None:
    content = cbor2.dumps({"random": b"r" * 16, "digestID": 0, "elementValue": 1, "elementIdentifier": "x"})
    item = b"\xd9\x00\x18\x5a" + len(content).to_bytes(4, "big") + content
    made = with_mso(lambda mso: mso.update({"valueDigests": {"n": {0: hashlib.sha256(item).digest()}}}))
    auth = cbor2.dumps(cbor2.loads(made)["issuerAuth"])
    mdoc = parse_mdoc(b"\xa2\x6anameSpaces\xa1\x61n\x81" + item + b"\x6aissuerAuth" + auth)
    assert outcomes(mdoc) == {ItemOutcome.OK}


# --- transcripts of OpenID4VP 1.0 appendix B.2.6


def test_openid4vp_b_2_6_1_the_transcript_of_the_specification() -> None:
    made = openid4vp_transcript(
        client_id="x509_san_dns:example.com",
        nonce=NONCE,
        response_uri="https://example.com/response",
        encryption_key=THUMBPRINT,
    )
    assert made.hex() == (
        "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac"
    )


def test_openid4vp_b_2_6_2_the_transcript_of_the_specification() -> None:
    made = dc_api_transcript(origin="https://example.com", nonce=NONCE, encryption_key=THUMBPRINT)
    assert made.hex() == (
        "83f6f682764f70656e4944345650444341504948616e646f7665725820fbece366f4212f9762c74cfdbf83b8c69e371d5d68cea09cb4c48c"
        "a6daab761a"
    )
    with pytest.raises(ValueError, match="prefix"):
        dc_api_transcript(origin="origin:https://example.com", nonce="n", encryption_key=None)


# --- the issuer's part under attack


def test_9_3_1_an_altered_item_is_told() -> None:
    mdoc = parse_mdoc(with_item(issued(), 0, elementValue="Eve"))
    assert ItemOutcome.ALTERED in outcomes(mdoc)
    assert mdoc.issuer_signed.issuer_auth.verified_by(ISSUER.public_key)


def test_9_3_1_a_renamed_element_is_told() -> None:
    assert ItemOutcome.ALTERED in outcomes(parse_mdoc(with_item(issued(), 0, elementIdentifier="nickname")))


def test_9_3_1_swapped_digest_ids_are_told() -> None:
    made = issued()
    numbers = [item.digest_id for item in parse_mdoc(made).issuer_signed.items]
    swapped = with_item(with_item(made, 0, digestID=numbers[1]), 1, digestID=numbers[0])
    assert outcomes(parse_mdoc(swapped)) == {ItemOutcome.OK, ItemOutcome.ALTERED}


def test_9_3_1_an_item_without_a_signed_digest_is_told() -> None:
    assert ItemOutcome.NOT_SIGNED in outcomes(parse_mdoc(with_item(issued(), 0, digestID=4000)))


def test_9_3_1_an_item_of_another_mdoc_is_told() -> None:
    other = cbor2.loads(issued(elements={DOC_TYPE: {"family_name": "Eve"}}))["nameSpaces"][DOC_TYPE][0]
    grafted = altered(issued(), lambda message: message["nameSpaces"].__setitem__(DOC_TYPE, [other]))
    assert outcomes(parse_mdoc(grafted)) == {ItemOutcome.ALTERED, ItemOutcome.OK}
    moved = altered(issued(), lambda message: message["nameSpaces"].__setitem__("another.namespace", [other]))
    assert ItemOutcome.NOT_SIGNED in outcomes(parse_mdoc(moved))


def test_9_3_1_the_wrong_doc_type_is_told() -> None:
    mdoc = parse_mdoc(presented(doc_type="org.iso.18013.5.1.mDL"))
    assert not mdoc.doc_type_agrees


def test_another_issuers_key_does_not_verify() -> None:
    auth = parse_mdoc(issued(EphemeralSigner.generate(ES256))).issuer_signed.issuer_auth
    assert not auth.verified_by(ISSUER.public_key)


# --- the device's part under attack


def test_9_1_3_4_a_signature_over_another_transcript_is_told() -> None:
    other = openid4vp_transcript(client_id="c", nonce="m", response_uri="https://hall.example/r", encryption_key=None)
    mdoc = parse_mdoc(presented())
    assert check_device_authentication(mdoc, TRANSCRIPT) is DeviceOutcome.OK
    assert check_device_authentication(mdoc, other) is DeviceOutcome.FALSE


def test_9_1_3_6_a_signature_by_another_key_is_told() -> None:
    thief = EphemeralSigner.generate(ES256)
    mdoc = parse_mdoc(presented(device_signed=sign_as_device(DOC_TYPE, TRANSCRIPT, thief)))
    assert check_device_authentication(mdoc, TRANSCRIPT) is DeviceOutcome.FALSE


def test_9_1_3_6_a_device_key_put_in_place_of_the_issuers_breaks_the_issuers_signature() -> None:
    thief = EphemeralSigner.generate(ES256)
    swapped = with_mso(
        lambda mso: mso["deviceKeyInfo"]["deviceKey"].update(
            {-2: thief.public_key.point()[:32], -3: thief.public_key.point()[32:]}
        ),
        signer=thief,
    )
    mdoc = parse_mdoc(presented(swapped, sign_as_device(DOC_TYPE, TRANSCRIPT, thief)))
    assert check_device_authentication(mdoc, TRANSCRIPT) is DeviceOutcome.OK
    assert not mdoc.issuer_signed.issuer_auth.verified_by(ISSUER.public_key)


def test_9_1_3_6_a_device_key_off_its_curve_authenticates_nobody() -> None:
    made = with_mso(lambda mso: mso["deviceKeyInfo"]["deviceKey"].update({-2: b"\x01" * 32, -3: b"\x02" * 32}))
    assert check_device_authentication(parse_mdoc(presented(made)), TRANSCRIPT) is DeviceOutcome.FALSE


def test_9_1_3_4_elements_of_the_device_are_covered() -> None:
    signed = sign_as_device(DOC_TYPE, TRANSCRIPT, DEVICE, {DOC_TYPE: {"transaction": "7"}})
    mdoc = parse_mdoc(presented(device_signed=signed))
    assert mdoc.device_signed is not None
    assert mdoc.device_signed.elements == {DOC_TYPE: {"transaction": "7"}}
    assert check_device_authentication(mdoc, TRANSCRIPT) is DeviceOutcome.OK
    changed = altered(
        presented(device_signed=signed),
        lambda message: message["documents"][0]["deviceSigned"].update({"nameSpaces": cbor2.CBORTag(24, b"\xa0")}),
    )
    assert check_device_authentication(parse_mdoc(changed), TRANSCRIPT) is DeviceOutcome.FALSE


def test_9_1_3_5_a_mac_by_key_agreement() -> None:
    reader, holder, stranger = Reader(), Reader(), Reader()
    made = issued(device_key=holder.public_key.jwk())
    mac = mac_as_device(DOC_TYPE, TRANSCRIPT, holder.agreement, reader.public_key)
    mdoc = parse_mdoc(presented(made, mac))
    assert check_device_authentication(mdoc, TRANSCRIPT, reader.agreement) is DeviceOutcome.OK
    assert check_device_authentication(mdoc, TRANSCRIPT, stranger.agreement) is DeviceOutcome.FALSE
    assert check_device_authentication(mdoc, TRANSCRIPT + b"", None) is DeviceOutcome.NOT_CHECKABLE
    assert check_device_authentication(mdoc, b"\xf6", reader.agreement) is DeviceOutcome.FALSE
    stolen = parse_mdoc(presented(made, mac_as_device(DOC_TYPE, TRANSCRIPT, stranger.agreement, reader.public_key)))
    assert check_device_authentication(stolen, TRANSCRIPT, reader.agreement) is DeviceOutcome.FALSE


def test_9_1_3_5_a_reader_on_another_curve_is_no_crash() -> None:
    holder, reader = EphemeralSigner.generate(ES384), Reader()
    mac = mac_as_device(DOC_TYPE, TRANSCRIPT, reader.agreement, Reader().public_key)
    mdoc = parse_mdoc(presented(issued(device_key=holder.public_key.jwk()), mac))
    assert check_device_authentication(mdoc, TRANSCRIPT, reader.agreement) is DeviceOutcome.FALSE


def test_without_device_authentication_it_is_absent() -> None:
    assert check_device_authentication(parse_mdoc(issued()), TRANSCRIPT) is DeviceOutcome.ABSENT


def test_a_device_key_of_an_unknown_kind_is_named_and_authenticates_nobody() -> None:
    made = with_mso(lambda mso: mso["deviceKeyInfo"].update({"deviceKey": {1: 2, -1: 8, -2: b"x" * 32, -3: b"y" * 32}}))
    mdoc = parse_mdoc(presented(made))
    assert mdoc.mso.names_device
    assert mdoc.mso.device_key is None
    assert check_device_authentication(mdoc, TRANSCRIPT) is DeviceOutcome.FALSE


def test_an_mso_without_a_device_key_names_none() -> None:
    mso = parse_mdoc(issued(device_key=None, status=None)).mso
    assert not mso.names_device
    assert mso.device_key is None
    assert mso.status is None


# --- refused


def in_item(**members: Any) -> Callable[[], bytes]:
    return lambda: with_item(issued(), 0, **members)


def in_mso(change: Callable[[Any], object]) -> Callable[[], bytes]:
    return lambda: with_mso(lambda mso: (change(mso), None)[1])


def in_signed(change: Callable[[Any], object]) -> Callable[[], bytes]:
    return lambda: altered(issued(), lambda message: (change(message), None)[1])


def in_response(change: Callable[[Any], object]) -> Callable[[], bytes]:
    return lambda: altered(presented(), lambda message: (change(message), None)[1])


def time(text: object, tag: int = 0) -> cbor2.CBORTag:
    return cbor2.CBORTag(tag, text)


def _device(message: Any) -> Any:
    return message["documents"][0]["deviceSigned"]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: b"", id="nothing"),
        pytest.param(lambda: b"\xa0", id="an empty map"),
        pytest.param(lambda: issued() + b"\x00", id="bytes after it"),
        pytest.param(lambda: issued()[:-1], id="cut short"),
        pytest.param(lambda: b"\x00" * (2 << 20), id="too large"),
        pytest.param(in_item(random=b"x" * 15), id="9.1.2.5: random of less than 16 bytes"),
        pytest.param(in_item(random="text"), id="random that is text"),
        pytest.param(in_item(digestID=-1), id="9.1.2.4: negative digestID"),
        pytest.param(in_item(digestID=2**31), id="9.1.2.4: digestID of 2^31"),
        pytest.param(in_item(digestID=True), id="digestID that is true"),
        pytest.param(in_item(elementIdentifier=""), id="no elementIdentifier"),
        pytest.param(in_item(more=1), id="a fifth member of an item"),
        pytest.param(in_item(elementIdentifier="given_name"), id="a data element twice"),
        pytest.param(
            in_signed(lambda m: m["nameSpaces"][DOC_TYPE].append(m["nameSpaces"][DOC_TYPE][0])), id="an item twice"
        ),
        pytest.param(in_signed(lambda m: m["nameSpaces"][DOC_TYPE].append({"digestID": 1})), id="an item in the open"),
        pytest.param(in_signed(lambda m: m["nameSpaces"].update({"empty": []})), id="8.3.2.1.2.2: no items"),
        pytest.param(in_signed(lambda m: m["nameSpaces"].update({7: []})), id="a namespace that is a number"),
        pytest.param(in_signed(lambda m: m["issuerAuth"][1].clear()), id="9.1.2.4: no x5chain"),
        pytest.param(in_signed(lambda m: m["issuerAuth"][1].update({33: "x"})), id="x5chain that is text"),
        pytest.param(in_signed(lambda m: m["issuerAuth"].__setitem__(2, None)), id="9.1.2.4: a detached MSO"),
        pytest.param(in_signed(lambda m: m["issuerAuth"].pop()), id="no signature"),
        pytest.param(in_signed(lambda m: m.pop("issuerAuth")), id="no IssuerAuth"),
        pytest.param(in_signed(lambda m: m["issuerAuth"].__setitem__(0, b"\xa1\x01\x38\x46")), id="alg not known"),
        pytest.param(in_signed(lambda m: m["issuerAuth"].__setitem__(0, b"")), id="alg not protected"),
        pytest.param(in_mso(lambda m: m.update({"version": "2.0"})), id="9.1.2.4: another version"),
        pytest.param(in_mso(lambda m: m.update({"digestAlgorithm": "SHA-1"})), id="9.1.2.5: SHA-1"),
        pytest.param(in_mso(lambda m: m.update({"digestAlgorithm": ["SHA-256"]})), id="a list of algorithms"),
        pytest.param(in_mso(lambda m: m.pop("valueDigests")), id="no digests"),
        pytest.param(in_mso(lambda m: m["valueDigests"][DOC_TYPE].update({0: b"short"})), id="a digest too short"),
        pytest.param(in_mso(lambda m: m["valueDigests"][DOC_TYPE].update({"0": b"x" * 32})), id="a digest by name"),
        pytest.param(in_mso(lambda m: m.pop("docType")), id="no docType in the MSO"),
        pytest.param(in_mso(lambda m: m.pop("validityInfo")), id="no validityInfo"),
        pytest.param(in_mso(lambda m: m["validityInfo"].pop("validUntil")), id="no validUntil"),
        pytest.param(in_mso(lambda m: m["validityInfo"].update({"signed": "2026-05-01T12:00:00Z"})), id="no tdate"),
        pytest.param(
            in_mso(lambda m: m["validityInfo"].update({"signed": time("2026-05-01T12:00:00.5Z")})),
            id="9.1.2.4: fractions of a second",
        ),
        pytest.param(
            in_mso(lambda m: m["validityInfo"].update({"signed": time("2026-05-01T12:00:00+08:00")})),
            id="9.1.2.4: a local offset",
        ),
        pytest.param(
            in_mso(lambda m: m["validityInfo"].update({"signed": time("2026-02-30T12:00:00Z")})), id="no such day"
        ),
        pytest.param(
            in_mso(lambda m: m["validityInfo"].update({"validUntil": time("2020-01-01T00:00:00Z")})),
            id="9.1.2.4: validUntil before validFrom",
        ),
        pytest.param(
            in_mso(lambda m: m["validityInfo"].update({"validFrom": time("2020-01-01T00:00:00Z")})),
            id="9.1.2.4: validFrom before signed",
        ),
        pytest.param(in_mso(lambda m: m.update({"status": "x"})), id="a status that is no map"),
        pytest.param(in_mso(lambda m: m.update({"deviceKeyInfo": {}})), id="deviceKeyInfo without a key"),
        pytest.param(in_mso(lambda m: m["deviceKeyInfo"]["deviceKey"].update({-4: b"d"})), id="a private device key"),
        pytest.param(in_response(lambda m: m.update({"version": "2.0"})), id="8.3.2.1.2.2: a response of 2.0"),
        pytest.param(in_response(lambda m: m.update({"status": 10})), id="8.3.2.1.2.3: a response of status 10"),
        pytest.param(in_response(lambda m: m.update({"status": False})), id="a status that is false"),
        pytest.param(in_response(lambda m: m.update({"documents": []})), id="no documents"),
        pytest.param(in_response(lambda m: m["documents"].append(m["documents"][0])), id="two documents, one judged"),
        pytest.param(in_response(lambda m: m["documents"][0].pop("docType")), id="no docType"),
        pytest.param(in_response(lambda m: _device(m).update({"deviceAuth": {}})), id="no device authentication"),
        pytest.param(
            in_response(lambda m: _device(m)["deviceAuth"].update({"deviceMac": [b"", {}, None, b""]})),
            id="9.1.3: a signature and a MAC",
        ),
        pytest.param(
            in_response(
                lambda m: _device(m).update({"deviceAuth": {"deviceMac": [b"\xa1\x01\x04", {}, None, b"x" * 32]}})
            ),
            id="9.1.3.5: another MAC than HMAC 256/256",
        ),
        pytest.param(
            in_response(
                lambda m: _device(m).update({"deviceAuth": {"deviceMac": [b"\xa1\x01\x05", {}, None, b"x" * 8]}})
            ),
            id="9.1.3.5: a MAC cut short",
        ),
        pytest.param(
            in_response(lambda m: _device(m)["deviceAuth"]["deviceSignature"].__setitem__(2, b"x")),
            id="9.1.3.4: a payload that is not detached",
        ),
        pytest.param(in_response(lambda m: _device(m).update({"nameSpaces": {}})), id="DeviceNameSpaces in the open"),
    ],
)
def test_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_mdoc(make())


def test_a_key_twice_in_a_map_is_refused() -> None:
    signed = issued()
    with pytest.raises(MalformedEnvelope):
        parse_mdoc(b"\xa3" + signed[1:] + b"\x6aissuerAuth\x80")


def test_elements_that_are_not_plain_data_are_not_signed() -> None:
    with pytest.raises(TypeError):
        issued(elements={DOC_TYPE: {"x": VALIDITY.signed}})
    with pytest.raises(MalformedEnvelope):
        issued(device_key={"kty": "RSA", "n": "x"})


# --- any bytes

SEED = presented()


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300) | st.tuples(st.integers(0, len(SEED) - 1), st.binary(min_size=1, max_size=4)))
def test_any_bytes_are_read_or_refused(data: bytes | tuple[int, bytes]) -> None:
    if isinstance(data, tuple):
        position, patch = data
        data = SEED[:position] + patch + SEED[position + len(patch) :]
    try:
        mdoc = parse_mdoc(data)
    except MalformedEnvelope:
        return
    assert outcomes(mdoc) <= set(ItemOutcome)
    check_device_authentication(mdoc, TRANSCRIPT, Reader().agreement)
    assert replace(mdoc) == mdoc


def test_ed25519_devices_have_no_key_agreement() -> None:
    device = EphemeralSigner.generate(EDDSA)
    mac = mac_as_device(DOC_TYPE, TRANSCRIPT, Reader().agreement, Reader().public_key)
    mdoc = parse_mdoc(presented(issued(device_key=device.public_key.jwk()), mac))

    def agree(_other: object) -> bytes:
        raise ValueError("no key agreement with such a key")

    assert check_device_authentication(mdoc, TRANSCRIPT, agree) is DeviceOutcome.FALSE


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 65535, 65536])
def test_rfc8949_3_embedded_values_have_the_shortest_head(size: int) -> None:
    assert embedded(b"x" * size) == cbor2.dumps(cbor2.CBORTag(24, b"x" * size))
