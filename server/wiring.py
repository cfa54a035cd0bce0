"""From settings to a house: opens the database and the keys, builds every room's service, and joins them.

The only place where stores, keys, clocks and services meet. Serves nothing (`server.app`) and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from sqlalchemy import Engine

from issuer.model import HolderKind
from issuer.publication import StatusPublication
from issuer.service import IssuerService
from issuer.store import IssuerStore
from issuer.store.counting import CertificatesInForce
from keys.data_keys import load_or_create_deployment_key
from server.access import SessionAccess
from server.accounts import Accounts, make_accounts
from server.background import Afterwards, Background, StatusPublishing
from server.clock import utc_now
from server.custody import Signers
from server.database import migrate, open_database
from server.holdings import IssuerHoldings
from server.house import House
from server.limits import RateLimit
from server.machines import MachineSignIn
from server.metrics import Metrics
from server.observation import log
from server.oidc import OidcSignIn
from server.online_revocation import AskingVerifier, open_source
from server.presentations import WalletReader
from server.protocols import build_protocols, protocol_tasks
from server.renderings import Renderings
from server.revocation import open_responder, stapling
from server.settings import Settings
from server.sign_in import SignIn
from server.timestamping import make_timestamper
from server.transparency import finish_publication, online_keys, open_witnesses, submits_of
from server.warnings import ExpiryWatch, http_post, read_secret
from trust_registry.bundle import known_roots, make_bundle
from trust_registry.client import TrustStore
from trust_registry.edges import Principal
from trust_registry.fetching import folder_fetch, http_fetch
from trust_registry.keeper import TrustKeeper
from trust_registry.log.verification import LogPolicy
from trust_registry.log.witness_store import Witness
from trust_registry.model import KeyUse, RegionCode, RelyingPartyId, ScenarioId, StatusView, TrustView
from trust_registry.publication import OnlineKeys
from trust_registry.repository import Repository
from trust_registry.service import RegistryService
from verifier.archives import CaseMaker
from verifier.receipts import ReceiptKey
from verifier.service import VerifierService
from verifier.store import ReceiptStore
from wallet_api.model import PresentedCertificate
from wallet_api.service import WalletService
from wallet_api.store import WalletStore

_TIMEOUT = httpx.Timeout(5.0, read=10.0)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the services stand on."""

    settings: Settings
    engine: Engine
    signers: Signers
    store: TrustStore
    keeper: TrustKeeper
    repository: Repository | None
    now: Callable[[], datetime]


class AnnouncedPublication(StatusPublication):
    """Tells this process's own verifier what it publishes, so that a revocation shows in the very next scan."""

    def __init__(self, directory: Path, announce: Callable[[str], None]) -> None:
        super().__init__(directory)
        self._announce = announce

    def write(self, uri: str, token: str) -> None:
        super().write(uri, token)
        self._announce(uri)


class LimitedWallet(WalletService):
    """A wallet whose codes can't be guessed by trying: readings per account are limited."""

    limit: RateLimit

    def read(self, token: str, principal: Principal, scenario: ScenarioId | None = None) -> PresentedCertificate:
        """As WalletService, and raises TooManyRequests."""
        self.limit.hit(principal.account_id)
        return super().read(token, principal, scenario)


def open_all(settings: Settings, now: Callable[[], datetime] = utc_now) -> Opened:
    """The database migrated, the trust data loaded; nothing is fetched yet."""
    settings.data.mkdir(parents=True, exist_ok=True)
    engine = open_database(settings.database)
    migrate(engine)
    repository = Repository(settings.path(settings.registry_dir))
    store = TrustStore(settings.path(settings.trust_dir), LogPolicy(settings.trust_witnesses))
    root = settings.path(settings.trust_root)
    if not store.bootstrapped and root.is_file():
        store.bootstrap(root.read_bytes(), settings.trust_url or f"{settings.origin}/trust/")
    own = {
        f"{settings.origin}/trust/": repository.folder / "public",
        f"{settings.origin}/status/": settings.path(settings.status_dir) / "lists",
    }
    client = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)
    fetch = folder_fetch(own, http_fetch(client, timer=monotonic))  # own URLs are read from their files
    keeper = TrustKeeper(store, fetch, now)
    return Opened(settings, engine, Signers(settings), store, keeper, repository if repository.founded else None, now)


def build_issuer(opened: Opened) -> IssuerService:
    """The issuer of this data folder."""
    settings, keeper = opened.settings, opened.keeper
    key = load_or_create_deployment_key(settings.path(settings.deployment_key_file))
    publication = AnnouncedPublication(settings.path(settings.status_dir), keeper.status_changed)
    timestamper = make_timestamper(settings, opened.signers, lambda: keeper.view, opened.now)
    store = IssuerStore(opened.engine, key)
    complete = stapling(settings, opened.signers, lambda: keeper.view, opened.now)
    return IssuerService(
        store, lambda: keeper.view, opened.signers, timestamper, publication, opened.now, complete=complete
    )


def build_house(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    demo_accounts: Sequence[Mapping[str, str]] = (),
) -> House:
    """Everything that `settings.rooms` names, ready to be served."""
    opened = open_all(settings, now)
    keeper = opened.keeper
    keeper.refresh()
    renderings = _renderings(opened)
    witnesses = open_witnesses(settings, opened.signers, now)
    online = _online(opened, witnesses)
    afterwards = Afterwards()
    registry = _registry(opened, afterwards, online)
    if renderings is not None:
        renderings.run()
    issuer = build_issuer(opened)
    accounts = build_accounts(opened)
    access = SessionAccess(accounts, secure=settings.secure)
    metrics = Metrics()
    background = Background(
        registry,
        accounts,
        _expiry_watch(opened),
        partial(_finish, opened, online, afterwards),
        afterwards,
        renderings,
        StatusPublishing(issuer, now) if "issuer" in settings.rooms else None,
    )
    metrics.soonest_expiries(background.watch.soonest)
    oidc = _oidc(settings, accounts, issuer, now)
    audiences = frozenset({settings.origin, f"{settings.origin}/oauth/token"})
    mounts = {"/trust": opened.repository.folder / "public"} if opened.repository is not None else {}
    services = _services(opened, issuer, registry)
    protocols = build_protocols(opened, services)
    return House(
        services=services,
        protocols=protocols,
        access=access,
        now=now,
        public_url=settings.origin,
        witnesses=witnesses,
        responder=open_responder(settings, opened.signers, lambda: keeper.view, now),
        static_mounts=mounts if "trust_registry" in settings.rooms else {},
        sign_in=SignIn(accounts, access, metrics, oidc, settings.local_accounts, demo_accounts),
        machines=MachineSignIn(accounts, now, audiences),
        machine_limit=RateLimit(settings.sign_in_rate),
        tasks=[*background.tasks(keeper, settings.trust_refresh.total_seconds()), *protocol_tasks(protocols)],
        ready=background.ready(opened.engine, keeper),
        gauges={"yinxin_trust_age_seconds": ("Age of the trust data", partial(_trust_age, keeper, now))},
        at_start=background.at_start(),
        at_end=[opened.engine.dispose],
        time_zone=settings.time_zone,
        max_body=settings.max_body,
        demo=settings.demo,
        metrics=metrics,
    )


def _services(opened: Opened, issuer: IssuerService, registry: RegistryService) -> dict[str, Any]:
    """The services of the rooms that the settings name."""
    rooms = opened.settings.rooms
    wallet = _wallet(opened, issuer, registry)
    built: dict[str, Any] = {
        "trust_registry": registry,
        "issuer": issuer,
        "wallet_api": wallet,
        "verifier": build_verifier(opened, wallet if "wallet_api" in rooms else None),
    }
    return {room: built[room] for room in rooms}


def _wallet(opened: Opened, issuer: IssuerService, registry: RegistryService) -> LimitedWallet:
    settings = opened.settings
    wallet = LimitedWallet(
        WalletStore(opened.engine), IssuerHoldings(issuer), opened.now, view=registry.view, life=settings.code_life
    )
    wallet.limit = RateLimit(settings.token_read_rate)
    return wallet


def build_accounts(opened: Opened) -> Accounts:
    """Accounts and sessions over this database."""
    return make_accounts(opened.settings, opened.engine, opened.now)


def _expiry_watch(opened: Opened) -> ExpiryWatch:
    settings = opened.settings
    secret_file = settings.expiry_webhook_secret_file
    return ExpiryWatch(
        lambda: opened.keeper.view,
        opened.now,
        settings.path(Path("expiry-warnings.json")),
        webhooks=settings.expiry_webhooks,
        secret=b"" if secret_file is None else read_secret(settings.path(secret_file)),
        post=http_post(httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)),
    )


def _online(opened: Opened, witnesses: Mapping[str, Witness]) -> Callable[[], OnlineKeys] | None:
    settings = opened.settings
    if not (settings.registry_snapshot_key and settings.registry_timestamp_key):
        return None
    return partial(online_keys, settings, opened.signers, submits_of(settings, witnesses))


def _finish(opened: Opened, online: Callable[[], OnlineKeys] | None, afterwards: Afterwards) -> None:
    """Finish what waits for witnesses, and see it at once where it is in force."""
    if finish_publication(opened.repository, online, opened.now):
        opened.keeper.refresh_trust()
        afterwards()


def _registry(opened: Opened, afterwards: Afterwards, online: Callable[[], OnlineKeys] | None) -> RegistryService:
    def published() -> None:
        opened.keeper.refresh_trust()
        afterwards()

    return RegistryService(
        lambda: opened.keeper.view,
        opened.now,
        opened.repository,
        online,
        refresh=published,
        counts=CertificatesInForce(opened.engine, opened.now),
        health=lambda: opened.keeper.health,
    )


def _renderings(opened: Opened) -> Renderings | None:
    settings = opened.settings
    if opened.repository is None or not settings.registry_list_keys:
        return None
    return Renderings(
        opened.repository,
        opened.signers,
        settings.registry_list_keys,
        operator=settings.registry_list_operator,
        base=f"{settings.origin}/trust/",
        now=opened.now,
    )


def build_verifier(opened: Opened, wallet: WalletService | None = None) -> VerifierService:
    """The verifier of this data folder; with a wallet it reads one-time codes, too."""
    keeper = opened.keeper

    def statuses() -> StatusView:
        return keeper.statuses

    verifier = AskingVerifier(
        trust=lambda: keeper.view,
        statuses=statuses,
        now=opened.now,
        ensure_status=keeper.ensure_status,
        status_then=keeper.status_then,
        receipts=ReceiptStore(opened.engine),
        receipt_keys=_receipt_keys(opened),
        presentations=None if wallet is None else WalletReader(wallet),
        known_roots=partial(_roots, opened.store),
        case_maker=_case_maker(opened),
        timer=monotonic,
    )
    verifier.source = open_source(opened.settings)
    return verifier


def _roots(store: TrustStore) -> tuple[bytes, ...]:
    return known_roots(store) if store.bootstrapped else ()


def _case_maker(opened: Opened) -> CaseMaker | None:
    """Case files need somebody who stamps; the copy of the trust data may still come."""
    timestamper = make_timestamper(opened.settings, opened.signers, lambda: opened.keeper.view, opened.now)

    def bundle(authorities: Collection[RegionCode] | None, statuses: Collection[str] | None) -> Mapping[str, bytes]:
        return make_bundle(opened.store, opened.now(), authorities=authorities, statuses=statuses)

    return None if timestamper is None else CaseMaker(bundle, timestamper, opened.now)


def _receipt_keys(opened: Opened) -> dict[RelyingPartyId, ReceiptKey]:
    """Receipt keys with the certificates that the regions list for them."""
    from keys.x509 import parse_certificate

    found: dict[RelyingPartyId, ReceiptKey] = {}
    view = opened.keeper.view
    for name, uri in opened.settings.receipt_keys.items():
        signer = opened.signers(uri)
        for entry in _party_keys(view, RelyingPartyId(name)):
            certificate = parse_certificate(entry)
            if certificate.public_key == signer.public_key:
                found[RelyingPartyId(name)] = ReceiptKey(signer, certificate)
        if name not in found:
            log.warning("receipt key not listed", relying_party=name)
    return found


def _party_keys(view: TrustView | None, party: RelyingPartyId) -> list[bytes]:
    lists = () if view is None else view.lists.values()
    keys = (key for each in lists for p in each.relying_parties if p.id == party for key in p.keys)
    return [key.certificate for key in keys if key.use is KeyUse.RECEIPT]


def _oidc(
    settings: Settings, accounts: Accounts, issuer: IssuerService, now: Callable[[], datetime]
) -> OidcSignIn | None:
    if settings.oidc is None:
        return None
    return OidcSignIn(
        settings.oidc,
        accounts,
        now,
        redirect_uri=f"{settings.origin}/sign-in/openid/callback",
        holder_of=partial(issuer.find_holder, HolderKind.CITIZEN),
    )


def _trust_age(keeper: TrustKeeper, now: Callable[[], datetime]) -> float:
    view = keeper.view
    return float("nan") if view is None else (now() - view.refreshed_at).total_seconds()
