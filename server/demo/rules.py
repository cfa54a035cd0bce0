"""What the demonstration's regions ask beyond recognition: two rules, each with a reason that a clerk can repeat."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from server.demo.world import COMPANY, DONGLING, NOTICE, SETTLEMENT, TALENT_DEGREE, XICHUAN
from trust_registry.catalogue import BUSINESS_LICENCE
from trust_registry.model import (
    AcceptanceRule,
    ConditionKind,
    EntryReason,
    EntryStatus,
    Names,
    RegionCode,
    RuleCondition,
    RuleScope,
    StatusChange,
)

_BASIS: Final = Names(
    "《电子证照受理办法》（演示）第八条", "Measures on accepting electronic certificates (demo), article 8"
)
_WHOLE_DOCUMENT: Final = (
    Names(
        "落户须核对完整的学位信息，打印码所示不全",
        "settlement needs the whole degree record, and a printed code shows less",
    ),
    RuleScope(scenarios=(SETTLEMENT,), types=(TALENT_DEGREE,)),
    RuleCondition(ConditionKind.FORMS.value, ("pdf", "sd_jwt_vc", "mdoc")),
)
_TODAY: Final = (
    Names("企业可能随时注销", "a company may be struck off any day"),
    RuleScope(scenarios=(COMPANY,), types=(BUSINESS_LICENCE,)),
    RuleCondition(ConditionKind.STATUS_AGE_AT_MOST.value, span=timedelta(hours=12)),
)
_RULES: Final = {XICHUAN: _WHOLE_DOCUMENT, DONGLING: _TODAY}


def rules_of(code: RegionCode, founded_at: datetime) -> tuple[AcceptanceRule, ...]:
    """The region's rules, announced so long ago that they are in force when the network is founded."""
    names, scope, condition = _RULES[code]
    announced_at = founded_at.replace(microsecond=0) - 2 * NOTICE
    history = (StatusChange(EntryStatus.GRANTED, announced_at, EntryReason.INITIAL),)
    since = announced_at + NOTICE
    return (AcceptanceRule("A1", names, _BASIS, scope, (condition,), since, None, announced_at, history),)
