"""What of a citizen's certificates answers a request, in the citizen's words. Pure: shows nothing, asks nobody.

Own certificates are matched as the copies that would be made of them; collected ones as they were collected, the
copies of a batch as one. Spec: OpenID4VP 1.0 sections 6.4 and 15.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import SdJwt, parse_sd_jwt
from keys.errors import KeysError
from keys.x509 import parse_certificate
from trust_registry.attestations import TYPE_URN
from trust_registry.mdoc_attestations import CORE, doc_type_of, type_of_doc_type
from trust_registry.model import CertificateType, ClaimDefinition, Names, TrustView, TypeId
from verifier.dcql import (
    MDOC,
    SD_JWT_VC,
    Candidate,
    CredentialQuery,
    DcqlQuery,
    Held,
    Match,
    Path,
    candidate_for,
    claim_options,
    match,
    select,
    select_element,
)
from wallet_api.model import CertificateDetail
from wallet_api.openid.credentials import CredentialFormat, WalletCredential
from wallet_api.openid.plain_words import one_line
from wallet_api.openid.requester import ALWAYS, types_of
from wallet_api.openid.x5c import chain_of
from wallet_api.texts import value_text, veiled

_LONGEST_VALUE: Final = 200
_KINDS_NAMED: Final = 2  # of kinds that no list names: who asks has worded them
# What a certificate says about itself, beside its claims.
_ABOUT: Final[Mapping[str, Names]] = {
    "certificate_id": Names("电子证照标识", "Certificate identifier"),
    "issuer_id": Names("颁证机构代码", "Issuer's code"),
    "seal_id": Names("印章编码", "Seal's code"),
    "valid_from": Names("生效时间", "Valid from"),
    "iss": Names("颁证机构代码", "Issuer's code"),
    "vct": Names("证照类型", "Kind of certificate"),
    "iat": Names("签发时间", "Issued"),
    "nbf": Names("生效时间", "Valid from"),
    "exp": Names("有效期至", "Valid until"),
    "status": Names("状态查询地址", "Where its status is told"),
    "cnf": Names("绑定的钥匙", "The key it is bound to"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One claim that would be shown. `value` as text; `veiled` with its middle hidden, where others might look on.

    `about`: it is about the certificate, not about who holds it.
    """

    path: Path
    names: Names
    value: str
    veiled: str | None
    about: bool = False


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """One of the combinations of claims that answers. `number`: its place in the query."""

    number: int
    lines: tuple[Line, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(line.path for line in self.lines)


@dataclass(frozen=True, slots=True)
class Option:
    """A certificate that answers a query: of this house (`detail`), or collected (`batch`).

    `claim_sets`: the one that shows least comes first. `always`: what can't be withheld.
    """

    id: str
    names: Names
    issuer: Names
    hue: str
    detail: CertificateDetail | None
    batch: tuple[WalletCredential, ...]
    claim_sets: tuple[ClaimSet, ...]
    always: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class QueryOffer:
    """A credential query with what answers it. `asked`: what is asked for; `where`: who gives that out."""

    query: CredentialQuery
    asked: Names
    options: tuple[Option, ...]
    where: tuple[Names, ...]


@dataclass(frozen=True, slots=True)
class SetOffer:
    """A credential set: its options that can be answered, those that the citizen can't tell apart only once."""

    required: bool
    options: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """All that can be answered. Not `answerable`: a required certificate is missing."""

    queries: Mapping[str, QueryOffer]
    sets: tuple[SetOffer, ...]
    answerable: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something held, with what it is to its citizen."""

    held: Held
    names: Names
    issuer: Names
    hue: str
    detail: CertificateDetail | None
    batch: tuple[WalletCredential, ...]
    always: tuple[Line, ...]
    type: CertificateType | None
    labels: Mapping[str, Names]


def offer(
    query: DcqlQuery, details: Sequence[CertificateDetail], credentials: Sequence[WalletCredential], view: TrustView
) -> Offer:
    """What answers the query: of the citizen's own certificates those in force, and of what was collected, any."""
    pieces = [*_own(details), *_collected(credentials, view)]
    known = {piece.held.reference: piece for piece in pieces}
    matched = match(query, [piece.held for piece in pieces])
    queries = {
        each.id: QueryOffer(
            each,
            _asked_names(each, view),
            tuple(_option(each, c, known[c.held.reference]) for c in matched.candidates.get(each.id, ())),
            _where(each, view),
        )
        for each in query.credentials
    }
    return Offer(queries, _sets(matched, queries), matched.answerable)


def _sets(matched: Match, queries: Mapping[str, QueryOffer]) -> tuple[SetOffer, ...]:
    """Options of the same certificates (in another format) are one to the citizen: the one that shows least stands for
    all, whichever the verifier would rather have."""
    found = []
    for each in matched.sets:
        options: dict[tuple[frozenset[str], ...], tuple[str, ...]] = {}
        for ids in each.options:
            certificates = tuple(frozenset(_certificate(option) for option in queries[id].options) for id in ids)
            other = options.get(certificates)
            if other is None or _shown(ids, queries) < _shown(other, queries):
                options[certificates] = ids
        found.append(SetOffer(each.set.required, tuple(options.values())))
    return tuple(found)


def _shown(ids: Iterable[str], queries: Mapping[str, QueryOffer]) -> int:
    """How many of its citizen's claims an option shows at least."""
    least = (queries[id].options[0].claim_sets[0].lines for id in ids)
    return sum(not line.about for lines in least for line in lines)


def _certificate(option: Option) -> str:
    return option.id if option.detail is None else option.detail.ref


def _option(query: CredentialQuery, candidate: Candidate, piece: _Piece) -> Option:
    sets = []
    for number, claims in enumerate(claim_options(query)):
        alone = query if not query.claim_sets else replace(query, claim_sets=(query.claim_sets[number],))
        if candidate_for(alone, candidate.held) is not None:
            sets.append(ClaimSet(number, tuple(_line(claim.path, piece) for claim in claims)))
    least_first = tuple(sorted(sets, key=lambda each: len(each.lines)))
    return Option(
        candidate.held.reference,
        piece.names,
        piece.issuer,
        piece.hue,
        piece.detail,
        piece.batch,
        least_first,
        piece.always,
    )


def _line(path: Path, piece: _Piece) -> Line:
    is_mdoc = piece.held.format == MDOC
    found = select_element(piece.held.claims, path) if is_mdoc else select(piece.held.claims, path)
    text = _bounded("、".join(_text(each) for each in found))
    name = str(path[-1] if is_mdoc else path[0])
    claim = _definition(piece.type, name) if not is_mdoc or path[0] != CORE else None
    if claim is not None and (is_mdoc or len(path) == 1):
        return Line(path, claim.names, text, veiled(claim, text))
    if name in _ABOUT and (path[0] == CORE or (not is_mdoc and len(path) == 1)):
        return Line(path, _ABOUT[name], text, None, about=True)
    if (label := piece.labels.get("/".join(map(str, path)))) is not None:
        return Line(path, label, text, None)
    words = name if is_mdoc else " / ".join("*" if part is None else str(part) for part in path)
    return Line(path, Names(words, words), text, None)


def _definition(type_: CertificateType | None, name: str) -> ClaimDefinition | None:
    return next((claim for claim in type_.claims if claim.name == name), None) if type_ else None


def _text(value: Any) -> str:
    return f"({len(value)} bytes)" if isinstance(value, bytes) else value_text(value)


def _bounded(text: str) -> str:
    """What is cut says so: more is shown to who asks than stands here."""
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "……"


def _own(details: Iterable[CertificateDetail]) -> list[_Piece]:
    """Each certificate twice, once for each format that copies are made in."""
    pieces: list[_Piece] = []
    for detail in details:
        if not detail.standing.usable:
            continue
        holding = detail.holding
        try:
            sd_jwt = parse_sd_jwt(holding.sd_jwt_vc)
            doc_type = doc_type_of(holding.type_id)
        except (KeysError, ValueError):
            continue
        about = {
            "certificate_id": holding.certificate_id,
            "issuer_id": holding.issuer_id,
            "seal_id": sd_jwt.claims.get("seal_id", ""),
        }
        authorities = _authorities(sd_jwt)
        # Copies say who issued them by their certificate alone (ADR 15).
        claims: Mapping[str, Any] = {**{k: v for k, v in sd_jwt.claims.items() if k != "iss"}, "cnf": {}}
        elements = {doc_type: dict(holding.claims), CORE: about}
        vct = str(sd_jwt.claims.get("vct", f"{TYPE_URN}{holding.type_id}"))
        issuer = detail.issuer or Names(holding.issuer_id, holding.issuer_id)
        hue = detail.type.hue if detail.type else ""
        always = (Line(("iss",), Names("颁证机构", "Issued by"), issuer.zh, None),)
        pieces.extend(
            _Piece(held, detail.names, issuer, hue, detail, (), always, detail.type, {})
            for held in (
                Held(f"c.{detail.ref}.sd", SD_JWT_VC, vct, claims, authorities),
                Held(f"c.{detail.ref}.mdoc", MDOC, doc_type, elements, authorities),
            )
        )
    return pieces


def _collected(credentials: Iterable[WalletCredential], view: TrustView) -> list[_Piece]:
    batches: dict[str, list[WalletCredential]] = {}
    for each in credentials:
        if not each.own:
            batches.setdefault(each.batch, []).append(each)
    pieces: list[_Piece] = []
    for batch, copies in batches.items():
        first = copies[0]
        try:
            held, always = _held(batch, first)
        except KeysError:
            continue  # kept by an earlier version of what reads it
        type_id = type_of_doc_type(held.type) if held.format == MDOC else TypeId(held.type.removeprefix(TYPE_URN))
        type_ = view.types.get(type_id) if type_id is not None else None
        pieces.append(
            _Piece(held, first.names, first.issuer, first.hue, None, tuple(copies), always, type_, dict(first.labels))
        )
    return pieces


def _held(batch: str, credential: WalletCredential) -> tuple[Held, tuple[Line, ...]]:
    reference = f"b.{batch}"
    if credential.format is CredentialFormat.MDOC:
        mdoc = parse_mdoc(b64url_decode(credential.content.encode("ascii")))
        chain = [parse_certificate(der) for der in mdoc.issuer_signed.issuer_auth.chain()]
        keys = frozenset(_b64(each.aki) for each in chain if each.aki is not None)
        return Held(reference, MDOC, mdoc.mso.doc_type, mdoc.issuer_signed.elements(), keys or None), ()
    sd_jwt = parse_sd_jwt(credential.content)
    concealed = set(sd_jwt.roots)
    open_ = [name for name in sd_jwt.claims if name not in ALWAYS and name not in concealed]
    always = tuple(Line((name,), Names(name, name), _bounded(_text(sd_jwt.claims[name])), None) for name in open_)
    return Held(reference, SD_JWT_VC, credential.type, sd_jwt.claims, _authorities(sd_jwt)), always


def _authorities(sd_jwt: SdJwt) -> frozenset[str] | None:
    try:
        chain = [parse_certificate(der) for der in chain_of(sd_jwt.jws.header)]
    except (KeysError, ValueError):
        return None
    return frozenset(_b64(each.aki) for each in chain if each.aki is not None) or None


def _b64(data: bytes) -> str:
    return b64url_encode(data).decode("ascii")


def _asked_names(query: CredentialQuery, view: TrustView) -> Names:
    found = [view.types[each].names for each in types_of(query) if each is not None and each in view.types]
    if found:
        return Names("或".join(each.zh for each in found), " or ".join(each.en for each in found))
    kinds = " / ".join(one_line(each) for each in query.types[:_KINDS_NAMED]) or one_line(query.format)
    words = kinds + (" …" if len(query.types) > _KINDS_NAMED else "")
    return Names(words, words)


def _where(query: CredentialQuery, view: TrustView) -> tuple[Names, ...]:
    """The offices that give out what is asked for."""
    wanted: set[TypeId | None] = set(types_of(query))
    return tuple(
        issuer.names for issuer in view.issuers.values() if any(grant.type_id in wanted for grant in issuer.grants)
    )[:8]
