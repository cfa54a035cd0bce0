"""What a certificate calls its subject and its issuer, beyond what `keys.certificate` keeps of every one."""

from __future__ import annotations

from cryptography import x509

from keys.certificate import Certificate


def self_signed(certificate: Certificate) -> bool:
    """Whether it is its own issuer, by name; nobody but its subject answers for it. Spec: RFC 5280 section 3.2."""
    return certificate.issuer_name_der == certificate.subject_name_der


def dns_names(certificate: Certificate) -> tuple[str, ...]:
    """The host names of its subjectAltName. Spec: RFC 5280 section 4.2.1.6."""
    extensions = x509.load_der_x509_certificate(certificate.der).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.value.get_values_for_type(x509.DNSName))
