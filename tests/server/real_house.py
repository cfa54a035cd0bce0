"""The real application over a real demonstration folder, its clock set by hand; and forgers who hold its keys.

What a story signs is signed with the keys that the regions list: only the content is wrong, never the cryptography,
unless a story says so. No background task runs: what should happen meanwhile, a story does itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from keys.algorithms import ES256
from keys.custody.software import open_key_file
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.qr_text import encode_qr_text
from keys.signer import EphemeralSigner, Signer
from keys.x509 import Certificate, Profile, make_certificate, parse_certificate
from server.custody import Signers
from server.demo.filling import PASSWORD
from server.demo.start import prepare
from server.house import House
from server.running import front
from server.transparency import online_keys, open_witnesses, submits_of
from server.wiring import build_house
from trust_registry.attestations import Attestation, StatusReference, to_cwt
from trust_registry.catalogue import COMMON_TYPES_BY_ID, HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.ceremony import propose, sign
from trust_registry.identifiers import make_certificate_id
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    IssuerId,
    KeyEntry,
    KeyUse,
    Names,
    RegionCode,
    SealEntry,
    SealId,
    StatusChange,
    TrustView,
)
from trust_registry.publication import publish
from trust_registry.repository import Repository
from trust_registry.status_list import make_status_token, new_status_list

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8123"
EAST, WEST = RegionCode("990100"), RegionCode("990200")
CIVIL_AFFAIRS = IssuerId("990100/civil-affairs")
PUBLIC_SECURITY = IssuerId("990100/public-security")
TRANSFER = "990200/household-transfer"
DAY = timedelta(days=1)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    @contextmanager
    def later(self, by: timedelta) -> Iterator[None]:
        self.now += by
        try:
            yield
        finally:
            self.now -= by


class RealHouse:
    """The application, its folder, its keys."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.folder = folder
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: None)
            self.settings = prepare(folder, "127.0.0.1", 8123, say=lambda _: None, now=self.clock).settings
            self.narrow_seal, self.narrow_signer = self._list_a_seal_of_narrow_scope()
        self.house: House = build_house(self.settings, now=self.clock)
        for step in self.house.at_start:
            step()
        self.app = front(self.house)

    def client(self, **headers: str) -> TestClient:
        """A visitor. A failure inside is answered as users would see it, not raised."""
        return TestClient(self.app, base_url=ORIGIN, raise_server_exceptions=False, headers=headers)

    @cache  # noqa: B019 - as old as the house
    def signed_in(self, account: str) -> TestClient:
        """A client with the account's session and CSRF header."""
        client = self.client()
        form = {"name": account, "password": PASSWORD, "csrf_token": _csrf(client.get("/sign-in").text)}
        landed = client.post("/sign-in", data=form, headers={"accept": "text/html"})
        assert landed.status_code == 200, landed.status_code
        client.headers["X-CSRF-Token"] = _csrf(landed.text)
        return client

    @property
    def view(self) -> TrustView:
        found: TrustView = self.house.services["trust_registry"].view()
        return found

    @cached_property
    def passphrase(self) -> bytes:
        return (self.folder / "passphrase").read_bytes().splitlines()[0]

    @cache  # noqa: B019 - as old as the house
    def key(self, name: str) -> Signer:
        """A key file of the demonstration, by its path below keys/."""
        return open_key_file(self.folder / "keys" / f"{name}.key", self.passphrase)

    def seal(self, issuer: IssuerId) -> SealEntry:
        return self.view.issuers[issuer].seals[0]

    def status_file(self, uri: str) -> Path:
        return self.folder / "status" / "lists" / uri.partition("/status/")[2]

    def sample(self, name: str) -> bytes:
        return (self.folder / "samples" / name).read_bytes()

    def publish_list(self, code: RegionCode, change: Any) -> None:
        """Two of the region's officers sign a changed list."""
        repository = Repository(self.folder / "registry")
        published = repository.current()
        old = repository.published_list(published, published.role_of(code))
        draft = propose(repository, change(old), self.clock())
        for number in (1, 2):
            sign(repository, draft.id, self.key(f"{code}/officer-{number}"))
        signers = Signers(self.settings)
        submits = submits_of(self.settings, open_witnesses(self.settings, signers, self.clock))
        publish(repository, draft.id, online_keys(self.settings, signers, submits), self.clock())

    def certify(self, profile: Profile, signer: Signer, **times: datetime) -> Certificate:
        """A certificate by the CA of the east."""
        ca = parse_certificate_of(self.folder / "certificates" / f"{EAST}-ca.pem")
        validity = {"not_before": START - 100 * DAY, "not_after": START + 900 * DAY, **times}
        return make_certificate(
            profile,
            ca_signer=self.key(f"{EAST}/ca"),
            ca=ca,
            subject_key=signer.public_key,
            common_name="made for a test",
            organisation="东岭区",
            uscc=None,
            uri=None,
            **validity,
        )

    def _list_a_seal_of_narrow_scope(self) -> tuple[SealEntry, Signer]:
        """A second seal of an office that may issue two types: for one of them only."""
        signer = EphemeralSigner.generate(ES256)
        certificate = self.certify(Profile.SEAL, signer)
        made: list[SealEntry] = []

        def change(list_: Any) -> Any:
            (issuer,) = [each for each in list_.attests if each.id == PUBLIC_SECURITY]
            first = issuer.seals[0]
            now = (StatusChange(EntryStatus.GRANTED, START, EntryReason.INITIAL),)  # nothing may be dated back
            key = KeyEntry(KeyUse.SEAL, certificate.der, certificate.thumbprint, now)
            narrow = replace(
                first,
                id=SealId(f"{PUBLIC_SECURITY}/99010000000077"),
                names=Names("户籍专用章", "Household registration seal"),
                scope=(HOUSEHOLD_REGISTER,),
                key=key,
                history=now,
            )
            made.append(narrow)
            grown = replace(issuer, seals=(*issuer.seals, narrow))
            return replace(list_, attests=tuple(grown if i.id == issuer.id else i for i in list_.attests))

        self.publish_list(EAST, change)
        return made[0], signer

    # What forgers make

    def attestation(self, **changes: Any) -> Attestation:
        """A marriage certificate that all is well with, but what `changes` says. Its status list stands for itself."""
        issuer = changes.get("issuer_id", CIVIL_AFFAIRS)
        type_id = changes.get("type_id", MARRIAGE_CERTIFICATE)
        made = Attestation(
            certificate_id=make_certificate_id(
                COMMON_TYPES_BY_ID[type_id].code, self.view.issuers[issuer].uscc, "2026000099999999"
            ),
            type_id=type_id,
            issuer_id=issuer,
            seal_id=self.seal(issuer).id,
            issued_at=START - DAY,
            valid_from=START - DAY,
            valid_until=None,
            status=StatusReference(self.list_where_all_is_well(issuer), 7),
            claims={"holder_name": "林晓", "spouse_name": "周远", "registered_on": "2019-05-20"},
        )
        return replace(made, **changes)

    def list_where_all_is_well(self, issuer: IssuerId, name: str = "well", **how: Any) -> str:
        """Publish a status list of the issuer on which everything is valid; its URI. `how`: what is wrong with it."""
        uri = f"{self.view.issuers[issuer].status_list_base}{name}"
        signer = how.pop("signer", None) or self.key(f"{issuer}/status")
        listed = parse_certificate(self.view.issuers[issuer].status_keys[0].certificate)
        token = make_status_token(
            new_status_list(how.pop("size", 1024)).freeze(),
            uri=uri,
            signer=signer,
            issued_at=how.pop("issued_at", START - timedelta(hours=1)),
            expires_at=how.pop("expires_at", START + 7 * DAY),
            ttl=timedelta(minutes=10),
            certificate=how.pop("certificate", listed),
        )
        assert not how
        self.status_file(uri).parent.mkdir(parents=True, exist_ok=True)
        self.status_file(uri).write_text(token)
        return uri

    def qr(self, made: Attestation, *, by: Signer | None = None, shown: SealEntry | None = None) -> str:
        """A printed code, sealed by the issuer it names unless told otherwise."""
        shown = shown or self.seal(made.issuer_id)
        signer = by or self.key(f"{made.issuer_id}/seal")
        kid = bytes.fromhex(shown.key.thumbprint[:16])
        cwt = to_cwt(made, COMMON_TYPES_BY_ID[made.type_id])
        return encode_qr_text("YX1:", sign_cose_sign1(cwt, signer=signer, kid=kid))


def parse_certificate_of(pem: Path) -> Certificate:
    from keys.x509 import parse_pem_certificates

    (found,) = parse_pem_certificates(pem.read_bytes())
    return found


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf[_-]token"[^>]*(?:value|content)="([0-9a-f]{64})"', page)
    assert found, "no CSRF token on the page"
    return found[1]


_BUILT: dict[str, RealHouse] = {}


def built(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    """The one house of this test run."""
    if "house" not in _BUILT:
        _BUILT["house"] = RealHouse(tmp_path_factory.mktemp("real-house") / "demo")
    return _BUILT["house"]
