"""Collected credentials as cards and pages show them: copies and formats of one certificate make one card. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.errors import KeysError
from trust_registry.model import Names, TrustView
from wallet_api.model import CollectedWords
from wallet_api.openid.credentials import CredentialFormat, WalletCredential
from wallet_api.openid.keeping import listed_type
from wallet_api.openid.received import Shown, shown, value_text
from wallet_api.texts import veiled

_ABOUT_ITSELF: Final = ("certificate_id", "seal_id", "issuer_id")  # our own certificates': after what they say
_OWN_LABELS: Final = {"certificate_id": Names("电子证照标识", "Certificate number")}


@dataclass(frozen=True, slots=True)
class HeldCard:
    """One collected certificate. `id` is that of its newest credential; `ids` all of them."""

    id: str
    ids: tuple[str, ...]
    names: Names
    issuer: Names
    source: str
    hue: str
    formats: tuple[str, ...]
    copies: int
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One claim. `veiled`: an identity number with its middle hidden."""

    names: Names
    text: str
    veiled: str | None


@dataclass(frozen=True, slots=True)
class HeldPage:
    """A card with what it says, row by row. `signed`: its issuer's signature was checked when it was collected."""

    card: HeldCard
    rows: tuple[HeldRow, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    signed: bool
    listed: bool


def held_cards(credentials: Sequence[WalletCredential]) -> tuple[HeldCard, ...]:
    """Cards of what was collected elsewhere, in the order given; the house's own copies are not among them."""
    groups: dict[tuple[str, Names, datetime], list[WalletCredential]] = {}
    for each in credentials:
        if not each.own:
            groups.setdefault((each.source, each.names, each.collected_at), []).append(each)
    return tuple(_card(group) for group in groups.values())


def held_page(credentials: Sequence[WalletCredential], card: HeldCard, view: TrustView | None) -> HeldPage | None:
    """The page of a card; None when nothing of it can be read any more."""
    mine = [each for each in credentials if each.id in card.ids]
    for each in sorted(mine, key=lambda one: one.format is not CredentialFormat.SD_JWT_VC):
        try:
            found = shown(each.content, each.format)
        except (KeysError, ValueError):
            continue
        signer = found.verified_signer
        listed = view is not None and signer is not None and signer.thumbprint in view.seals_by_thumbprint
        rows = _rows(each, found, view if listed else None)
        return HeldPage(card, rows, found.valid_from, found.valid_until, signer is not None, listed)
    return None


def held_words(credentials: Sequence[WalletCredential], view: TrustView | None) -> dict[str, CollectedWords]:
    """What was collected, by batch, as the log of uses calls it and its claims."""
    found: dict[str, CollectedWords] = {}
    for each in credentials:
        if each.own or each.batch in found:
            continue
        type_ = listed_type(view, each.format, each.type)
        claims = {path.rpartition("/")[2]: names for path, names in each.labels}
        claims |= {} if type_ is None else {claim.name: claim.names for claim in type_.claims}
        found[each.batch] = CollectedWords(each.names, claims)
    return found


def _card(group: Sequence[WalletCredential]) -> HeldCard:
    first = group[0]
    formats = tuple(dict.fromkeys(each.format for each in sorted(group, key=lambda one: one.format.value)))
    return HeldCard(
        first.id,
        tuple(each.id for each in group),
        first.names,
        first.issuer,
        first.source,
        first.hue,
        tuple(each.title for each in formats),
        max(sum(1 for each in group if each.format is wanted) for wanted in formats),
        first.collected_at,
    )


def _rows(credential: WalletCredential, found: Shown, view: TrustView | None) -> tuple[HeldRow, ...]:
    """Labels: the listed type's, in its order; then the issuer's; then the claim's name made readable."""
    type_ = listed_type(view, credential.format, credential.type)
    listed = {} if type_ is None else {claim.name: claim for claim in type_.claims}
    told, order = dict(credential.labels), list(listed)
    rows: list[tuple[int, HeldRow]] = []
    for path, value in found.claims:
        text, name = value_text(value), path[-1]
        if not text or (type_ is not None and name in _ABOUT_ITSELF[1:]):
            continue
        plain = name.replace("_", " ").replace("-", " ").strip()
        claim = listed.get(name)
        label = claim.names if claim else told.get("/".join(path)) or _OWN_LABELS.get(name) or Names(plain, plain)
        place = order.index(name) if claim else len(order) + (name in _ABOUT_ITSELF)
        rows.append((place, HeldRow(label, text, veiled(claim, text) if claim else None)))
    return tuple(row for _, row in sorted(rows, key=lambda each: each[0]))
