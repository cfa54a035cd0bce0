"""`yinxin demo`: a complete demonstration on this machine, made at the first start and kept.

And what somebody needs who tries a wallet or a scanner of their own with it: offers, requests, the CAs to trust.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from server.demo.anchors import AnchorFile

app = typer.Typer(add_completion=False, invoke_without_command=True)

DATA = Path(".data/demo")
DataOption = Annotated[
    Path | None, typer.Option(help=f"The demonstration's folder; {DATA} if not said.", show_default=False)
]


class Format(Enum):
    SD_JWT_VC = "dc+sd-jwt"
    MDOC = "mso_mdoc"


class Grant(Enum):
    PRE_AUTHORIZED_CODE = "pre-authorized_code"
    AUTHORIZATION_CODE = "authorization_code"


class Prefix(Enum):
    X509_HASH = "x509_hash"
    X509_SAN_DNS = "x509_san_dns"


class Mode(Enum):
    DIRECT_POST = "direct_post"
    DIRECT_POST_JWT = "direct_post.jwt"


@app.callback()
def demo(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Folder for everything; made at the first start.")] = DATA,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine see fictional data.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Start two fictional regions with offices, seals, citizens and counters, all on this machine.

    The keys, the ceremony, the signatures and the status lists are real; the people are not. Stop with Ctrl-C; the next
    start keeps everything. To begin anew, remove the folder.
    """
    if context.invoked_subcommand is not None:
        return
    from server.demo import apart

    apart.claim(data, host, port)
    child = apart.begin(data, host, port)

    from rich.console import Console

    from server.demo.filling import account_cards
    from server.demo.greeting import greet
    from server.demo.start import prepare
    from server.running import run
    from server.wiring import build_house

    apart.finish(child)
    settings = prepare(data, host, port, say=apart.say).settings
    house = build_house(settings, demo_accounts=account_cards())
    run(settings, house, started=lambda: greet(Console(), settings, data, made=child is not None))
    Console().print(f"印信 stopped. Everything is kept in {data}: start again the same way.", highlight=False)


@app.command()
def offer(  # noqa: PLR0917  (typer makes options of them)
    context: typer.Context,
    data: DataOption = None,
    type: Annotated[str, typer.Option(help="Certificate type.")] = "common/marriage-certificate",
    form: Annotated[
        Format | None, typer.Option("--format", help="In this format only, instead of both.", show_default=False)
    ] = None,
    grant: Annotated[Grant, typer.Option(help="How the wallet gets its token.")] = Grant.PRE_AUTHORIZED_CODE,
    tx_code: Annotated[bool, typer.Option("--tx-code", help="Ask for a transaction code; told beside the offer.")] = (
        False
    ),
    by_reference: Annotated[
        bool, typer.Option("--by-reference", help="An address of the offer instead of the offer.")
    ] = False,
    needs_approval: Annotated[
        bool,
        typer.Option(
            "--needs-approval",
            help="The wallet waits (deferred issuance) until clerk.xichuan.gongan, or gongan2, decides under Wallet "
            "requests at the desk; with --type residence-permit, which is under dual control.",
        ),
    ] = False,
) -> None:
    """Print a fresh credential offer (OpenID4VCI 1.0) of a fictional citizen's certificate, for any wallet.

    It works once, for ten minutes, while the demonstration runs. Nothing else goes to standard output.
    """
    from issuer.model import RenderingKind
    from server.demo.offering import offer as make

    kinds = [RenderingKind[each.name] for each in (Format if form is None else (form,))]
    if tx_code and grant is not Grant.PRE_AUTHORIZED_CODE:
        raise typer.BadParameter("only a pre-authorized code comes with one", param_hint="--tx-code")
    made = make(_folder(context, data), type, kinds, grant=grant.value, with_pin=tx_code, approved=not needs_approval)
    sys.stdout.write(f"{made.by_reference if by_reference else made.by_value}\n")
    if made.tx_code is not None:
        sys.stderr.write(f"Transaction code: {made.tx_code}\n")
    _say_if_stopped(_folder(context, data))
    if needs_approval:
        sys.stderr.write("Decided at /desk/wallet-requests by clerk.xichuan.gongan or clerk.xichuan.gongan2\n")


@app.command()
def request(  # noqa: PLR0917
    context: typer.Context,
    data: DataOption = None,
    scenario: Annotated[str, typer.Option(help="Service item that the counter asks for.")] = "990200/marriage-benefit",
    prefix: Annotated[Prefix, typer.Option(help="How the wallet is told who asks.")] = Prefix.X509_HASH,
    mode: Annotated[Mode, typer.Option(help="How the answer comes back; .jwt: encrypted.")] = Mode.DIRECT_POST_JWT,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the answer, then print the verdict as JSON.")] = False,
) -> None:
    """Print a fresh request for presentation (OpenID4VP 1.0) of a counter, for any wallet.

    It may be answered once, while the demonstration runs. The default asks for what `offer` gives by default.
    """
    from server.demo.requesting import ask, progress_to_json
    from verifier.openid4vp.model import ClientIdPrefix, ResponseMode

    with ask(_folder(context, data), scenario, ClientIdPrefix(prefix.value), ResponseMode(mode.value)) as asking:
        sys.stdout.write(f"{asking.begun.uri}\n")
        sys.stdout.flush()
        sys.stderr.write(f"{asking.party} asks for {asking.scenario}, until {asking.begun.expires_at:%H:%M:%S} UTC\n")
        _say_if_stopped(_folder(context, data))
        if wait:
            sys.stdout.write(json.dumps(progress_to_json(asking.wait()), ensure_ascii=False) + "\n")


@app.command()
def anchors(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the PEM files; made if missing.")],
    data: DataOption = None,
) -> None:
    """Write the CA certificates that a wallet or scanner of yours has to trust: a PEM file for each region and role.

    And that of the fictional wallet provider, for an issuer of yours that wants wallets attested.
    """
    from server.demo.anchors import write_anchors

    _write(write_anchors, _folder(context, data), out)


@app.command("wallet-provider")
def wallet_provider(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the files; made if missing.")],
    data: DataOption = None,
) -> None:
    """Write a private key of the fictional wallet provider with its certificate, to attest a wallet of yours and its
    keys (OpenID4VCI annexes D and E). The demonstration believes it, nobody else should.
    """
    from server.demo.lending import write_provider

    _write(write_provider, _folder(context, data), out)


def _write(make: Callable[[Path, Path], Sequence[AnchorFile]], folder: Path, out: Path) -> None:
    try:
        written = make(folder, out)
    except OSError as err:
        raise typer.BadParameter(f"{err.filename or out}: {err.strerror}", param_hint="--out") from err
    width = max(len(str(each.path)) for each in written)
    for each in written:
        sys.stdout.write(f"{each.path!s:{width}}  {each.purpose}\n")


def _folder(context: typer.Context, data: Path | None) -> Path:
    """As said after the command's name, before it, or neither."""
    before: Any = context.parent.params.get("data") if context.parent is not None else None
    return data or before or DATA


def _say_if_stopped(folder: Path) -> None:
    from server.demo.opening import answers

    if not answers(folder):
        sys.stderr.write(f"The demonstration is not running: start it with  yinxin demo --data {folder}\n")
