"""Identity numbers, organisation codes and certificate identifiers: forms and check characters.

Nothing here looks a number up. Errors never repeat the number. Whether a region's digits exist is not asked: GB/T
2260 has changed every year for decades, and the network's fictional regions are outside it on purpose.
Spec: GB 11643, GB 32100, GB/T 36904, GB/T 17710 (ISO 7064).
"""

from __future__ import annotations

import re
from datetime import date
from operator import mul
from typing import NewType

from stdnum.cn import uscc as _uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2, mod_37_36

from trust_registry.errors import InvalidIdentifier

CertificateId = NewType("CertificateId", str)  # GB/T 36904: 1.2.156.3005.2.<type>.<issuer>.<serial>.<version>.<check>

CERTIFICATE_ID_ROOT = "1.2.156.3005.2."
CITIZEN_NUMBER = "citizen identity number"
USCC = "unified social credit code"
CERTIFICATE_ID = "certificate identifier"

_CITIZEN = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_TYPE_CODE = re.compile(r"[0-9A-Z]{18}[0-9]{3}", re.ASCII)
_ISSUER_CODE = re.compile(r"[0-9A-Z]{18}|[0-9]{6}", re.ASCII)  # the older short form: six digits of GB/T 2260
_SERIAL = re.compile(r"[0-9A-Z]{7,32}", re.ASCII)
_VERSION = re.compile(r"[0-9]{3}", re.ASCII)
_USCC_LENGTH = 18
_USCC = re.compile(r"[0-9]{8}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_USCC_WEIGHTS = (*(pow(3, place, 31) for place in range(17)), 1)
_USCC_ALPHABET = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = bytes.maketrans(_USCC_ALPHABET, bytes(range(31)))


def check_citizen_number(number: str) -> str:
    """The number as it is, once its form, birth date and check digit are right.

    Raises: InvalidIdentifier. Spec: GB 11643-1999 clause 4; ISO 7064 MOD 11-2.
    """
    if not _CITIZEN.fullmatch(number):
        raise InvalidIdentifier(CITIZEN_NUMBER, "18 characters are needed: 17 digits, then a digit or X")
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as err:
        raise InvalidIdentifier(CITIZEN_NUMBER, "characters 7 to 14 are not a date") from err
    if not mod_11_2.is_valid(number):
        raise InvalidIdentifier(CITIZEN_NUMBER, "the check character does not fit")
    return number


def check_uscc(code: str) -> str:
    """The code as it is, once its form and check character are right.

    Raises: InvalidIdentifier. Spec: GB 32100-2015.
    """
    if _USCC.fullmatch(code) and sum(map(mul, code.encode().translate(_USCC_VALUES), _USCC_WEIGHTS)) % 31 == 0:
        return code
    # Lists hold tens of thousands: stdnum is asked only what is wrong with one, as soon as one is.
    # stdnum forgives spaces and lower case; a list or a certificate must carry the code itself.
    if len(code) != _USCC_LENGTH or not code.isascii() or code != code.upper():
        raise InvalidIdentifier(USCC, "18 digits and upper-case letters are needed")
    try:
        _uscc.validate(code)
    except ValidationError as err:
        reason = "the check character does not fit" if "checksum" in str(err).lower() else "the form is not right"
        raise InvalidIdentifier(USCC, reason) from err
    return code


def certificate_check_character(body: str) -> str:
    """ISO 7064 MOD 37,36 over type + issuer + serial + version, without root and dots. Spec: GB/T 17710."""
    return str(mod_37_36.calc_check_digit(body))


def make_certificate_id(type_code: str, issuer_uscc: str, serial: str, version: int = 1) -> CertificateId:
    """A GB/T 36904 identifier with its check character.

    `type_code`: 21 characters; `serial`: 7 to 32 upper-case letters and digits; `version`: 1 to 999.
    Raises: InvalidIdentifier.
    """
    _check_certificate_parts(type_code, issuer_uscc, serial, f"{version:03d}")
    check_uscc(issuer_uscc)
    check = certificate_check_character(f"{type_code}{issuer_uscc}{serial}{version:03d}")
    return CertificateId(f"{CERTIFICATE_ID_ROOT}{type_code}.{issuer_uscc}.{serial}.{version:03d}.{check}")


def check_certificate_id(text: str) -> CertificateId:
    """The identifier as it is, once its parts and check character are right (the older short issuer form passes).

    Raises: InvalidIdentifier.
    """
    parts = text.removeprefix(CERTIFICATE_ID_ROOT).split(".")
    if not text.startswith(CERTIFICATE_ID_ROOT) or len(parts) != 5:
        raise InvalidIdentifier(
            CERTIFICATE_ID, f"the form is {CERTIFICATE_ID_ROOT}<type>.<issuer>.<serial>.<version>.<check>"
        )
    type_code, issuer, serial, version, check = parts
    _check_certificate_parts(type_code, issuer, serial, version)
    if len(issuer) == _USCC_LENGTH:
        check_uscc(issuer)
    if certificate_check_character(type_code + issuer + serial + version) != check:
        raise InvalidIdentifier(CERTIFICATE_ID, "the check character does not fit")
    return CertificateId(text)


def _check_certificate_parts(type_code: str, issuer: str, serial: str, version: str) -> None:
    for name, value, form, words in (
        ("type", type_code, _TYPE_CODE, "18 characters and 3 digits"),
        ("issuer", issuer, _ISSUER_CODE, "a unified social credit code"),
        ("serial", serial, _SERIAL, "7 to 32 digits and upper-case letters"),
        ("version", version, _VERSION, "3 digits"),
    ):
        if not form.fullmatch(value):
            raise InvalidIdentifier(CERTIFICATE_ID, f"the {name} must be {words}")


def mask(value: str) -> str:
    """`value` with its middle replaced by asterisks, same length: long numbers keep 3 + 4, names their ends."""
    length = len(value)
    if length <= 1:
        return "*" * length
    if length == 2:
        return value[0] + "*"
    head, tail = (3, 4) if length >= 11 else (1, 1)
    return value[:head] + "*" * (length - head - tail) + value[-tail:]
