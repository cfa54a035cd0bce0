"""The form that suspends, reinstates or withdraws any entry of a list, with its reason and since when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from trust_registry import editing
from trust_registry.core import status_at
from trust_registry.model import EntryReason, EntryStatus, Names, RegionList
from trust_registry.pages.editing.accepting import recognition_names
from trust_registry.pages.editing.forms import Answers, Field, Form, Option, Workplace, either
from trust_registry.pages.frame import type_name

ACTIONS: Final = either(
    ("suspended", "暂停", "suspend"), ("withdrawn", "撤回", "withdraw"), ("granted", "恢复", "reinstate")
)
REASONS: Final = either(
    ("key_compromise", "密钥泄露", "key compromise"),
    ("key_rollover", "密钥更换", "key rollover"),
    ("breach_of_duty", "违反职责", "breach of duty"),
    ("reorganisation", "机构调整", "reorganisation"),
    ("cessation", "终止业务", "cessation"),
    ("expiry", "到期", "expiry"),
    ("reinstated", "恢复", "reinstated"),
)
_STATUS: Final = {
    None: Names("尚未生效", "not yet in force"),
    EntryStatus.GRANTED: Names("有效", "in force"),
    EntryStatus.SUSPENDED: Names("已暂停", "suspended"),
    EntryStatus.WITHDRAWN: Names("已撤回", "withdrawn"),
}
_KEYS: Final = {
    "ca": Names("CA 证书", "CA certificate"),
    "timestamp": Names("时间戳证书", "time-stamping certificate"),
    "status": Names("状态列表证书", "status certificate"),
    "receipt": Names("回执证书", "receipt certificate"),
    "access": Names("用证请求证书", "access certificate"),
    "list": Names("名录签名证书", "list-signing certificate"),
}


class ChangeStatus(Form):
    """Suspend, reinstate or withdraw an issuer, a grant, a seal, a key, a recognition, a relying party."""

    name = "status"
    title = Names("暂停、恢复或撤回", "Suspend, reinstate or withdraw")
    text = Names(
        "机构、资格、印章、密钥、互认、受理规则、用证单位都可以。历史只增不改：以前的状态一直查得到。",
        "Issuers, grants, seals, keys, recognitions, rules, relying parties. History only grows: what was can be read.",
    )
    destructive = True

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        return (
            Field(
                "entry",
                "choice",
                Names("哪一条", "Which entry"),
                None,
                tuple(entries(place)),
                required=True,
                default=query.get("entry", ""),
            ),
            Field(
                "status", "choice", Names("怎么办", "What to do"), None, ACTIONS, True, query.get("status", "suspended")
            ),
            Field(
                "reason",
                "choice",
                Names("原因", "Reason"),
                Names(
                    "撤回互认要满公示期；因密钥泄露或违反职责的立即生效。受理规则撤回即停用，恢复要满公示期。",
                    "Withdrawing a recognition takes the notice; for a compromise or a breach of duty it is immediate. "
                    "A rule goes at once and comes back after the notice.",
                ),
                REASONS,
                required=True,
                default=query.get("reason") or ("reinstated" if query.get("status") == "granted" else ""),
            ),
            Field(
                "at",
                "moment",
                Names("何时起（可不填）", "From when (may stay empty)"),
                Names("不填表示公布时立即生效，或公示期满时。", "Empty: as soon as it is allowed."),
            ),
            Field(
                "invalidity",
                "moment",
                Names("密钥泄露：从何时起不可信？", "Compromised key: distrusted since when?"),
                Names(
                    "此前有时间证明的签章仍然有效；不填表示从变更时起。只用于密钥泄露。",
                    "What is proven to have been sealed before it stands. Empty: since the change itself.",
                ),
            ),
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        entry = answers.choice("entry", tuple(entries(place)))
        status, reason = answers.choice("status", ACTIONS), answers.choice("reason", REASONS)
        at, invalidity = answers.moment("at"), answers.moment("invalidity")
        if invalidity is not None and reason != EntryReason.KEY_COMPROMISE.value:
            answers.errors["invalidity"] = Names("只用于密钥泄露", "For a compromised key only")
        answers.check()
        return editing.change_status(
            place.region_list, entry, EntryStatus(status), EntryReason(reason), at, invalidity, now=place.now
        )


def entries(place: Workplace) -> Iterator[Option]:
    """Every entry that has a status, by path, in words, with how it stands."""
    for path in editing.entry_paths(place.region_list):
        words = _words(place, path)
        standing = _STATUS[status_at(editing.history_of(place.region_list, path), place.now)]
        yield path, Names(f"{words.zh}（{standing.zh}）", f"{words.en} ({standing.en})")


def _words(place: Workplace, path: str) -> Names:
    part, _, rest = path.partition("/")
    if part == "recognises":
        found = recognition_names(place, rest)
        return Names(f"互认 {found.zh}", f"recognition {found.en}")
    if part == "rules":
        rule = next(each for each in place.region_list.rules if each.id == rest)
        return Names(f"受理规则 {rest} {rule.names.zh}", f"acceptance rule {rest} {rule.names.en}")
    if part == "attests":
        return _issuer_words(place, rest)
    if part == "relying_parties":
        for party in place.region_list.relying_parties:
            if rest == party.id:
                return Names(f"用证单位 {party.names.zh}", f"relying party {party.names.en}")
            if rest.startswith(f"{party.id}/keys/"):
                return _with_key(party.names, rest)
    if part == "authorities":
        return _with_key(place.region_list.authority, rest)
    return Names(path, path)


def _issuer_words(place: Workplace, rest: str) -> Names:
    for issuer in place.region_list.attests:
        if rest == issuer.id:
            return Names(f"机构 {issuer.names.zh}", f"issuer {issuer.names.en}")
        if rest.startswith(f"{issuer.id}/grants/"):
            type_id = rest.removeprefix(f"{issuer.id}/grants/").partition("@")[0]
            kind = type_name(place.view, type_id)  # type: ignore[arg-type]
            return Names(f"资格 {issuer.names.zh} · {kind.zh}", f"grant {issuer.names.en} · {kind.en}")
        for seal in issuer.seals:
            if rest == f"{issuer.id}/seals/{seal.id}":
                return Names(f"印章 {seal.names.zh}", f"seal {seal.names.en}")
            if rest == f"{issuer.id}/seals/{seal.id}/key":
                return Names(f"印章密钥 {seal.names.zh}", f"key of {seal.names.en}")
        if rest.startswith(f"{issuer.id}/"):
            return _with_key(issuer.names, rest)
    return Names(rest, rest)


def _with_key(owner: Names, rest: str) -> Names:
    use, _, thumbprint = rest.rpartition("/")[2].partition(":")
    kind = _KEYS.get(use, Names("证书", "certificate"))
    return Names(f"{kind.zh} {owner.zh} {thumbprint[:8]}", f"{kind.en} of {owner.en} {thumbprint[:8]}")
