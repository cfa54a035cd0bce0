"""XAdES: what is signed is opened, once and as a whole; every other shape has one error."""

from __future__ import annotations

import base64
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from keys.algorithms import EDDSA, ES256, ES384
from keys.envelopes.xades import DS, XADES, open_signed_xml, read_signer_certificates, sign_xml
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.signer import EphemeralSigner
from keys.x509 import Profile
from tests.keys.conftest import NOW, SINCE, UNTIL, make_region
from tests.keys.xml_forge import (
    EXCLUSIVE,
    LIST,
    Forge,
    canonical,
    find,
    forge_of,
    replace_certificate,
    rsa_forge,
    small_list,
)

LISTS = Path(__file__).parents[2].parent / "shared" / "vectors" / "trusted-lists"
REGION = make_region()
SIGNER = EphemeralSigner.generate(ES256)
CERTIFICATE = REGION.certify(Profile.STATUS, SIGNER).der
FORGE = forge_of(SIGNER, CERTIFICATE, NOW)


def opened(data: bytes) -> etree._Element:
    return open_signed_xml(data, signers=[CERTIFICATE]).root


def refused(data: bytes, why: str = ".") -> None:
    with pytest.raises(MalformedEnvelope, match=why):
        open_signed_xml(data, signers=[CERTIFICATE])


@pytest.mark.parametrize("algorithm", [ES256, ES384])
def test_what_is_signed_is_opened(algorithm: object) -> None:
    signer = EphemeralSigner.generate(algorithm)  # type: ignore[arg-type]
    certificate = REGION.certify(Profile.STATUS, signer).der
    data = sign_xml(small_list(), signer=signer, certificate=certificate, chain=[REGION.ca.der], signing_time=NOW)
    document = open_signed_xml(data, signers=[CERTIFICATE, certificate])
    assert canonical(document.root) == canonical(small_list())
    assert (document.certificate, document.signing_time) == (certificate, NOW)
    assert document.algorithm.endswith("ecdsa-sha256" if algorithm is ES256 else "ecdsa-sha384")
    assert read_signer_certificates(data) == (certificate, REGION.ca.der)


def test_only_the_signature_value_differs_between_two_signings() -> None:
    def without_value(data: bytes) -> bytes:
        root = etree.fromstring(data)
        find(root, "ds:SignatureValue").text = None
        return canonical(root)

    again = sign_xml(small_list(), signer=SIGNER, certificate=CERTIFICATE, signing_time=NOW)
    assert without_value(again) == without_value(FORGE.signed)


def test_what_cannot_be_signed_is_refused() -> None:
    edwards = EphemeralSigner.generate(EDDSA)
    other = EphemeralSigner.generate(ES256)
    with pytest.raises(AlgorithmNotSupported):
        sign_xml(small_list(), signer=edwards, certificate=CERTIFICATE, signing_time=NOW)
    with pytest.raises(ValueError, match="another key"):
        sign_xml(small_list(), signer=other, certificate=CERTIFICATE, signing_time=NOW)
    with pytest.raises(ValueError, match="already"):
        sign_xml(etree.fromstring(FORGE.signed), signer=SIGNER, certificate=CERTIFICATE, signing_time=NOW)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(FORGE.signed) - 1), st.integers(1, 255))
def test_an_altered_byte_is_refused_or_means_nothing(at: int, flip: int) -> None:
    altered = bytearray(FORGE.signed)
    altered[at] ^= flip
    try:
        root = opened(bytes(altered))
    except MalformedEnvelope:
        return
    assert canonical(root) == canonical(small_list())  # white space, the XML declaration


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300) | st.text(alphabet="<>/ax:=\"'&#;![]-? ", max_size=300).map(str.encode))
def test_anything_is_refused_as_one_error(data: bytes) -> None:
    refused(data)


def test_the_signer_must_be_one_of_those_named() -> None:
    stranger = EphemeralSigner.generate(ES256)
    certificate = REGION.certify(Profile.STATUS, stranger).der  # even of the same CA
    refused(sign_xml(small_list(), signer=stranger, certificate=certificate, signing_time=NOW), "none of the signers")
    with pytest.raises(MalformedEnvelope, match="none of the signers"):
        open_signed_xml(FORGE.signed, signers=[])


def test_a_replaced_key_is_refused_though_the_certificate_stays() -> None:
    stranger = EphemeralSigner.generate(ES256)
    key_value = f'<ds:KeyValue xmlns:ds="{DS}"><ds:RSAKeyValue/></ds:KeyValue>'
    root = etree.fromstring(FORGE.signed)
    find(root, "ds:KeyInfo").insert(0, etree.fromstring(key_value))
    refused(Forge(CERTIFICATE, stranger.sign, b"").sign_again(root), "does not hold")


def test_a_certificate_that_is_pinned_but_not_named_in_the_signed_properties_is_refused() -> None:
    """EN 319 132-1 clause 5.2.2: the digest binds the certificate, against a second one over the same key."""
    twin = REGION.certify(Profile.STATUS, SIGNER, common_name="twin").der

    def name_the_twin_unsigned(root: etree._Element) -> None:
        find(root, "ds:X509Certificate").text = base64.b64encode(twin).decode()

    with pytest.raises(MalformedEnvelope, match="none of the signers"):
        open_signed_xml(FORGE.change(name_the_twin_unsigned), signers=[twin])
    refused(FORGE.change(name_the_twin_unsigned), "none of the signers")  # clause 6.3: the signer's must be brought
    with pytest.raises(MalformedEnvelope, match="none of the signers"):
        open_signed_xml(FORGE.change(lambda root: None), signers=[twin])


def wrap_in_object(root: etree._Element) -> etree._Element:
    """The classic: an evil root; the signed one hides in the signature, where the reference still finds it."""
    evil = etree.fromstring(f'<list xmlns="{LIST}"><issuer>mallory</issuer></list>')
    signature = find(root, "ds:Signature")
    root.remove(signature)
    hidden = etree.SubElement(signature, f"{{{DS}}}Object")
    hidden.append(root)
    evil.append(signature)
    return evil


def wrap_beside(root: etree._Element) -> etree._Element:
    evil = etree.fromstring(f'<list xmlns="{LIST}"><issuer>mallory</issuer></list>')
    signature = find(root, "ds:Signature")
    root.remove(signature)
    evil.extend([root, signature])
    return evil


def wrap_with_its_signature(root: etree._Element) -> etree._Element:
    evil = etree.fromstring(f'<list xmlns="{LIST}"><issuer>mallory</issuer></list>')
    evil.append(root)
    return evil


def wrap_under_the_same_id(root: etree._Element) -> etree._Element:
    evil = wrap_beside(root)
    evil.set("Id", "the-list")
    return evil


def two_signatures(root: etree._Element) -> etree._Element:
    root.append(deepcopy(find(root, "ds:Signature")))
    return root


def signature_before_the_end(root: etree._Element) -> etree._Element:
    root.insert(0, find(root, "ds:Signature"))
    return root


def a_late_addition(root: etree._Element) -> etree._Element:
    etree.SubElement(root, f"{{{LIST}}}issuer").text = "mallory"
    return root


WRAPPINGS = [
    wrap_in_object,
    wrap_beside,
    wrap_with_its_signature,
    wrap_under_the_same_id,
    two_signatures,
    signature_before_the_end,
    a_late_addition,
]


@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: wrap.__name__)
@pytest.mark.parametrize("by_id", [False, True], ids=["whole document", "by Id"])
def test_signature_wrapping_is_refused(wrap: Callable[[etree._Element], etree._Element], by_id: bool) -> None:
    genuine = FORGE.signed
    if by_id:
        genuine = FORGE.change(lambda root: find(root, "ds:Reference[@Id='document']").set("URI", "#the-list"))
        assert canonical(opened(genuine)) == canonical(small_list())
    refused(bytes(etree.tostring(wrap(etree.fromstring(genuine)))))


def test_an_id_that_occurs_twice_is_refused() -> None:
    for name in ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id"):
        refused(FORGE.change(lambda root, name=name: root[0].set(name, "signed-properties")), "occurs twice")


def test_a_comment_does_not_cut_a_value_short() -> None:
    """Comments are not signed: what is read from the document as it came would be `granted` cut in two."""
    data = FORGE.signed.replace(b"<status>granted", b"<status>gran<!-- -->ted")
    status = find(opened(data), "l:status")
    assert (status.text, len(status)) == ("granted", 0)


def transforms(*algorithms: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        holder = find(find(root, "ds:Reference[@Id='document']"), "ds:Transforms")
        for old in list(holder):
            holder.remove(old)
        for algorithm in algorithms:
            etree.SubElement(holder, f"{{{DS}}}Transform", {"Algorithm": algorithm})

    return change


ENVELOPED = DS + "enveloped-signature"
TRANSFORMS = {
    "none": (),
    "not enveloped": (EXCLUSIVE,),
    "not canonical": (ENVELOPED,),
    "with comments": (ENVELOPED, EXCLUSIVE + "WithComments"),
    "XPath": (ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE),
    "XPath filter": (ENVELOPED, "http://www.w3.org/2002/06/xmldsig-filter2", EXCLUSIVE),
    "XSLT": (ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116", EXCLUSIVE),
    "base64": (ENVELOPED, DS + "base64", EXCLUSIVE),
    "twice": (ENVELOPED, ENVELOPED, EXCLUSIVE),
    "in another order": (EXCLUSIVE, ENVELOPED),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_other_transforms_are_refused(name: str) -> None:
    refused(FORGE.change(transforms(*TRANSFORMS[name])), "reference")


def test_a_transform_with_parameters_is_refused() -> None:
    def stylesheet(root: etree._Element) -> None:
        etree.SubElement(find(root, f"ds:Transform[@Algorithm='{ENVELOPED}']"), "stylesheet")

    def prefixes(root: etree._Element) -> None:
        method = find(root, "ds:CanonicalizationMethod")
        etree.SubElement(method, f"{{{EXCLUSIVE}}}InclusiveNamespaces", {"PrefixList": "ds"})

    refused(FORGE.change(stylesheet), "parameters")
    refused(FORGE.change(prefixes), "parameters")


def set_algorithm(path: str, algorithm: str) -> Callable[[etree._Element], None]:
    return lambda root: find(root, path).set("Algorithm", algorithm)


def remove(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        found = find(root, path)
        found.getparent().remove(found)

    return change


def set_text(path: str, text: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        find(root, path).text = text

    return change


def set_uri(uri: str) -> Callable[[etree._Element], None]:
    return lambda root: find(root, "ds:Reference[@Id='document']").set("URI", uri)


def covers_only_a_part(root: etree._Element) -> None:
    root[0].set("Id", "part")
    set_uri("#part")(root)


def covers_the_list_twice(root: etree._Element) -> None:
    info = find(root, "ds:SignedInfo")
    info.append(deepcopy(find(info, "ds:Reference[@Id='document']")))
    del info[-1].attrib["Id"]


def covers_something_else_too(root: etree._Element) -> None:
    root[0].set("Id", "part")
    info = find(root, "ds:SignedInfo")
    info.append(deepcopy(info[-1]))
    info[-1].set("URI", "#part")


def names_its_certificate_twice(root: etree._Element) -> None:
    named = find(root, "xades:SigningCertificateV2")
    named.addnext(deepcopy(named))


def brings_many_certificates(root: etree._Element) -> None:
    certificate = find(root, "ds:X509Certificate")
    for _ in range(11):
        certificate.addnext(deepcopy(certificate))


SHA1 = DS + "sha1"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SHAPES: dict[str, tuple[Callable[[etree._Element], object], str]] = {
    "RSA with SHA-1": (set_algorithm("ds:SignatureMethod", DS + "rsa-sha1"), "algorithm is not accepted"),
    "ECDSA with SHA-1": (set_algorithm("ds:SignatureMethod", MORE + "ecdsa-sha1"), "algorithm is not accepted"),
    "HMAC": (set_algorithm("ds:SignatureMethod", MORE + "hmac-sha256"), "algorithm is not accepted"),
    "SHA-1 over the list": (set_algorithm("ds:Reference[@Id='document']/ds:DigestMethod", SHA1), "digest algorithm"),
    "SHA-1 over the certificate": (set_algorithm("xades:CertDigest/ds:DigestMethod", SHA1), "digest algorithm"),
    "canonicalised otherwise": (
        set_algorithm("ds:CanonicalizationMethod", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        "canonicalisation",
    ),
    "an RSA method with an elliptic key": (set_algorithm("ds:SignatureMethod", MORE + "rsa-sha256"), "not hold"),
    "only a part": (covers_only_a_part, "reference"),
    "the list twice": (covers_the_list_twice, "once each"),
    "something else too": (covers_something_else_too, "reference"),
    "a file": (set_uri("http://registry.test/list"), "reference"),
    "an xpointer": (set_uri("#xpointer(/)"), "reference"),
    "no reference to the list": (remove("ds:Reference[@Id='document']"), "once each"),
    "properties not covered": (remove("ds:Reference[@URI='#signed-properties']"), "once each"),
    "no properties": (remove("xades:QualifyingProperties"), "QualifyingProperties"),
    "no signing time": (remove("xades:SigningTime"), "SigningTime"),
    "a signing time without zone": (set_text("xades:SigningTime", "2026-06-01T00:00:00"), "signing time"),
    "no date at all": (set_text("xades:SigningTime", "yesterday"), "signing time"),
    "signed before the certificate": (set_text("xades:SigningTime", "2025-12-31T23:59:59Z"), "not hold"),
    "signed after the certificate": (set_text("xades:SigningTime", "2030-01-01T00:00:01Z"), "not hold"),
    "no signing certificate": (remove("xades:SigningCertificateV2"), "certificate"),
    "no certificate digest": (remove("xades:CertDigest"), "certificate"),
    "two signing certificates": (names_its_certificate_twice, "once"),
    "another certificate's digest": (
        set_text("xades:CertDigest/ds:DigestValue", base64.b64encode(b"x" * 32).decode()),
        "none of the signers",
    ),
    "no certificate": (remove("ds:X509Certificate"), "no certificate"),
    "many certificates": (brings_many_certificates, "too many"),
    "a certificate that is no base64": (set_text("ds:X509Certificate", "=?"), "base64"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_well_signed_but_another_shape(name: str) -> None:
    change, why = SHAPES[name]
    refused(FORGE.change(change), why)


def test_the_forge_itself_signs_what_is_accepted() -> None:
    """Else the tests above would prove nothing."""
    assert canonical(opened(FORGE.change(lambda root: None))) == canonical(small_list())


def test_rsa_as_the_european_lists_use_it() -> None:
    forge = rsa_forge(FORGE, 2048, SINCE, UNTIL)
    assert open_signed_xml(forge.signed, signers=[forge.certificate]).algorithm.endswith("rsa-sha256")
    short = rsa_forge(FORGE, 1024, SINCE, UNTIL)
    with pytest.raises(MalformedEnvelope, match="too short"):
        open_signed_xml(short.signed, signers=[short.certificate])


def test_a_pinned_certificate_that_is_none_is_refused() -> None:
    data = FORGE.change(lambda root: replace_certificate(root, b"no certificate"))
    with pytest.raises(MalformedEnvelope, match="not hold"):
        open_signed_xml(data, signers=[b"no certificate"])


@pytest.mark.parametrize(
    ("name", "signed_at"),
    [
        ("eu-lotl.xml", "2026-05-26T08:46:06Z"),
        ("tsl-be-v6.xml", "2026-06-15T09:44:05Z"),
        ("tsl-ee.xml", "2025-06-12T12:16:26Z"),
    ],
)
def test_lists_of_the_european_union_open(name: str, signed_at: str) -> None:
    if not (LISTS / name).is_file():
        pytest.skip(f"no vector trusted-lists/{name}")
    data = (LISTS / name).read_bytes()
    signers = read_signer_certificates(data)
    document = open_signed_xml(data, signers=signers)
    assert document.root.tag == "{http://uri.etsi.org/02231/v2#}TrustServiceStatusList"
    assert document.signing_time == datetime.fromisoformat(signed_at)
    assert document.root.find(f"{{{DS}}}Signature") is None
    refused(data, "none of the signers")
    at = data.index(b"SchemeOperatorName") + 60
    with pytest.raises(MalformedEnvelope):
        open_signed_xml(data[:at] + b"x" + data[at + 1 :], signers=signers)


def test_the_signing_time_is_told_in_utc() -> None:
    east = NOW.astimezone(tz=datetime.fromisoformat("2026-01-01T00:00:00+08:00").tzinfo)
    data = sign_xml(small_list(), signer=SIGNER, certificate=CERTIFICATE, signing_time=east)
    document = open_signed_xml(data, signers=[CERTIFICATE])
    assert document.signing_time == NOW
    assert document.signing_time.utcoffset() == timedelta(0)
    assert find(etree.fromstring(data), f"{{{XADES}}}SigningTime").text == "2026-06-01T00:00:00Z"
