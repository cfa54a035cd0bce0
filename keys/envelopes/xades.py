"""XAdES B-B enveloped signatures over a whole XML document: making and opening them.

One exact shape is opened, the one that ETSI asks of trusted lists, so that nothing is left to wrap: the only Signature
is the last child of the root and covers the root, and what is returned is read from the canonical bytes that were
verified. Whether a signer is to be believed is the caller's: it names the certificates; no certification path, no
revocation and no time-stamp is looked at here. Signature properties that are not signed are ignored.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from keys import der
from keys.certificate import Certificate, parse_certificate
from keys.envelopes.strict_xml import MAX_SIZE, parse_xml, xml_parser
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.signer import Signer

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
_SIGNED_PROPERTIES_TYPE: Final = "http://uri.etsi.org/01903#SignedProperties"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_NAMES: Final = {"ds": DS, "xades": XADES}
_MAX_CERTIFICATES: Final = 10
_MIN_RSA_BITS: Final = 2048

_SIGNATURE_METHODS: Final = frozenset(
    {
        *(SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512),
        *(SignatureMethod.SHA256_RSA_MGF1, SignatureMethod.SHA384_RSA_MGF1, SignatureMethod.SHA512_RSA_MGF1),
        *(SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512),
    }
)
_DIGESTS: Final = {
    DigestAlgorithm.SHA256.value: hashlib.sha256,
    DigestAlgorithm.SHA384.value: hashlib.sha384,
    DigestAlgorithm.SHA512.value: hashlib.sha512,
}
_MADE_WITH: Final = {  # the JOSE names of our algorithms; RFC 9231 section 2.3.6 asks for r||s, as JOSE does
    "ES256": (SignatureMethod.ECDSA_SHA256.value, DigestAlgorithm.SHA256.value),
    "ES384": (SignatureMethod.ECDSA_SHA384.value, DigestAlgorithm.SHA384.value),
}
_NOT_VERIFIED: Final = (
    *(SignXMLException, etree.LxmlError, UnsupportedAlgorithm),
    *(ValueError, TypeError, KeyError, AttributeError, NotImplementedError, AssertionError),
)


@dataclass(frozen=True, slots=True)
class SignedXml:
    """A verified document. `root` is all that the signature covers, read anew from the canonical bytes.

    `certificate` is the signer's (DER), one of those that the caller named; `signing_time` is what the signer claims,
    within that certificate's validity; `algorithm` is the signature method's URI.
    """

    root: etree._Element
    certificate: bytes
    signing_time: datetime
    algorithm: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the parts of a signature of the accepted shape are. Nothing in it is verified yet."""

    signature: etree._Element
    references: int
    document_at: int
    method: str
    signing_time: datetime
    digest_method: str
    digest: bytes
    certificates: tuple[bytes, ...]


def open_signed_xml(data: bytes, *, signers: Collection[bytes], max_size: int = MAX_SIZE) -> SignedXml:
    """The document in `data` (UTF-8 XML of at most `max_size` bytes), signed by one of `signers` (DER certificates).

    Accepted is one XAdES B-B signature: the root's last child; over the whole root (transforms: enveloped, exclusive
    canonicalisation) and over signed properties that name the signer's certificate and a signing time within its
    validity; RSA (2048 bits or more) or ECDSA with SHA-2. Raises MalformedEnvelope for everything else, be it not XML,
    not this shape, signed by somebody else, or altered.

    Spec: ETSI TS 119 612 V2.4.1 annex B.1, ETSI EN 319 132-1 clause 6.3, W3C XML Signature 1.1 section 3.2.
    """
    root = parse_xml(data, max_size=max_size)
    shape = _shape(root)
    certificate = _signer(shape, signers)
    return SignedXml(_verified(root, shape, certificate), certificate, shape.signing_time, shape.method)


def read_signer_certificates(data: bytes, *, max_size: int = MAX_SIZE) -> tuple[bytes, ...]:
    """The DER certificates that a signed document brings along, unverified: for showing to a person, not for trust.

    Raises MalformedEnvelope.
    """
    return _shape(parse_xml(data, max_size=max_size)).certificates


def _shape(root: etree._Element) -> _Shape:
    signatures = list(root.iter(f"{{{DS}}}Signature"))
    if len(signatures) != 1 or root[-1] is not signatures[0]:
        raise MalformedEnvelope("not exactly one signature, at the end of the document's root")
    signature = signatures[0]
    info = _one(signature, "ds:SignedInfo")
    method = _attribute(_one(info, "ds:SignatureMethod"), "Algorithm")
    if method not in {accepted.value for accepted in _SIGNATURE_METHODS}:
        raise MalformedEnvelope("the XML signature's algorithm is not accepted")
    if _attribute(_one(info, "ds:CanonicalizationMethod"), "Algorithm") != _EXCLUSIVE:
        raise MalformedEnvelope("the XML signature's canonicalisation is not the exclusive one")
    for digest_method in signature.iter(f"{{{DS}}}DigestMethod"):
        if digest_method.get("Algorithm") not in _DIGESTS:
            raise MalformedEnvelope("the XML signature's digest algorithm is not accepted")
    if signature.find(".//{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces") is not None:
        raise MalformedEnvelope("the XML signature's canonicalisation has parameters")
    properties = _one(_one(_one(signature, "ds:Object"), "xades:QualifyingProperties"), "xades:SignedProperties")
    references = info.findall("ds:Reference", _NAMES)
    document_at = _check_references(root, signature, properties, references)
    digest_method, digest = _named_certificate(properties)
    return _Shape(
        signature=signature,
        references=len(references),
        document_at=document_at,
        method=method,
        signing_time=_signing_time(properties),
        digest_method=digest_method,
        digest=digest,
        certificates=_key_info(signature),
    )


def _check_references(
    root: etree._Element, signature: etree._Element, properties: etree._Element, references: list[etree._Element]
) -> int:
    """Where the reference to the document stands, of exactly the expected ones: document, properties, or key info."""
    document = {"", f"#{root.get('Id')}"} if root.get("Id") else {""}
    key_info = _one(signature, "ds:KeyInfo").get("Id")
    at: list[int] = []
    kinds: set[str] = set()
    for position, reference in enumerate(references):
        uri, kind = reference.get("URI"), reference.get("Type")
        transforms = [_attribute(t, "Algorithm") for t in reference.findall("ds:Transforms/ds:Transform", _NAMES)]
        if any(len(transform) for transform in reference.iterfind("ds:Transforms/*", _NAMES)):
            raise MalformedEnvelope("a transform of the XML signature has parameters")
        if uri in document and kind != _SIGNED_PROPERTIES_TYPE and transforms == [_ENVELOPED, _EXCLUSIVE]:
            at.append(position)
            kinds.add("document")
        elif uri == f"#{properties.get('Id')}" and kind == _SIGNED_PROPERTIES_TYPE and transforms in ([], [_EXCLUSIVE]):
            kinds.add("properties")
        elif key_info and uri == f"#{key_info}" and transforms in ([], [_EXCLUSIVE]):
            kinds.add("key info")
        else:
            raise MalformedEnvelope("the XML signature has a reference that a trusted list's has not")
    if not kinds >= {"document", "properties"} or len(kinds) != len(references):
        raise MalformedEnvelope("the XML signature does not cover the document and its own properties, once each")
    return at[0]


def _named_certificate(properties: etree._Element) -> tuple[str, bytes]:
    of_signature = _one(properties, "xades:SignedSignatureProperties")
    lists = of_signature.findall("xades:SigningCertificateV2", _NAMES)
    lists += of_signature.findall("xades:SigningCertificate", _NAMES)
    if len(lists) != 1:
        raise MalformedEnvelope("the XML signature's properties do not name its certificate, once")
    first = lists[0].find("xades:Cert/xades:CertDigest", _NAMES)
    if first is None:
        raise MalformedEnvelope("the XML signature's properties do not name its certificate")
    method = _attribute(_one(first, "ds:DigestMethod"), "Algorithm")
    return method, _base64(_one(first, "ds:DigestValue"))


def _signing_time(properties: etree._Element) -> datetime:
    text = _one(_one(properties, "xades:SignedSignatureProperties"), "xades:SigningTime").text or ""
    try:
        claimed = datetime.fromisoformat(text.strip())
        if claimed.tzinfo is None:
            raise ValueError("without a time zone")
        return claimed.astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise MalformedEnvelope("the XML signature's signing time is not a date and time with a zone") from err


def _key_info(signature: etree._Element) -> tuple[bytes, ...]:
    found = _one(signature, "ds:KeyInfo").findall("ds:X509Data/ds:X509Certificate", _NAMES)
    if not 0 < len(found) <= _MAX_CERTIFICATES:
        raise MalformedEnvelope("the XML signature brings no certificate, or too many")
    return tuple(_base64(element) for element in found)


def _signer(shape: _Shape, signers: Collection[bytes]) -> bytes:
    digest = _DIGESTS[shape.digest_method]
    for certificate in signers:
        if digest(certificate).digest() == shape.digest and certificate in shape.certificates:
            return certificate
    raise MalformedEnvelope("the XML signature is by none of the signers who may sign this document")


def _verified(root: etree._Element, shape: _Shape, certificate: bytes) -> etree._Element:
    configuration = XAdESSignatureConfiguration(
        location="./",
        expect_references=shape.references,
        signature_methods=_SIGNATURE_METHODS,
        digest_algorithms=frozenset(DigestAlgorithm(uri) for uri in _DIGESTS),
        ignore_ambiguous_key_info=True,  # only the named certificate's key is ever used
        verification_time=shape.signing_time,
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    try:
        signer = x509.load_der_x509_certificate(certificate)
        key = signer.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
            raise MalformedEnvelope("the XML signature's RSA key is too short")
        results = XAdESVerifier().verify(root, x509_cert=signer, expect_config=configuration, parser=xml_parser())
        signed = results[shape.document_at].signed_xml
    except _NOT_VERIFIED as err:
        raise MalformedEnvelope("the XML signature does not hold") from err
    if signed is None or signed.tag != root.tag:
        raise MalformedEnvelope("the XML signature does not cover the document")
    return signed


def _one(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(name, _NAMES)
    if len(found) != 1:
        raise MalformedEnvelope(f"an XML signature without exactly one {name.partition(':')[2]}")
    return found[0]


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise MalformedEnvelope(f"an XML signature without {name}")
    return str(value)


def _base64(element: etree._Element) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except ValueError as err:
        raise MalformedEnvelope("an XML signature with a value that is not base64") from err


def sign_xml(
    root: etree._Element,
    *,
    signer: Signer,
    certificate: bytes,
    signing_time: datetime,
    chain: Sequence[bytes] = (),
    mime_type: str = "text/xml",
) -> bytes:
    """The document below `root` (left as it is), with an enveloped XAdES B-B signature as the root's last child.

    `certificate` (DER) is over the signer's key, `chain` (DER) goes along with it, `signing_time` is UTC and counts in
    whole seconds. All but the signature value follows from the arguments. Raises AlgorithmNotSupported for signers
    other than ES256 and ES384, ValueError for another key's certificate and for a document that is signed already.

    Spec: ETSI EN 319 132-1 clauses 5.2 and 6.3, ETSI TS 119 612 V2.4.1 annex B.1.
    """
    if signer.algorithm.jose not in _MADE_WITH:
        raise AlgorithmNotSupported(f"no XML signature is made with {signer.algorithm.jose}")
    parsed = parse_certificate(certificate)
    if parsed.spki != signer.public_key.spki:
        raise ValueError("the certificate is over another key than the signer's")
    method, digest_method = _MADE_WITH[signer.algorithm.jose]
    document = etree.fromstring(etree.tostring(root), xml_parser())
    if next(document.iter(f"{{{DS}}}Signature"), None) is not None:
        raise ValueError("the document has a signature already")
    document_digest = _digest(document, digest_method)
    signature = etree.SubElement(document, f"{{{DS}}}Signature", {"Id": "signature"}, nsmap={"ds": DS})
    info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
    value = etree.SubElement(signature, f"{{{DS}}}SignatureValue")
    data = etree.SubElement(etree.SubElement(signature, f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data")
    for brought in (certificate, *chain):
        _leaf(data, DS, "X509Certificate", base64.b64encode(brought))
    properties = _signed_properties(signature, parsed, digest_method, signing_time, mime_type)
    etree.SubElement(info, f"{{{DS}}}CanonicalizationMethod", {"Algorithm": _EXCLUSIVE})
    etree.SubElement(info, f"{{{DS}}}SignatureMethod", {"Algorithm": method})
    _reference(info, {"Id": "document", "URI": ""}, (_ENVELOPED, _EXCLUSIVE), digest_method, document_digest)
    about = {"Type": _SIGNED_PROPERTIES_TYPE, "URI": "#signed-properties"}
    _reference(info, about, (_EXCLUSIVE,), digest_method, _digest(properties, digest_method))
    value.text = base64.b64encode(signer.sign(_canonical(info))).decode("ascii")
    return bytes(etree.tostring(document, xml_declaration=True, encoding="UTF-8"))


def _signed_properties(
    signature: etree._Element, certificate: Certificate, digest_method: str, at: datetime, mime_type: str
) -> etree._Element:
    container = etree.SubElement(signature, f"{{{DS}}}Object")
    names = {"xades": XADES, "ds": DS}
    qualifying = etree.SubElement(container, f"{{{XADES}}}QualifyingProperties", {"Target": "#signature"}, nsmap=names)
    properties = etree.SubElement(qualifying, f"{{{XADES}}}SignedProperties", {"Id": "signed-properties"})
    of_signature = etree.SubElement(properties, f"{{{XADES}}}SignedSignatureProperties")
    _leaf(of_signature, XADES, "SigningTime", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode())
    cert = etree.SubElement(etree.SubElement(of_signature, f"{{{XADES}}}SigningCertificateV2"), f"{{{XADES}}}Cert")
    cert_digest = etree.SubElement(cert, f"{{{XADES}}}CertDigest")
    _digest_of(cert_digest, digest_method, _DIGESTS[digest_method](certificate.der).digest())
    issuer = der.sequence(der.tlv(0xA4, certificate.issuer_name_der))  # GeneralNames of one directoryName
    serial = der.sequence(issuer, der.integer(certificate.serial))
    _leaf(cert, XADES, "IssuerSerialV2", base64.b64encode(serial))
    of_data = etree.SubElement(properties, f"{{{XADES}}}SignedDataObjectProperties")
    form = etree.SubElement(of_data, f"{{{XADES}}}DataObjectFormat", {"ObjectReference": "#document"})
    _leaf(form, XADES, "MimeType", mime_type.encode())
    return properties


def _reference(
    info: etree._Element, about: dict[str, str], transforms: Sequence[str], digest_method: str, digest: bytes
) -> None:
    reference = etree.SubElement(info, f"{{{DS}}}Reference", about)
    holder = etree.SubElement(reference, f"{{{DS}}}Transforms")
    for transform in transforms:
        etree.SubElement(holder, f"{{{DS}}}Transform", {"Algorithm": transform})
    _digest_of(reference, digest_method, digest)


def _digest_of(parent: etree._Element, method: str, digest: bytes) -> None:
    etree.SubElement(parent, f"{{{DS}}}DigestMethod", {"Algorithm": method})
    _leaf(parent, DS, "DigestValue", base64.b64encode(digest))


def _leaf(parent: etree._Element, namespace: str, name: str, text: bytes) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").text = text.decode("ascii")


def _digest(element: etree._Element, method: str) -> bytes:
    return _DIGESTS[method](_canonical(element)).digest()


def _canonical(element: etree._Element) -> bytes:
    return bytes(etree.tostring(element, method="c14n", exclusive=True, with_comments=False))
