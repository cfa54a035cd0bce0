"""What a wallet asks for, by scope or by authorization details: parsed into credential configuration ids.

Spec: OpenID4VCI 1.0 sections 5.1.1 and 5.1.2, RFC 9396 sections 2 and 5, RFC 6749 section 3.3, RFC 8707 section 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import Tenant
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope

DETAIL_TYPE: Final = "openid_credential"
_MAX_DETAILS: Final = 32
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")


@dataclass(frozen=True, slots=True)
class Asked:
    """Configuration ids, each once, in their order. `scopes`: those of them that were asked for as scope values."""

    details: tuple[str, ...]
    scopes: tuple[str, ...]

    @property
    def configurations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.details, *self.scopes)))


def read_asked(form: Mapping[str, str], tenant: Tenant) -> Asked:
    """What `form` asks of `tenant`; nothing, when it names neither scope nor details.

    Scope values that nobody here knows are ignored, unless there is nothing else. Raises ProtocolRefusal:
    invalid_scope, invalid_authorization_details, invalid_target.
    """
    check_resource(form, tenant)
    details = _details(form["authorization_details"], tenant) if "authorization_details" in form else ()
    scopes: tuple[str, ...] = ()
    if "scope" in form:
        if _SCOPE.fullmatch(form["scope"]) is None:
            raise ProtocolRefusal("invalid_scope", "scope is malformed")
        values = dict.fromkeys(form["scope"].split(" "))
        scopes = tuple(each for each in values if tenant.configuration(each) is not None)
        if not scopes and not details:
            raise ProtocolRefusal("invalid_scope", "no scope value is known here")
    return Asked(details, scopes)


def check_resource(form: Mapping[str, str], tenant: Tenant) -> None:
    """Raises ProtocolRefusal, invalid_target: a `resource` that is not at this credential issuer."""
    for resource in form.get("resource", "").split():
        if resource.rstrip("/") != tenant.identifier and not resource.startswith(f"{tenant.identifier}/"):
            raise ProtocolRefusal("invalid_target", "resource is not this credential issuer")


def _details(text: str, tenant: Tenant) -> tuple[str, ...]:
    try:
        items = load_json(text)
    except MalformedEnvelope as err:
        raise _refused("not well-formed JSON") from err
    if not isinstance(items, list) or not 0 < len(items) <= _MAX_DETAILS:
        raise _refused("not a non-empty array")
    return tuple(dict.fromkeys(_configuration(item, tenant) for item in items))


def _configuration(item: Any, tenant: Tenant) -> str:
    if not isinstance(item, dict) or item.get("type") != DETAIL_TYPE:
        raise _refused("type is not openid_credential")
    name = item.get("credential_configuration_id")
    if not isinstance(name, str) or tenant.configuration(name) is None:
        raise _refused("credential_configuration_id is missing or unknown here")
    locations = item.get("locations", [tenant.identifier])
    if not isinstance(locations, list) or tenant.identifier not in locations:
        raise _refused("locations does not name this credential issuer")
    if "claims" in item and not _claims_hold(item["claims"]):
        raise _refused("claims is not a non-empty array of claims descriptions")
    return name


def _claims_hold(claims: Any) -> bool:
    """Annex B.1: each with a non-empty path. What is issued is the whole certificate; the wallet discloses."""
    if not isinstance(claims, list) or not claims:
        return False
    return all(isinstance(each, dict) and isinstance(each.get("path"), list) and each["path"] for each in claims)


def _refused(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_authorization_details", description)
