"""Forms about what a region accepts: recognitions and their end, the notice period, scenarios, relying parties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from trust_registry import editing
from trust_registry.core import status_at
from trust_registry.core.foreign import foreign_entry
from trust_registry.editing.accepting import earliest
from trust_registry.errors import InvalidList
from trust_registry.matrix import regions_of
from trust_registry.model import (
    Assurance,
    ClaimEquivalence,
    EntryStatus,
    Names,
    RegionCode,
    RegionList,
    RelyingPartyId,
    ScenarioId,
    TypeId,
)
from trust_registry.pages.editing.forms import Answers, Field, Form, Option, Workplace, days, either
from trust_registry.pages.editing.uploads import certificate_of
from trust_registry.pages.frame import day_of, list_names, type_name

ASSURANCES: Final = either(
    ("low", "不限", "any"), ("substantial", "实质及以上", "substantial or better"), ("high", "高", "high")
)
_BREAK: Final = "|"


def scenario_options(region_list: RegionList) -> tuple[Option, ...]:
    """The region's own scenarios."""
    return tuple((scenario.id, scenario.names) for scenario in region_list.scenarios)


def type_options(place: Workplace) -> tuple[Option, ...]:
    """Every type that a member defines, in the catalogue's order."""
    gone = {kind.id for code in place.view.left for kind in place.view.lists[code].defines}
    return tuple((type_id, kind.names) for type_id, kind in sorted(place.view.types.items()) if type_id not in gone)


class Recognise(Form):
    """Accept another region's type as an own one, after notice."""

    name = "recognise"
    title = Names("认可外地证照", "Accept another region's certificate")
    text = Names(
        "写明认可哪个地区的哪种证照、用于哪些事项、从哪天起、依据是什么。公示期满才生效。",
        "Which region's certificate is accepted, for what, from when and on what basis. It begins after the notice.",
    )

    def open_question(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        theirs, ours = self._theirs(place), type_options(place)
        if query.get("of") in dict(theirs) and query.get("as_type") in dict(ours):
            return ()
        chosen = query.get("of", "")
        return (
            Field("of", "choice", Names("外地证照", "Certificate from elsewhere"), None, theirs, True, chosen),
            Field(
                "as_type",
                "choice",
                Names("等同于本区的", "Counts as our"),
                Names(
                    "一般是同一种证照；目录不同时选择本区对应的一种。",
                    "Usually the same type; else our own equivalent.",
                ),
                ours,
                True,
                query.get("as_type") or chosen.partition(_BREAK)[2],
            ),
        )

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        first, notice = self._first_day(place), days(place.region_list.notice_period)
        found = [
            Field("of", "fixed", Names("外地证照", "Certificate from elsewhere"), None, self._theirs(place)),
            Field("as_type", "fixed", Names("等同于本区的", "Counts as our"), None, type_options(place)),
            Field(
                "scenarios",
                "several",
                Names("用于哪些事项", "For which scenarios"),
                Names("一个都不选表示全部事项。", "None ticked means all."),
                scenario_options(place.region_list),
            ),
            Field(
                "assurance",
                "choice",
                Names("颁证机构的最低保证级别", "Least assurance of the issuer"),
                None,
                ASSURANCES,
                default="low",
            ),
            Field(
                "since",
                "day",
                Names("自哪天起", "From"),
                Names(
                    f"最早 {first}：公示期 {notice} 天，从公布之日算起，填得更早会自动顺延。",
                    f"{first} at the earliest: the notice is {notice} days from publication.",
                ),
                default=first,
                required=True,
            ),
            Field("until", "day", Names("到哪天止（可不填）", "Until (may stay empty)")),
            Field(
                "basis",
                "names",
                Names("依据", "Legal basis"),
                Names("例如协议名称和条款。", "For example the agreement and its article."),
                required=True,
            ),
        ]
        return [*found, *self._claims(place, query)]

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        of = answers.choice("of", self._theirs(place))
        as_type = TypeId(answers.choice("as_type", type_options(place)))
        scenarios = answers.several("scenarios", scenario_options(place.region_list))
        assurance = answers.choice("assurance", ASSURANCES) or "low"
        since, until, basis = answers.day("since", required=True), answers.day("until"), answers.names("basis")
        query = {"of": of, "as_type": as_type}
        claims = [
            ClaimEquivalence(row.name.removeprefix("claim."), ours)
            for row in self._claims(place, query)
            if (ours := answers.choice(row.name, row.options, required=False))
        ]
        answers.check()
        issuing, _, type_id = of.partition(_BREAK)
        return editing.add_recognition(
            place.region_list,
            issuing=RegionCode(issuing),
            type_id=TypeId(type_id),
            as_type=as_type,
            legal_basis=basis,
            now=place.now,
            scenarios=tuple(map(ScenarioId, scenarios)),
            since=since,
            until=until,
            minimum_assurance=Assurance(assurance),
            claims=claims,
        )

    def _first_day(self, place: Workplace) -> str:
        try:
            first = earliest(place.region_list, place.now)
        except InvalidList:
            first = place.now + place.region_list.notice_period
        return day_of(first + timedelta(days=1))

    def _theirs(self, place: Workplace) -> tuple[Option, ...]:
        regions = tuple(
            (f"{region.code}{_BREAK}{type_id}", _joined(region.names, type_name(place.view, type_id)))
            for region in regions_of(place.view)
            if region.code != place.region_list.code
            for type_id in sorted({grant.type_id for issuer in region.attests for grant in issuer.grants})
        )
        return (*regions, *self._elsewhere(place))

    def _elsewhere(self, place: Workplace) -> Iterator[Option]:
        """The types that our own entries map services of other networks to."""
        ours = place.region_list.code
        codes = {entry.code for entry in place.region_list.foreign}
        codes |= {code for naming, code in place.view.foreign if naming == ours}
        for code in sorted(codes):
            entry, names = foreign_entry(place.view, ours, code), list_names(place.view, code)
            if entry is None or names is None or status_at(entry.history, place.now) is not EntryStatus.GRANTED:
                continue
            for type_id in sorted({each.type_id for each in entry.equivalences}):
                yield f"{code}{_BREAK}{type_id}", _joined(names, type_name(place.view, type_id))

    def _claims(self, place: Workplace, query: Mapping[str, str]) -> list[Field]:
        theirs = place.view.types.get(TypeId(query.get("of", "").partition(_BREAK)[2]))
        ours = place.view.types.get(TypeId(query.get("as_type", "")))
        if theirs is None or ours is None or theirs.id == ours.id:
            return []
        options = tuple((claim.name, claim.names) for claim in ours.claims)
        known = dict(options)
        heading = Names("对方的每一项是本区的哪一项", "Which of our claims each of theirs is")
        return [
            Field(
                f"claim.{claim.name}",
                "choice",
                claim.names,
                None,
                options,
                default=claim.name if claim.name in known else "",
                group=heading if number == 0 else None,
            )
            for number, claim in enumerate(theirs.claims)
        ]


class EndRecognition(Form):
    """Let a recognition end, after notice."""

    name = "end-recognition"
    title = Names("终止互认", "End a recognition")
    text = Names(
        "互认在公示期满后终止，之前照常有效。因密钥泄露等须立即停止的，请用“变更状态”。",
        "It ends after the notice and holds until then. For a compromise that can't wait, change the status instead.",
    )
    destructive = True

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        first = day_of(place.now + place.region_list.notice_period + timedelta(days=1))
        notice = days(place.region_list.notice_period)
        hint = Names(
            f"最早 {first}：公示期 {notice} 天，从公布之日算起。",
            f"{first} at the earliest: the notice is {notice} days from publication.",
        )
        return (
            Field(
                "entry",
                "choice",
                Names("哪一项互认", "Which recognition"),
                None,
                self._entries(place),
                required=True,
                default=query.get("entry", ""),
            ),
            Field("until", "day", Names("到哪天止", "Until"), hint, required=True, default=first),
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        entry, until = answers.choice("entry", self._entries(place)), answers.day("until", required=True)
        answers.check()
        return editing.end_recognition(place.region_list, entry, now=place.now, until=until)

    def _entries(self, place: Workplace) -> tuple[Option, ...]:
        return tuple((entry.id, recognition_names(place, entry.id)) for entry in place.region_list.recognises)


def recognition_names(place: Workplace, entry_id: str) -> Names:
    """A recognition of the list in words."""
    entry = next(each for each in place.region_list.recognises if each.id == entry_id)
    names = list_names(place.view, entry.issuing) or Names(entry.issuing, entry.issuing)
    words = _joined(names, type_name(place.view, entry.type_id))
    return Names(f"{entry.id} · {words.zh}", f"{entry.id} · {words.en}")


class NoticePeriod(Form):
    """How long recognitions are announced."""

    name = "notice"
    title = Names("更改公示期", "Change the notice period")
    text = Names(
        "以后公布的互认按新的公示期生效；已经公示的不受影响。", "What is announced later follows it; the rest does not."
    )

    def fields(self, place: Workplace, _query: Mapping[str, str]) -> Sequence[Field]:
        now = str(days(place.region_list.notice_period))
        return (Field("days", "number", Names("公示期（天）", "Notice in days"), None, required=True, default=now),)

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        answers.text("days")
        period = answers.number("days")
        answers.check()
        return editing.change_notice_period(place.region_list, timedelta(days=period), now=place.now)


class AddRelyingParty(Form):
    """Register a verifying agency."""

    name = "relying-party"
    title = Names("登记用证单位", "Register a relying party")
    text = Names("用证单位只能就登记的事项核验证照。", "A relying party may check certificates for its scenarios only.")

    def fields(self, place: Workplace, _query: Mapping[str, str]) -> Sequence[Field]:
        return (
            Field("slug", "text", Names("短名（英文）", "Short name"), None, required=True),
            Field("names", "names", Names("单位名称", "Name"), required=True),
            Field(
                "scenarios",
                "several",
                Names("可办事项", "Scenarios"),
                None,
                scenario_options(place.region_list),
                required=True,
            ),
            Field(
                "certificate",
                "file",
                Names("回执签名证书（可不传）", "Certificate for receipts (may be left out)"),
                Names("PEM 或 DER", "PEM or DER"),
            ),
            Field(
                "access",
                "file",
                Names("用证请求证书（可不传）", "Certificate for requests to wallets (may be left out)"),
                Names("PEM 或 DER", "PEM or DER"),
            ),
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        slug, names = answers.text("slug"), answers.names("names")
        scenarios = answers.several("scenarios", scenario_options(place.region_list), required=True)
        receipts, access = (answers.file(name, required=False) for name in ("certificate", "access"))
        answers.check()
        return editing.add_relying_party(
            place.region_list,
            party_id=RelyingPartyId(f"{place.region_list.code}/{slug}"),
            names=names,
            scenarios=tuple(map(ScenarioId, scenarios)),
            now=place.now,
            certificates=(certificate_of(receipts).der,) if receipts else (),
            access=(certificate_of(access).der,) if access else (),
        )


def _joined(region: Names, kind: Names) -> Names:
    return Names(f"{region.zh} · {kind.zh}", f"{region.en} · {kind.en}")
