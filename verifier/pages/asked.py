"""What a request to a wallet asks, and what became of it, in words. Decides nothing but which verdict is the worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trust_registry.model import CertificateType, Names, Scenario, TrustView, TypeRequirement
from verifier import messages
from verifier.model import Indication
from verifier.openid4vp.model import Progress, RequestState

_WORST_FIRST: Final = (Indication.FAILED, Indication.INDETERMINATE, Indication.PASSED)
_KINDS: Final = {
    Indication.PASSED: "passed",
    Indication.FAILED: "failed",
    Indication.INDETERMINATE: "indeterminate",
}
_DECLINED: Final = frozenset({"access_denied"})  # OpenID4VP 1.0 section 8.5: the holder said no, or holds nothing


@dataclass(frozen=True, slots=True)
class Asked:
    """One certificate that is asked for: any of `types`; `claims` are needed, `optional` may be left out."""

    types: tuple[Names, ...]
    claims: tuple[Names, ...]
    optional: tuple[Names, ...]


@dataclass(frozen=True, slots=True)
class Overall:
    """The worst of several verdicts, as one."""

    kind: str
    headline: str
    sentence: str
    next_step: str


@dataclass(frozen=True, slots=True)
class OverWords:
    """What to say when there is no verdict."""

    kind: str  # "declined", "refused" or "expired"
    headline: Names
    text: Names
    next_step: Names


_EXPIRED: Final = OverWords(
    "expired",
    Names("请求已过期", "The request has expired"),
    Names("在限定时间内没有钱包应答。没有读到任何证照内容。", "No wallet answered in time. Nothing was read."),
    Names("请持证人准备好钱包，再请求一次。", "Ask the holder to have the wallet at hand, and ask again."),
)
_REFUSED: Final = OverWords(
    "declined",
    Names("持证人没有出示", "Not shown"),
    Names(
        "持证人在钱包里拒绝了，或者钱包里没有所需的证照。没有读到任何证照内容。",
        "The holder declined in the wallet, or holds no such certificate. Nothing was read.",
    ),
    Names(
        "可以请持证人改用亮证码、印刷的二维码或 PDF。",
        "Ask for a one-time code, a printed code or the PDF instead.",
    ),
)
_UNABLE: Final = OverWords(
    "refused",
    Names("钱包不能应答", "The wallet could not answer"),
    Names(
        "持证人的钱包不接受这个请求，可能不支持所需的格式。没有读到任何证照内容。",
        "The holder's wallet did not take the request; perhaps it can't handle it. Nothing was read.",
    ),
    Names(
        "换一个钱包，或改用亮证码、印刷的二维码、PDF。",
        "Try another wallet, or a one-time code, a printed code or the PDF.",
    ),
)


def asked_of(scenario: Scenario, view: TrustView) -> tuple[Asked, ...]:
    """What the scenario asks for, under the names that the counter knows."""
    return tuple(_asked(requirement, view) for requirement in scenario.requires)


def _asked(requirement: TypeRequirement, view: TrustView) -> Asked:
    types = [view.types[each] for each in requirement.any_of if each in view.types]
    unknown = tuple(Names(each, each) for each in requirement.any_of if each not in view.types)
    return Asked(
        (*(each.names for each in types), *unknown),
        _claims(requirement.claims, types),
        _claims(requirement.optional_claims, types),
    )


def _claims(wanted: tuple[str, ...], types: list[CertificateType]) -> tuple[Names, ...]:
    called = {claim.name: claim.names for type_ in reversed(types) for claim in type_.claims}
    return tuple(called.get(name, Names(name, name)) for name in wanted)


def over_words(progress: Progress) -> OverWords:
    """For a request that ended without an answer."""
    if progress.state is RequestState.EXPIRED:
        return _EXPIRED
    return _REFUSED if progress.error in _DECLINED else _UNABLE


def overall(progress: Progress, language: str) -> Overall:
    """The worst of the verdicts; what is missing makes a pass indeterminate."""
    found = [each.report.indication for each in progress.verdicts]
    if progress.missing:
        found.append(Indication.INDETERMINATE)
    worst = next((each for each in _WORST_FIRST if each in found), Indication.INDETERMINATE)
    return Overall(
        _KINDS[worst],
        messages.HEADLINES[worst].in_language(language),
        _sentence(progress, worst).in_language(language),
        _next(progress, worst, language),
    )


def _sentence(progress: Progress, worst: Indication) -> Names:
    count = len(progress.verdicts)
    if not count:
        return Names("钱包没有出示能读取的证照。", "The wallet showed nothing that can be read.")
    against = [each for each in progress.verdicts if each.report.indication is worst]
    if worst is Indication.PASSED:
        return Names(f"出示的 {count} 份证照都通过核验。", f"All {count} certificates passed.")
    if not against:
        return Names("出示的证照通过核验，但还不齐全。", "What was shown passed, but something is missing.")
    zh, en = ("不能受理", "must be rejected") if worst is Indication.FAILED else ("无法判断", "can't be judged")
    names = Names("、".join(each.names.zh for each in against), ", ".join(each.names.en for each in against))
    return Names(
        f"出示的 {count} 份证照中，{names.zh}{zh}。", f"Of {count} certificates shown, this one {en}: {names.en}."
    )


def _next(progress: Progress, worst: Indication, language: str) -> str:
    """The step of the worst certificate; for a pass, the first one's."""
    if progress.missing and worst is not Indication.FAILED:
        zh, en = "、".join(each.zh for each in progress.missing), ", ".join(each.en for each in progress.missing)
        return Names(f"还需要出示：{zh}。请再请求一次。", f"Still needed: {en}. Ask once more.").in_language(language)
    telling = next((each.report for each in progress.verdicts if each.report.indication is worst), None)
    return "" if telling is None else messages.next_step(telling, language)
