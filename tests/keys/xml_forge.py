"""Signed XML to take apart: a small list, and signing again what was changed, so that only the shape is at fault."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from keys.envelopes.xades import DS, XADES, sign_xml
from keys.signer import Signer

LIST = "urn:example:list"
NAMES = {"ds": DS, "xades": XADES, "l": LIST}
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
DOCUMENT = f'<list xmlns="{LIST}" Id="the-list"><issuer>东岭市民政局</issuer><status>granted</status></list>'


def small_list(text: str = DOCUMENT) -> etree._Element:
    return etree.fromstring(text.encode())


def canonical(element: etree._Element) -> bytes:
    return bytes(etree.tostring(element, method="c14n", exclusive=True))


def find(root: etree._Element, path: str) -> etree._Element:
    (found,) = root.iterfind(".//" + path, NAMES)
    return found


@dataclass(frozen=True)
class Forge:
    """Somebody whose certificate is pinned, and who signs whatever shape is asked for."""

    certificate: bytes
    sign_info: Callable[[bytes], bytes]
    signed: bytes

    def change(self, change: Callable[[etree._Element], object]) -> bytes:
        """The signed list after `change`; digests of both references and the signature are made to fit again."""
        root = etree.fromstring(self.signed)
        change(root)
        return self.sign_again(root)

    def sign_again(self, root: etree._Element) -> bytes:
        signature = find(root, "ds:Signature")
        for reference in signature.iterfind("ds:SignedInfo/ds:Reference", NAMES):
            uri = reference.get("URI", "")
            digest_method = find(reference, "ds:DigestMethod").get("Algorithm", "")
            name = "sha1" if digest_method.endswith("sha1") else "sha256"
            targets = root.xpath("//*[@Id=$id]", id=uri[1:]) if uri.startswith("#") else [root]
            if len(targets) == 1:
                copy = etree.fromstring(etree.tostring(targets[0], with_tail=False))
                for nested in copy.findall(f".//{{{DS}}}Signature"):
                    nested.getparent().remove(nested)
                digest = hashlib.new(name, canonical(copy)).digest()
                find(reference, "ds:DigestValue").text = base64.b64encode(digest).decode()
        info = find(signature, "ds:SignedInfo")
        find(signature, "ds:SignatureValue").text = base64.b64encode(self.sign_info(canonical(info))).decode()
        return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def forge_of(signer: Signer, certificate: bytes, at: datetime) -> Forge:
    signed = sign_xml(small_list(), signer=signer, certificate=certificate, signing_time=at)
    return Forge(certificate, signer.sign, signed)


def rsa_forge(like: Forge, bits: int, since: datetime, until: datetime) -> Forge:
    """The same list, signed with RSA and SHA-256 as the European lists are."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "list operator")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(since).not_valid_after(until)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def change(root: etree._Element) -> None:
        method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
        find(root, "ds:SignatureMethod").set("Algorithm", method)
        replace_certificate(root, certificate)

    root = etree.fromstring(like.signed)
    change(root)
    forge = Forge(certificate, lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()), b"")
    return Forge(certificate, forge.sign_info, forge.sign_again(root))


def replace_certificate(root: etree._Element, certificate: bytes) -> None:
    find(root, "ds:X509Certificate").text = base64.b64encode(certificate).decode()
    digest = base64.b64encode(hashlib.sha256(certificate).digest()).decode()
    find(root, "xades:CertDigest/ds:DigestValue").text = digest
