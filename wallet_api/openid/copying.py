"""Credentials for what the citizen chose: kept copies that were never shown, or new ones, for keys of this browser.

A few copies are made at a time, so that the next presentation finds one ready; each is shown once, so that no two
readers can join what they saw. Makes no key and signs nothing. Spec: OpenID4VP 1.0 section 15.5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keys.algorithms import ES256
from keys.public_key import PublicKey
from trust_registry.edges import HolderId
from wallet_api.openid.credentials import CredentialFormat, WalletCredential, WalletCredentials, new_id
from wallet_api.openid.matching import Option
from wallet_api.openid.refusals import ChoiceNotPossible, KeysMissing
from wallet_api.ports import Holdings

AT_ONCE: Final = 3  # copies of one certificate that are made together
KEPT_FOR: Final = timedelta(days=14)  # then a copy tells a state that may have changed
MAX_KEYS: Final = 64
_KINDS: Final[Mapping[CredentialFormat, str]] = {
    CredentialFormat.SD_JWT_VC: "sd_jwt_vc",
    CredentialFormat.MDOC: "mdoc",
}


@dataclass(frozen=True, slots=True)
class NeedsKeys:
    """The browser has to make so many new keys first."""

    count: int


class Copying:
    """Copies of a holder's certificates through `holdings`, kept in `credentials`."""

    def __init__(self, credentials: WalletCredentials, holdings: Holdings, now: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._holdings = holdings
        self._now = now

    def credentials_for(
        self, holder: HolderId, options: Sequence[Option], keys: Sequence[PublicKey], thumbprints: Collection[str]
    ) -> tuple[WalletCredential, ...] | NeedsKeys:
        """One credential for each option, in their order, each for a key in `thumbprints`; or how many keys it takes.

        `keys`: new ones, of which as many as it takes are used. Raises KeysMissing, ChoiceNotPossible (a collected
        credential whose key is in another browser), what `Holdings.copies` raises.
        """
        if len(keys) > MAX_KEYS or any(key.algorithm is not ES256 for key in keys):
            raise KeysMissing
        kept = list(self._fresh(holder, thumbprints))
        found: dict[int, WalletCredential] = {}
        for number, option in enumerate(options):
            ready = _collected(option, thumbprints, found.values()) if option.detail is None else _own(option, kept)
            if ready is not None:
                found[number] = ready
                kept = [each for each in kept if each.id != ready.id]
        lacking = [number for number in range(len(options)) if number not in found]
        if len(keys) < AT_ONCE * len(lacking):
            return NeedsKeys(AT_ONCE * len(lacking))
        unused = list(keys)
        for number in lacking:
            found[number] = self._made(holder, options[number], unused[:AT_ONCE])
            unused = unused[AT_ONCE:]
        return tuple(found[number] for number in range(len(options)))

    def _fresh(self, holder: HolderId, thumbprints: Collection[str]) -> Iterable[WalletCredential]:
        now = self._now()
        for each in self._credentials.of(holder, thumbprints):
            if each.own and each.used == 0 and now - each.collected_at < KEPT_FOR:
                yield each

    def _made(self, holder: HolderId, option: Option, keys: Sequence[PublicKey]) -> WalletCredential:
        detail = option.detail
        if detail is None:
            raise ChoiceNotPossible
        form = format_of(option)
        certificate_id = detail.holding.certificate_id
        copies = self._holdings.copies(holder, certificate_id, _KINDS[form], [key.jwk() for key in keys])
        batch = new_id()
        made = tuple(
            WalletCredential(
                id=new_id(),
                holder_id=holder,
                format=form,
                key_thumbprint=key.thumbprint(),
                type=detail.holding.type_id,
                names=option.names,
                hue=option.hue,
                issuer=option.issuer,
                source=certificate_id,
                own=True,
                batch=batch,
                collected_at=self._now(),
                used=0,
                content=content,
            )
            for key, content in zip(keys, copies, strict=True)
        )
        self._credentials.add_many(made)
        return made[0]


def format_of(option: Option) -> CredentialFormat:
    """The format of an option for a certificate of one's own."""
    return CredentialFormat.MDOC if option.id.endswith(".mdoc") else CredentialFormat.SD_JWT_VC


def _own(option: Option, kept: Iterable[WalletCredential]) -> WalletCredential | None:
    source = option.detail.holding.certificate_id if option.detail else ""
    form = format_of(option)
    return next((each for each in kept if each.source == source and each.format is form), None)


def _collected(option: Option, thumbprints: Collection[str], taken: Collection[WalletCredential]) -> WalletCredential:
    """The copy of the batch that was shown least. Issuers decide how many there are; the last one is shown again."""
    ids = {each.id for each in taken}
    here = [each for each in option.batch if each.key_thumbprint in thumbprints and each.id not in ids]
    if not here:
        raise ChoiceNotPossible
    return min(here, key=lambda each: each.used)
