"""`yinxin registry foreign`: look into lists of other networks, and prepare the entry under which a region reads one.

Proposes nothing: what `entry` prints goes into a region's list, which its officers sign.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import PassphraseOption, busy, now, print_json, refusals, say
from server.cli.registry_keys import open_named_key

if TYPE_CHECKING:
    from datetime import datetime

    from trust_registry.model import ForeignList, ForeignService, ServiceEquivalence

app = typer.Typer(no_args_is_help=True, help="Lists of other networks: look into one, prepare the entry that reads it.")

FileArgument = Annotated[
    Path,
    typer.Argument(help="The list as published: XML, JSON (a JWS), or health-certificate signers.", metavar="FILE"),
]
SignerOption = Annotated[
    list[Path] | None,
    typer.Option(help="PEM certificate whose key must have signed the list; may be given again.", show_default=False),
]
PinOption = Annotated[
    str | None, typer.Option(metavar="SHA256", help="Hex SHA-256 of an unsigned list of health-certificate signers.")
]


@app.command()
@refusals
def show(
    file: FileArgument,
    signer: SignerOption = None,
    pin: PinOption = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Statuses as of 2026-03-01 or 2026-03-01T08:00:00Z, not now.")
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="The whole history of every service.")] = False,
) -> None:
    """Show what a list says: whose it is, who signed it, its services and what they were when.

    Without --signer or --pin anybody can have made it: look, and believe nothing.
    """
    from server.cli.registry_offers import read_time

    found = _read(file, signer or [], pin)
    moment = read_time(at) or now()
    say(*_heading(found, moment, believed=bool(signer or pin)))
    say(*_services(found, moment, history=history))
    say(*(f"-> {_plain(p.territory or '?')}  {_plain(p.location)}  {p.mime_type or ''}" for p in found.pointers))


@app.command()
@refusals
def entry(  # noqa: PLR0917
    file: FileArgument,
    code: Annotated[str, typer.Option(help="The code under which the region names it, such as EU-EE.")],
    location: Annotated[str, typer.Option(help="Where it is published (https).")],
    signer: Annotated[
        list[Path], typer.Option(help="PEM certificate whose key must sign the list; may be given again.")
    ],
    map: Annotated[
        list[str],
        typer.Option(
            metavar="SERVICE=TYPE@LEVEL",
            help="Service type URI (comma: and these additional URIs), own type, assurance: URI,URI=990200/permit@high",
        ),
    ],
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
) -> None:
    """Print the entry (JSON) that makes a region read this list: save it, then `add-foreign REPO CODE FILE`.

    The list must be signed by one of the signers, be of the territory that the code ends in, and have services that
    are mapped. Afterwards: sign > publish > recognise --from this code.
    """
    import json

    from trust_registry.core.foreign import expected_territory
    from trust_registry.errors import InvalidForeignList
    from trust_registry.model import (
        EntryReason,
        EntryStatus,
        ForeignFormat,
        ForeignListEntry,
        Names,
        RegionCode,
        StatusChange,
    )
    from trust_registry.wire import to_wire

    found = _read(file, signer, None)
    country = expected_territory(RegionCode(code))
    if country is not None and found.format is not ForeignFormat.DCC and found.territory != country:
        raise InvalidForeignList("territory", f"{code} is to be named, and this is the list of {found.territory}")
    if not location.startswith("https://"):
        raise typer.BadParameter("an https URI is needed", param_hint="--location")
    equivalences = tuple(_equivalence(text) for text in map)
    made = ForeignListEntry(
        code=RegionCode(code),
        names=Names(name_zh, name_en),
        format=found.format,
        location=location,
        signers=_certificates(signer),
        equivalences=equivalences,
        history=(StatusChange(EntryStatus.GRANTED, now().replace(microsecond=0), EntryReason.INITIAL),),
    )
    for equivalence in equivalences:
        count = sum(_fits(service, equivalence) for service in found.services)
        sys.stderr.write(f"{equivalence.service_type} = {equivalence.type_id}: {count} services today\n")
    print_json(json.dumps(to_wire(made)).encode())


@app.command()
@refusals
def vouch(  # noqa: PLR0917
    file: FileArgument,
    pin: Annotated[str, typer.Option(metavar="SHA256", help="Hex SHA-256 of FILE, had by another way than FILE.")],
    number: Annotated[int, typer.Option(help="Sequence number: greater than the last one.", min=1)],
    key: Annotated[str, typer.Option(help="Who vouches: a key file, or pkcs11:token=...;object=...")],
    certificate: Annotated[Path, typer.Option(help="PEM certificate over that key.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    days: Annotated[int, typer.Option(help="Until the next one at the latest.", min=1)] = 7,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Sign an unsigned list of health-certificate signers, so that verifiers can fetch it from the region."""
    from datetime import timedelta

    from trust_registry.durable import write_durably
    from trust_registry.interchange.dcc import read_dcc, write_dcc

    found = read_dcc(file.read_bytes(), pin=pin)
    (signing,) = _certificates([certificate])
    at = now().replace(microsecond=0)
    signer = open_named_key(key, passphrase_file)
    write_durably(out, write_dcc(found.services, number, at, at + timedelta(days=days), signer, signing))
    say(f"{len(found.services)} signers, number {number}: {out}")


def _read(file: Path, signers: Sequence[Path], pin: str | None) -> ForeignList:
    """The list in the file, in whichever form it is; by the signers, if there are any."""
    from trust_registry.interchange.dcc import read_dcc, unsafe_read_dcc
    from trust_registry.interchange.lote_reading import read_lote, unsafe_read_lote
    from trust_registry.interchange.tsl_reading import read_tsl, unsafe_read_tsl

    data = file.read_bytes()
    pinned = _certificates(signers)
    with busy(f"Verifying {file.name} ({len(data) / 1e6:.1f} MB)"):
        if pin is not None:
            return read_dcc(data, pin=pin)
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            return read_tsl(data, pinned) if pinned else unsafe_read_tsl(data)
        if _is_lote(data):
            return read_lote(data, pinned) if pinned else unsafe_read_lote(data)
        return read_dcc(data, signers=pinned) if pinned else unsafe_read_dcc(data)


def _is_lote(data: bytes) -> bool:
    from keys.envelopes.base64url import b64url_decode

    payload = data.partition(b".")[2][:64]
    try:
        return b'"LoTE"' in b64url_decode(payload[: len(payload) // 4 * 4])
    except ValueError:
        return False


def _certificates(paths: Sequence[Path]) -> tuple[bytes, ...]:
    from keys.x509 import parse_pem_certificates

    return tuple(each.der for path in paths for each in parse_pem_certificates(path.read_bytes()))


def _equivalence(text: str) -> ServiceEquivalence:
    from trust_registry.model import Assurance, ServiceEquivalence, TypeId

    services, found, ours = text.rpartition("=")
    type_id, _, level = ours.partition("@")
    service_type, *additional = services.split(",")
    try:
        assurance = Assurance(level or "low")
    except ValueError:
        found = ""
    if not found or not service_type or "/" not in type_id:
        raise typer.BadParameter("URI[,URI...]=TYPE@low|substantial|high is needed", param_hint="--map")
    return ServiceEquivalence(service_type, TypeId(type_id), assurance, tuple(additional))


def _fits(service: ForeignService, equivalence: ServiceEquivalence) -> bool:
    from trust_registry.model import EntryStatus

    today = service.current
    return (
        today.status is EntryStatus.GRANTED
        and today.service_type == equivalence.service_type
        and set(equivalence.additional) <= set(today.additional)
    )


def _heading(found: ForeignList, at: datetime, *, believed: bool) -> Iterator[str]:
    until = "no next one" if found.next_update is None else f"next by {_day(found.next_update)}"
    late = " - PAST" if found.next_update is not None and found.next_update < at else ""
    yield f"{_plain(found.territory or '--')}  {_plain(found.scheme_operator.en)}"
    yield f"{found.format.value}, number {found.sequence_number}, issued {_day(found.issued_at)}, {until}{late}"
    yield f"signed by {found.signed_by}" + ("" if believed else "  - WHOEVER THAT IS: no --signer or --pin was given")
    providers = len({service.provider.en for service in found.services})
    yield f"{len(found.services)} services of {providers} providers, {len(found.pointers)} pointers"


def _services(found: ForeignList, at: datetime, *, history: bool) -> Iterator[str]:
    from trust_registry.core.foreign import period_at

    provider = None
    for service in found.services:
        if service.provider.en != provider:
            provider = service.provider.en
            yield f"\n{_plain(provider)}"
        period = period_at(service, at)
        status = "not yet" if period is None else _last(period.status_uri)
        kind = _last((period or service.current).service_type)
        yield f"  {status:<28}{kind:<20}  {_plain(service.names.en)}"
        for line in service.history if history else ():
            more = ", ".join(_last(uri) for uri in line.additional)
            status, kind = _last(line.status_uri), _last(line.service_type)
            yield f"      since {line.since:%Y-%m-%d %H:%M}  {status}  {kind}  {more}"


def _last(uri: str) -> str:
    return _plain(uri.rstrip("/").rpartition("Svctype/")[2].rpartition("Svcstatus/")[2].rpartition("SvcInfoExt/")[2])


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _plain(text: str) -> str:
    """Strangers' text on somebody's terminal: nothing that moves the cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
