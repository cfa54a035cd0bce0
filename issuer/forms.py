"""The issuing form of a certificate type: claims as labelled fields, and what was typed as claims or errors by field.

Generated from the catalogue, so that a new type needs no new page. Decides no entitlement and issues nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry

from issuer.core import holder_kind
from issuer.model import HolderIdentity, HolderKind
from trust_registry.errors import InvalidIdentifier
from trust_registry.identifiers import check_citizen_number, check_uscc
from trust_registry.model import CertificateType, ClaimDefinition, Names

LONG_TEXT = 100  # characters from which a field gets several lines
LONGEST_INPUT = 4_000


class InputKind(Enum):
    """How a claim is typed in."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"
    SWITCH = "switch"
    LINES = "lines"  # a list of texts, one a line


@dataclass(frozen=True, slots=True)
class FormField:
    """One claim as a field. `options` are those of a CHOICE; `max_length` counts characters."""

    name: str
    names: Names
    kind: InputKind
    required: bool
    options: tuple[str, ...] = ()
    max_length: int | None = None
    hint: Names | None = None


_HINTS = {
    "citizen": Names("18 位，末位可为 X", "18 characters; the last may be X"),
    "uscc": Names("18 位统一社会信用代码", "18-character unified social credit code"),
    "digits": Names("只填数字", "digits only"),
}
_TYPES_OF_INPUT = {"integer": InputKind.NUMBER, "number": InputKind.NUMBER, "boolean": InputKind.SWITCH}


def fields_of(type_: CertificateType) -> tuple[FormField, ...]:
    """The form's fields, in the order of the type's claims."""
    required = frozenset(type_.schema.get("required", ()))
    properties = type_.schema.get("properties", {})
    return tuple(_field(claim, properties.get(claim.name, {}), claim.name in required) for claim in type_.claims)


def _field(claim: ClaimDefinition, schema: Mapping[str, Any], required: bool) -> FormField:
    options = tuple(str(option) for option in schema.get("enum", ()))
    longest = schema.get("maxLength")
    kind = _TYPES_OF_INPUT.get(str(schema.get("type")), InputKind.TEXT)
    if options:
        kind = InputKind.CHOICE
    elif schema.get("type") == "array":
        kind = InputKind.LINES
    elif schema.get("format") == "date":
        kind = InputKind.DATE
    elif isinstance(longest, int) and longest > LONG_TEXT:
        kind = InputKind.LONG_TEXT
    return FormField(claim.name, claim.names, kind, required, options, longest, _hint(claim, schema))


def _hint(claim: ClaimDefinition, schema: Mapping[str, Any]) -> Names | None:
    pattern = str(schema.get("pattern", ""))
    if "[0-9X]$" in pattern:
        return _HINTS["citizen"]
    if "HJ-NPQRTUWXY" in pattern:
        return _HINTS["uscc"]
    if claim.names.zh.endswith("号") and pattern.startswith("^[0-9]{"):
        return _HINTS["digits"]
    return None


def read_claims(type_: CertificateType, typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Names]]:
    """The claims as typed, and what is wrong with each: errors by claim name, in words that repeat no value."""
    claims: dict[str, Any] = {}
    for field in fields_of(type_):
        value = _read(field, typed.get(field.name, "").strip()[:LONGEST_INPUT])
        if value is not None:
            claims[field.name] = value
    errors: dict[str, Names] = {}
    validator = Draft202012Validator(dict(type_.schema), format_checker=FormatChecker(["date"]), registry=Registry())
    for error in validator.iter_errors(claims):
        for name in _culprits(error, claims):
            errors.setdefault(name, _words(error))
    for claim in type_.claims:
        if claim.holder_identifier and claim.name in claims and claim.name not in errors:
            wrong = _number_problem(str(claims[claim.name]))
            if wrong is not None:
                errors[claim.name] = wrong
    return claims, errors


def _read(field: FormField, text: str) -> Any:
    if field.kind is InputKind.SWITCH:
        return text in ("on", "true", "1")
    if not text:
        return None
    if field.kind is InputKind.LINES:
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field.kind is InputKind.NUMBER:
        try:
            return int(text) if text.lstrip("-").isdigit() else float(text)
        except ValueError:
            return text  # the schema then says that a number is needed
    return text.upper() if field.hint in (_HINTS["citizen"], _HINTS["uscc"]) else text


def _culprits(error: ValidationError, claims: Mapping[str, Any]) -> list[str]:
    if error.absolute_path:
        return [str(error.absolute_path[0])]
    if error.validator == "required":
        rule: Any = error.validator_value
        return [name for name in rule if name not in claims]
    return []


_WORDS = {
    "required": Names("请填写", "This is needed"),
    "format": Names("请填写一个存在的日期", "Enter a date that exists"),
    "enum": Names("请从选项中选择", "Choose one of the options"),
    "maxLength": Names("太长了", "This is too long"),
    "minLength": Names("请填写", "This is needed"),
    "type": Names("格式不对", "This has the wrong form"),
}
_FORM_WRONG = Names("格式不对，请对照说明检查", "The form is wrong; check it against the hint")


def _words(error: ValidationError) -> Names:
    return _WORDS.get(str(error.validator), _FORM_WRONG)


def _number_problem(number: str) -> Names | None:
    check = check_citizen_number if holder_kind(number) is HolderKind.CITIZEN else check_uscc
    try:
        check(number)
    except InvalidIdentifier:
        return Names("校验位不符，请再核对一遍", "The check character does not fit; compare it again")
    return None


def holder_of(type_: CertificateType, claims: Mapping[str, Any]) -> HolderIdentity | None:
    """Who the certificate is about, from the claims that the type marks as the holder's; None when they are missing."""
    number = next((str(claims[c.name]) for c in type_.claims if c.holder_identifier and c.name in claims), None)
    name = next((str(claims[c.name]) for c in type_.claims if c.holder_name and c.name in claims), None)
    if number is None or name is None:
        return None
    return HolderIdentity(holder_kind(number), number, name)
