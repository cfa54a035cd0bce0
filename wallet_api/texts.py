"""What a holder reads about standing, reasons and values, in zh and en. Wording only: decisions are in `core`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trust_registry.identifiers import mask
from trust_registry.model import ClaimDefinition, Names
from wallet_api.model import Need, Standing

STANDINGS: Final[Mapping[Standing, tuple[str, Names]]] = {
    Standing.VALID: ("good", Names("有效", "Valid")),
    Standing.EXPIRING: ("warn", Names("即将到期", "Expires soon")),
    Standing.NOT_YET_VALID: ("warn", Names("尚未生效", "Not yet valid")),
    Standing.EXPIRED: ("bad", Names("已过期", "Expired")),
    Standing.SUSPENDED: ("warn", Names("已暂停", "Suspended")),
    Standing.REVOKED: ("bad", Names("已撤销", "Revoked")),
}

REASONS: Final[Mapping[str, Names]] = {
    "correction": Names("信息更正", "the details were corrected"),
    "holder_request": Names("持证人申请", "at the holder's request"),
    "superseded": Names("已换发新证", "a newer one replaces it"),
    "obtained_by_fraud": Names("以不正当手段取得", "it was obtained improperly"),
    "under_review": Names("正在复核", "it is under review"),
    "review_ended": Names("复核结束", "the review has ended"),
    "entitlement_ended": Names("资格终止", "the entitlement has ended"),
    "issued_in_error": Names("签发有误", "it was issued in error"),
}

NEEDS: Final[Mapping[Need, Names]] = {
    Need.ALWAYS: Names("证照固有，总会出示", "part of the certificate, always shown"),
    Need.REQUIRED: Names("该事项必需", "required for this"),
    Need.OPTIONAL: Names("可选", "optional"),
    Need.NOT_ASKED: Names("未要求", "not asked for"),
}

VERDICTS: Final[Mapping[str, tuple[str, Names]]] = {
    "PASSED": ("good", Names("可以受理", "Accepted")),
    "FAILED": ("bad", Names("未被受理", "Not accepted")),
    "INDETERMINATE": ("warn", Names("暂时无法判断", "Could not be decided yet")),
}


def reason(code: str | None) -> Names | None:
    """Why a status changed; an unknown code is shown as it is."""
    return REASONS.get(code, Names(code, code)) if code else None


def value_text(value: Any) -> str:
    """A claim's value as one line: lists joined, yes and no in words, numbers and dates as they are."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple):
        return "、".join(value_text(item) for item in value)
    if isinstance(value, Mapping):
        return "；".join(f"{key}: {value_text(item)}" for key, item in value.items())
    return str(value)


def veiled(claim: ClaimDefinition, text: str) -> str | None:
    """The value with its middle hidden when it's an identity number (nobody reads it over a shoulder); else None."""
    return mask(text) if claim.masked or claim.name.endswith("identity_number") else None
