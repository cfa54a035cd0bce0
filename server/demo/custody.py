"""Keys and certificates of the demonstration: real ones, in encrypted files marked as demonstration keys.

One generated passphrase opens them all; it lies beside them (0600), so these keys protect nothing but a demonstration.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from keys.algorithms import ES256
from keys.certificate_profiles import RevocationUrls
from keys.custody.software import create_key_file
from keys.model import Algorithm
from keys.signer import Signer
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from server.demo.world import BACK, DONGLING, Office, Party, Region
from trust_registry.interchange.rendering import territory_of
from trust_registry.model import Names

CA_YEARS, LEAF_YEARS = 10, 3
YEAR = timedelta(days=365)
_NOT_REVOKED = (Profile.OCSP, Profile.WALLET_PROVIDER)


@dataclass(frozen=True, slots=True)
class Certified:
    """A key in custody with its certificate."""

    signer: Signer
    certificate: Certificate


class Custody:
    """The key files below one folder. `founded_at` is when the demonstration begins; at `public_url` its server tells
    how certificates stand."""

    def __init__(self, folder: Path, passphrase: bytes, founded_at: datetime, public_url: str) -> None:
        self._public_url = public_url
        self._folder = folder
        self._passphrase = passphrase
        self.began_at = founded_at.replace(microsecond=0) - BACK

    def key(self, name: str, algorithm: Algorithm = ES256) -> Signer:
        """A new key in `<folder>/<name>.key`."""
        path = self._folder / f"{name}.key"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return create_key_file(path, algorithm, self._passphrase, demo=True)

    def officers(self, folder: str, count: int) -> list[Signer]:
        return [self.key(f"{folder}/officer-{number}") for number in range(1, count + 1)]

    def region_ca(self, region: Region) -> Certified:
        signer = self.key(f"{region.code}/ca")
        certificate = make_region_ca(
            signer,
            common_name=f"{region.names.en} Demonstration CA",
            organisation=region.authority.zh,
            region=region.code,
            not_before=self.began_at,
            not_after=self.began_at + CA_YEARS * YEAR,
            country=territory_of(region.code),
        )
        return Certified(signer, certificate)

    def wallet_ca(self, folder: str, names: Names) -> Certified:
        """The CA of a wallet provider: of no region, and nobody is asked how its certificates stand."""
        signer = self.key(f"{folder}/ca")
        certificate = make_region_ca(
            signer,
            common_name=f"{names.en} CA",
            organisation=names.zh,
            region=DONGLING,
            not_before=self.began_at,
            not_after=self.began_at + CA_YEARS * YEAR,
            country=territory_of(DONGLING),
        )
        return Certified(signer, certificate)

    def wallet_provider(self, folder: str, names: Names, ca: Certified) -> Certified:
        """Attests wallets and their keys."""
        return self._leaf(Profile.WALLET_PROVIDER, ca, f"{folder}/attester", names, names, "attestations", None, None)

    def timestamper(self, region: Region, ca: Certified) -> Certified:
        return self._leaf(
            Profile.TIMESTAMP,
            ca,
            f"{region.code}/timestamp",
            region.names,
            region.authority,
            "time-stamping",
            None,
            None,
        )

    def responder(self, region: Region, ca: Certified) -> Certified:
        """Says how the region's certificates stand (OCSP)."""
        return self._leaf(
            Profile.OCSP, ca, f"{region.code}/responder", region.names, region.authority, "OCSP", None, None
        )

    def list_signer(self, region: Region, ca: Certified) -> Certified:
        """Signs the region's list as an ETSI trusted list."""
        return self._leaf(
            Profile.LIST,
            ca,
            f"{region.code}/list",
            region.names,
            region.authority,
            "trusted list",
            None,
            None,
            territory_of(region.code),
        )

    def seal(self, office: Office, ca: Certified) -> Certified:
        uri = f"urn:yinxin:issuer:{office.id}"
        return self._leaf(Profile.SEAL, ca, f"{office.id}/seal", office.names, office.names, "seal", office.uscc, uri)

    def status(self, office: Office, ca: Certified) -> Certified:
        uri = f"urn:yinxin:issuer:{office.id}"
        return self._leaf(
            Profile.STATUS, ca, f"{office.id}/status", office.names, office.names, "status", office.uscc, uri
        )

    def receipt(self, party: Party, ca: Certified) -> Certified:
        return self._leaf(Profile.RECEIPT, ca, f"{party.id}/receipt", party.names, party.names, "receipts", None, None)

    def access(self, party: Party, ca: Certified) -> Certified:
        """Signs the party's requests to wallets."""
        host = access_host(self._public_url)
        return self._leaf(
            Profile.ACCESS, ca, f"{party.id}/access", party.names, party.names, "requests", None, None, dns=host
        )

    def _leaf(  # noqa: PLR0917 - one line for each purpose above
        self,
        profile: Profile,
        ca: Certified,
        file: str,
        names: Names,
        organisation: Names,
        purpose: str,
        uscc: str | None,
        uri: str | None,
        country: str | None = None,
        dns: str | None = None,
    ) -> Certified:
        signer = self.key(file)
        certificate = make_certificate(
            profile,
            ca_signer=ca.signer,
            ca=ca.certificate,
            subject_key=signer.public_key,
            common_name=f"{names.en} {purpose}",
            organisation=organisation.zh,
            uscc=uscc,
            uri=uri,
            not_before=self.began_at,
            not_after=self.began_at + LEAF_YEARS * YEAR,
            country=country,
            revocation=None if profile in _NOT_REVOKED else self._revocation(file.partition("/")[0]),
            dns=dns,
        )
        return Certified(signer, certificate)

    def _revocation(self, code: str) -> RevocationUrls:
        below = f"{self._public_url}/revocation"
        return RevocationUrls(f"{below}/ocsp", f"{below}/{code}.crl")


def wallet_origin(public_url: str) -> str:
    """The origin at which wallets are to answer: this machine by its name, because an address is no dNSName."""
    parts = urlsplit(public_url)
    here = parts.hostname in ("127.0.0.1", "::1")
    return f"{parts.scheme}://localhost:{parts.port}" if here else public_url


def access_host(public_url: str) -> str:
    """The host that access certificates name; where the server is reached by an address only, this machine's name."""
    host = urlsplit(wallet_origin(public_url)).hostname or ""
    return "localhost" if ":" in host or host.replace(".", "").isdigit() else host


def new_passphrase(path: Path) -> bytes:
    """A random passphrase in a file that only its owner reads."""
    path.touch(mode=0o600, exist_ok=False)
    passphrase = secrets.token_urlsafe(24)
    path.write_text(passphrase + "\n", encoding="ascii")
    return passphrase.encode("ascii")
