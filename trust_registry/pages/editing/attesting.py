"""Forms about a region's own side: issuers, what they may issue, their seals, and the authority's certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256

from trust_registry import editing
from trust_registry.model import Assurance, IssuerId, KeyUse, Names, RegionList, SealCeremony, TypeId
from trust_registry.pages.editing.accepting import type_options
from trust_registry.pages.editing.forms import Answers, Field, Form, FormWrong, Option, Workplace, either
from trust_registry.pages.editing.uploads import certificate_of, check_request, svg_of
from trust_registry.pages.frame import day_of, type_name

LEVELS = either(("low", "低", "low"), ("substantial", "实质", "substantial"), ("high", "高", "high"))
_ISSUER = Names("颁证机构", "Issuer")
_CERTIFICATE = Names("证书（PEM 或 DER）", "Certificate (PEM or DER)")


_BOTH = Names("中英文都要填", "Both languages are needed")
_ALL_OR_NOTHING = Names(
    "时间、地点和纪要要么都填，要么都不填", "Time, place and minutes belong together: all of them or none"
)
_MINUTES = (
    Field(
        "held",
        "moment",
        Names("制章时间（可不填）", "Made on (may stay empty)"),
        group=Names("制章纪要", "Minutes of its making"),
    ),
    Field("place", "names", Names("制章地点", "Where it was made")),
    Field(
        "minutes",
        "file",
        Names("制章纪要文件（可不传）", "File with the minutes (may be left out)"),
        Names(
            "只把它的摘要写进名录，文件本身不保存，由本机关自己存档。",
            "Only its digest goes into the list; the file is not kept here: file it yourselves.",
        ),
    ),
)


def issuer_options(place: Workplace) -> tuple[Option, ...]:
    """The region's issuers."""
    return tuple((issuer.id, issuer.names) for issuer in place.region_list.attests)


class AddIssuer(Form):
    """List an organisation."""

    name = "issuer"
    title = Names("登记颁证机构", "List an issuer")
    text = Names(
        "登记之后，再授予它可以颁发的证照，并登记它的印章。",
        "Once it is listed, grant it types and list its seals.",
    )

    def fields(self, _place: Workplace, _query: Mapping[str, str]) -> Sequence[Field]:
        slug_hint = Names("小写英文和连字符，登记后不变。", "Lower-case letters and hyphens; it stays.")
        base_hint = Names("以 / 结尾；它的状态列表都在这个地址下面。", "Ends in /; all its status lists are below it.")
        return (
            Field("slug", "text", Names("短名（英文）", "Short name"), slug_hint, required=True),
            Field("names", "names", Names("机构名称", "Name"), required=True),
            Field("uscc", "text", Names("统一社会信用代码", "Unified social credit code"), required=True),
            Field("contact", "names", Names("联系方式", "Contact"), required=True),
            Field("address", "text", Names("状态列表地址", "Address of its status lists"), base_hint, required=True),
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        slug, names, uscc = answers.text("slug"), answers.names("names"), answers.text("uscc")
        contact, base = answers.names("contact"), answers.text("address")
        answers.check()
        return editing.add_issuer(
            place.region_list,
            issuer_id=IssuerId(f"{place.region_list.code}/{slug}"),
            names=names,
            uscc=uscc,
            status_list_base=base,
            contact=contact,
            now=place.now,
        )


class AddGrant(Form):
    """Entitle an issuer to a type."""

    name = "grant"
    title = Names("授予颁证资格", "Grant a type")
    text = Names(
        "公布之后，这家机构就可以颁发这种证照。", "Once published, the issuer may issue certificates of this type."
    )

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        chosen = query.get("issuer", "")
        return (
            Field("issuer", "choice", _ISSUER, None, issuer_options(place), required=True, default=chosen),
            Field("type", "choice", Names("证照", "Certificate"), None, type_options(place), required=True),
            Field("assurance", "choice", Names("保证级别", "Assurance"), None, LEVELS, default="substantial"),
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        issuer, kind = answers.choice("issuer", issuer_options(place)), answers.choice("type", type_options(place))
        assurance = answers.choice("assurance", LEVELS) or "substantial"
        answers.check()
        return editing.add_grant(
            place.region_list, IssuerId(issuer), TypeId(kind), now=place.now, assurance=Assurance(assurance)
        )


class AddSeal(Form):
    """List a seal: its certificate request, certificate, image, scope, custodian."""

    name = "seal"
    title = Names("登记电子印章", "List a seal")
    text = Names(
        "机构交来证书请求（证明它持有密钥）和印模；证书由本区或外部的 CA 颁发。登记官签署的就是这些内容。",
        "The issuer hands in a certificate request, which proves that it holds the key, and the image. This is what "
        "officers sign.",
    )

    def open_question(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        if query.get("issuer") in dict(issuer_options(place)):
            return ()
        return (Field("issuer", "choice", _ISSUER, None, issuer_options(place), required=True),)

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        issuer = query.get("issuer", "")
        found = next((each for each in place.region_list.attests if each.id == issuer), None)
        named = () if found is None else (f"{found.names.zh}电子印章", f"Seal of {found.names.en}")
        three_years = day_of(place.now + timedelta(days=3 * 365))
        return (
            Field("issuer", "fixed", _ISSUER, None, issuer_options(place)),
            Field("names", "names", Names("印章名称", "Name of the seal"), required=True, default=named),
            Field("request", "file", Names("证书请求（CSR）", "Certificate request (CSR)"), required=True),
            Field("certificate", "file", _CERTIFICATE, required=True),
            Field("image", "file", Names("印模（SVG）", "Image (SVG)"), required=True),
            Field("scope", "several", Names("可用于", "For"), None, self._scope(place, issuer), required=True),
            Field("from", "day", Names("有效期自", "Valid from"), default=day_of(place.now), required=True),
            Field("until", "day", Names("有效期至", "Valid until"), default=three_years, required=True),
            Field(
                "custodian",
                "names",
                Names("保管岗位", "Custodian"),
                Names("写岗位，不写人名：名录是公开的。", "A post, never a person's name: lists are public."),
            ),
            *_MINUTES,
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        issuer = answers.choice("issuer", issuer_options(place))
        names, custodian = answers.names("names"), answers.names("custodian", required=False)
        scope = answers.several("scope", self._scope(place, issuer), required=True)
        for language, given in (("zh", custodian.zh), ("en", custodian.en)):
            if not given and (custodian.zh or custodian.en):  # half of it is asked for, not dropped
                answers.errors.setdefault(f"custodian.{language}", _BOTH)
        valid_from, valid_until = answers.day("from", required=True), answers.day("until", required=True)
        request, image = answers.file("request"), answers.file("image")
        uploaded, ceremony = answers.file("certificate"), _ceremony(answers)
        answers.check()
        certificate = certificate_of(uploaded)
        found = next(each for each in place.region_list.attests if each.id == issuer)
        check_request(place.region_list, request, certificate, found.uscc)
        svg = svg_of(image)
        if valid_from is None or valid_until is None:  # pragma: no cover - `check` has refused it
            raise FormWrong({})
        end = min(valid_until, certificate.not_after)
        return editing.add_seal(
            place.region_list,
            IssuerId(issuer),
            names=names,
            image_digest=place.add_image(svg),
            scope=tuple(map(TypeId, scope)),
            valid_from=valid_from,
            valid_until=end,
            certificate=certificate.der,
            now=place.now,
            custodian=custodian if custodian.zh and custodian.en else None,
            ceremony=ceremony,
        )

    def _scope(self, place: Workplace, issuer: str) -> tuple[Option, ...]:
        found = next((each for each in place.region_list.attests if each.id == issuer), None)
        granted = () if found is None else sorted({grant.type_id for grant in found.grants})
        return tuple((type_id, type_name(place.view, type_id)) for type_id in granted)


def _ceremony(answers: Answers) -> SealCeremony | None:
    """When and where the key was made, and the digest of the minutes: all of it, or nothing."""
    held_at, place = answers.moment("held"), answers.names("place", required=False)
    minutes = answers.file("minutes", required=False)
    if held_at is None and not (place.zh or place.en or minutes):
        return None
    for name, given in (("held", held_at), ("place.zh", place.zh), ("place.en", place.en), ("minutes", minutes)):
        if not given:
            answers.errors.setdefault(name, _ALL_OR_NOTHING)
    return None if held_at is None else SealCeremony(held_at, place, f"sha256:{sha256(minutes).hexdigest()}")


class AddStatusKey(Form):
    """List a certificate for an issuer's status lists."""

    name = "status-key"
    title = Names("登记状态列表证书", "List a status certificate")
    text = Names(
        "更换密钥时先登记新的，两把并行一段时间，再撤下旧的。",
        "To roll a key over, list the new one first, then withdraw the old.",
    )

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        chosen = query.get("issuer", "")
        return (
            Field("issuer", "choice", _ISSUER, None, issuer_options(place), required=True, default=chosen),
            Field("certificate", "file", _CERTIFICATE, required=True),
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        issuer, data = answers.choice("issuer", issuer_options(place)), answers.file("certificate")
        answers.check()
        return editing.add_status_key(place.region_list, IssuerId(issuer), certificate_of(data).der, now=place.now)


class AddAuthority(Form):
    """List a CA, a time-stamping or a list-signing certificate."""

    name = "authority"
    title = Names("登记主管机关证书", "List an authority's certificate")
    text = Names(
        "签发印章证书的 CA（本区或外部）、时间戳服务、名录签名。",
        "A CA for seals (own or external), a time-stamping service, list signing.",
    )
    USES = either(("ca", "CA", "CA"), ("timestamp", "时间戳", "time-stamping"), ("list", "名录签名", "list signing"))

    def fields(self, _place: Workplace, _query: Mapping[str, str]) -> Sequence[Field]:
        return (
            Field("use", "choice", Names("用途", "Use"), None, self.USES, required=True),
            Field("certificate", "file", _CERTIFICATE, required=True),
        )

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        use, data = answers.choice("use", self.USES), answers.file("certificate")
        answers.check()
        return editing.add_authority(place.region_list, KeyUse(use), certificate_of(data).der, now=place.now)
