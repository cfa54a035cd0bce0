"""`yinxin registry`: from a key to a listed certificate - requests, certificates, seals and signers in a list.

An issuer runs `request`; its authority `certify`, or takes an external CA's certificate, and lists the result.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import PassphraseOption, RepositoryArgument, now, refusals, repository, say
from server.cli.registry_keys import open_named_key
from server.cli.registry_offers import (
    CodeArgument,
    IssuerArgument,
    NameEn,
    NameZh,
    OntoOption,
    OutOption,
    SinceOption,
    UntilOption,
    Way,
    offer,
    one_certificate,
    read_time,
)

if TYPE_CHECKING:
    from keys.certificate_profiles import RevocationUrls
    from keys.certificate_requests import CertificateRequest
    from keys.x509 import Certificate, Profile
    from trust_registry.model import IssuerEntry, Names, RegionList, SealCeremony

app = typer.Typer()
# Labels of RFC 1123 section 2.1; a last one in digits would be an IP address.
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)

RequestOption = Annotated[Path, typer.Option(help="The issuer's certificate request: proof that it holds the key.")]
CertificateOption = Annotated[
    Path, typer.Option(help="The certificate (PEM), of the authority's CA or an external one.")
]
CaOption = Annotated[
    Path | None,
    typer.Option("--ca", help="Certificate of an external CA (PEM), listed with it if it is not.", show_default=False),
]


class Use(Enum):
    SEAL = "seal"
    STATUS = "status"
    TIMESTAMP = "timestamp"
    RECEIPT = "receipt"
    ACCESS = "access"  # a relying party's requests to wallets
    LIST = "list"
    OCSP = "ocsp"  # says how the CA's certificates stand; no list names it
    DOCUMENT_SIGNER = "document_signer"  # a seal that is put under mdocs only (ISO/IEC 18013-5 annex B)
    WALLET_PROVIDER = "wallet_provider"  # attests wallets and their keys; no list names it


class AuthorityUse(Enum):
    CA = "ca"
    TIMESTAMP = "timestamp"
    LIST = "list"


@app.command()
@refusals
def request(  # noqa: PLR0917
    key: Annotated[str, typer.Option(help="The key: a key file, or pkcs11:token=...;object=...")],
    use: Annotated[Use, typer.Option(help="What the certificate is for.")],
    name: Annotated[str, typer.Option(help="Name of the signer: the seal's, the service's.")],
    organisation: Annotated[str, typer.Option(help="Name of the organisation.")],
    out: Annotated[Path, typer.Option(help="Where to write the request (PEM).")],
    uscc: Annotated[str | None, typer.Option(help="Its unified social credit code.", show_default=False)] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Ask for a certificate, proving that the key is in your hands. Send the request to your authority."""
    from keys.certificate_requests import make_request, request_pem
    from keys.x509 import Profile
    from trust_registry.identifiers import check_uscc

    signer = open_named_key(key, passphrase_file)
    made = make_request(
        signer,
        profile=Profile[use.name],
        common_name=name,
        organisation=organisation,
        uscc=None if uscc is None else check_uscc(uscc),
    )
    out.write_bytes(request_pem(made))
    say(f"Request: {out}", f"Key:     {made.public_key.thumbprint()}  (read it out to your authority)")


@app.command()
@refusals
def certify(  # noqa: PLR0917
    request: Annotated[Path, typer.Argument(help="The request (PEM or DER).", metavar="REQUEST")],
    ca_key: Annotated[str, typer.Option(help="The CA's key: a key file, or pkcs11:token=...;object=...")],
    ca_certificate: Annotated[Path, typer.Option(help="The CA's certificate (PEM).")],
    out: Annotated[Path, typer.Option(help="Where to write the certificate (PEM).")],
    days: Annotated[int, typer.Option(help="How long it is valid, in days; never longer than the CA.", min=1)] = 1095,
    use: Annotated[
        Use | None, typer.Option(help="What it is for, if the request is silent.", show_default=False)
    ] = None,
    ocsp_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the CA's OCSP responder answers: named in it.")
    ] = None,
    crl_url: Annotated[str | None, typer.Option(metavar="URL", help="Where the CA's CRL lies: named in it.")] = None,
    dns: Annotated[
        str | None,
        typer.Option(
            metavar="HOST", help="Host to which wallets answer; access certificates need one.", show_default=False
        ),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Certify a request with the region's CA. The certificate counts once officers have listed it; an OCSP responder's
    goes to the server that answers (settings: responder_keys)."""
    from keys.x509 import Profile, make_certificate
    from trust_registry.errors import InvalidList

    asked, ca, begins = _request(request), one_certificate(ca_certificate), now()
    profile = asked.profile if use is None else Profile[use.name]
    if profile is None or (asked.profile not in (None, profile)):
        raise InvalidList("request", "it does not say what for, or says something else: give --use")
    made = make_certificate(
        profile,
        ca_signer=open_named_key(ca_key, passphrase_file),
        ca=ca,
        subject_key=asked.public_key,
        common_name=asked.common_name or asked.organisation or "",
        organisation=asked.organisation or "",
        uscc=asked.uscc,
        uri=None,
        not_before=begins,
        not_after=min(begins + timedelta(days=days), ca.not_after),
        country=_country(ca) if profile is Profile.LIST else None,
        revocation=None if profile is Profile.OCSP else _revocation(ocsp_url, crl_url),
        dns=_host(profile, dns),
    )
    out.write_bytes(made.pem())
    say(f"Certificate: {out}", f"Subject:     {made.subject}", f"Key:         {asked.public_key.thumbprint()}")


def _revocation(ocsp: str | None, crl: str | None) -> RevocationUrls:
    from keys.certificate_profiles import RevocationUrls

    for option, url in (("--ocsp-url", ocsp), ("--crl-url", crl)):
        if url is not None and not (url.isascii() and url.startswith(("http://", "https://"))):
            raise typer.BadParameter("must start with http:// or https://", param_hint=option)
    return RevocationUrls(ocsp, crl)


def _host(profile: Profile, dns: str | None) -> str | None:
    """A host name that wallets can compare with where they answer (OpenID4VP section 5.9.3)."""
    from keys.x509 import Profile

    if dns is None and profile is Profile.ACCESS:
        raise typer.BadParameter("an access certificate names the host to which wallets answer", param_hint="--dns")
    if dns is not None and not (len(dns) <= 253 and _HOST.fullmatch(dns)):
        raise typer.BadParameter(
            "a host name is needed, such as verify.example.org: no address, no port", param_hint="--dns"
        )
    return dns


def _country(ca: Certificate) -> str | None:
    """Of the region that the CA names as its state: list signers are recognised by it (TS 119 612 clause 5.7.1)."""
    region = re.search(r"(?:^|,)ST=([A-Za-z0-9-]+)(?:,|$)", ca.subject)
    return None if region is None else _territory(region[1])


def _territory(region: str) -> str | None:
    """ISO 3166-1's code for a region's country; ISO/IEC 18013-5 annex B.1.2 wants it in a CA's name."""
    from trust_registry.interchange.rendering import territory_of
    from trust_registry.model import RegionCode

    return territory_of(RegionCode(region))


@app.command("make-ca")
@refusals
def make_ca(  # noqa: PLR0917
    key: Annotated[str, typer.Option(help="The CA's key: a key file, or pkcs11:token=...;object=...")],
    region: Annotated[str, typer.Option(help="The region's code.")],
    name: Annotated[str, typer.Option(help="Name of the CA.")],
    organisation: Annotated[str, typer.Option(help="Name of the authority.")],
    out: Annotated[Path, typer.Option(help="Where to write the certificate (PEM).")],
    days: Annotated[int, typer.Option(help="How long it is valid, in days.", min=1)] = 3650,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make a region's CA certificate, which signs seals and signers; list it with add-authority."""
    from keys.x509 import make_region_ca

    at = now()
    made = make_region_ca(
        open_named_key(key, passphrase_file),
        common_name=name,
        organisation=organisation,
        region=region,
        not_before=at,
        not_after=at + timedelta(days=days),
        country=_territory(region),
    )
    out.write_bytes(made.pem())
    say(f"CA certificate: {out}")


@app.command("add-authority")
@refusals
def add_authority(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    use: Annotated[AuthorityUse, typer.Option(help="What it signs.")],
    certificate: Annotated[Path, typer.Option(help="The certificate (PEM).")],
    since: SinceOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to list a CA, a time-stamping authority or a signer of the list's ETSI renderings."""
    from trust_registry import editing
    from trust_registry.model import KeyUse

    listed, begins = one_certificate(certificate), read_time(since)
    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, at: editing.add_authority(old, KeyUse(use.value), listed.der, since=begins, now=at),
    )


@app.command("add-status-key")
@refusals
def add_status_key(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    issuer: IssuerArgument,
    request: RequestOption,
    certificate: CertificateOption,
    ca: CaOption = None,
    since: SinceOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to list a key that signs the issuer's status lists. Overlap with the old one, then withdraw that."""
    from trust_registry import editing
    from trust_registry.model import IssuerId

    proof, listed, begins = _request(request), one_certificate(certificate), read_time(since)

    def edit(old: RegionList, at: datetime) -> RegionList:
        _check(old, issuer, proof, listed)
        draft = _with_ca(old, ca, at)
        return editing.add_status_key(draft, IssuerId(issuer), listed.der, since=begins, now=at)

    offer(repo, code, Way(out, onto), edit)


@app.command("add-seal")
@refusals
def add_seal(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    issuer: IssuerArgument,
    request: RequestOption,
    certificate: CertificateOption,
    image: Annotated[Path, typer.Option(help="The seal image (SVG); its digest is what officers sign.")],
    name_zh: NameZh,
    name_en: NameEn,
    scope: Annotated[list[str], typer.Option(help="A type that it may seal; once per type.")],
    custodian_zh: Annotated[str, typer.Option(help="The post that keeps it, in Chinese; never a person's name.")],
    custodian_en: Annotated[str, typer.Option(help="The post that keeps it, in English.")],
    ca: CaOption = None,
    valid_from: SinceOption = None,
    valid_until: UntilOption = None,
    minutes: Annotated[
        Path | None, typer.Option(help="Minutes of the key ceremony; only their digest is listed.", show_default=False)
    ] = None,
    held_at: Annotated[str | None, typer.Option(help="When it was held (UTC).", show_default=False)] = None,
    place_zh: Annotated[str, typer.Option(help="Where it was held, in Chinese.")] = "",
    place_en: Annotated[str, typer.Option(help="Where it was held, in English.")] = "",
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to list a seal: image, custodian, scope, validity, certificate, ceremony. Its number is given here."""
    from trust_registry import editing
    from trust_registry.model import IssuerId, Names, TypeId

    proof, listed = _request(request), one_certificate(certificate)
    begins, ends = read_time(valid_from) or listed.not_before, read_time(valid_until) or listed.not_after
    ceremony = _ceremony(minutes, held_at, Names(place_zh, place_en))
    svg = image.read_bytes()

    def edit(old: RegionList, at: datetime) -> RegionList:
        _check(old, issuer, proof, listed)
        return editing.add_seal(
            _with_ca(old, ca, at),
            IssuerId(issuer),
            names=Names(name_zh, name_en),
            image_digest=repository(repo).add_image(svg),
            scope=[TypeId(each) for each in scope],
            valid_from=begins,
            valid_until=ends,
            certificate=listed.der,
            custodian=Names(custodian_zh, custodian_en),
            ceremony=ceremony,
            now=at,
        )

    offer(repo, code, Way(out, onto), edit)


def _check(region_list: RegionList, issuer_id: str, proof: CertificateRequest, certificate: Certificate) -> None:
    from trust_registry.errors import EntryUnknown
    from trust_registry.onboarding import check_fresh, check_possession

    issuer: IssuerEntry | None = next((each for each in region_list.attests if each.id == issuer_id), None)
    if issuer is None:
        raise EntryUnknown(f"attests/{issuer_id}")
    check_possession(proof, certificate, issuer.uscc)
    check_fresh(region_list, proof)


def _with_ca(region_list: RegionList, ca: Path | None, at: datetime) -> RegionList:
    from trust_registry import editing
    from trust_registry.model import KeyUse

    if ca is None:
        return region_list
    certificate = one_certificate(ca)
    if any(key.thumbprint == certificate.thumbprint for key in region_list.authorities):
        return region_list
    return editing.add_authority(region_list, KeyUse.CA, certificate.der, now=at)


def _ceremony(minutes: Path | None, held_at: str | None, place: Names) -> SealCeremony | None:
    from hashlib import sha256

    from trust_registry.model import SealCeremony

    if minutes is None:
        return None
    at = read_time(held_at)
    if at is None or not (place.zh and place.en):
        raise typer.BadParameter("minutes need --held-at, --place-zh and --place-en", param_hint="--minutes")
    return SealCeremony(at, place, f"sha256:{sha256(minutes.read_bytes()).hexdigest()}")


def _request(file: Path) -> CertificateRequest:
    from keys.certificate_requests import parse_request
    from keys.errors import MalformedRequest

    try:
        return parse_request(file.read_bytes())
    except MalformedRequest as err:
        raise MalformedRequest(f"{file}: {err}") from err
