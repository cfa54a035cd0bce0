"""`yinxin custody`: take listed seals and status keys into an office's custody. The keys stay where their URIs say.

What a seal is (scope, validity, certificate, image) comes from its region's signed list, not from whoever types here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.issue import DataOption, _refusals, _service
from server.cli.registry_desk import PassphraseOption
from server.cli.registry_keys import open_named_key
from server.cli.settings import ConfigOption

if TYPE_CHECKING:
    from issuer.service import IssuerService
    from trust_registry.model import IssuerEntry

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The seals and status keys that this server uses.",
    epilog="After its region has listed a seal:  seal SEAL --key pkcs11:token=...;object=... --image seal.svg",
)

KeyOption = Annotated[str, typer.Option(help="Key URI: file:/absolute/path, or pkcs11:token=...;object=...")]
IssuerArgument = Annotated[str, typer.Argument(help="The issuer's id: 990100/civil-affairs.", metavar="ISSUER")]


@app.command("list")
@_refusals
def list_custody(data: DataOption = None, config: ConfigOption = None) -> None:
    """Show the seals in custody and where their keys are."""
    for each in _service(config, data).seals():
        sys.stdout.write(f"{each.id}  {each.names.zh} / {each.names.en}  {each.key_uri}\n")


@app.command()
@_refusals
def seal(  # noqa: PLR0917
    seal_id: Annotated[str, typer.Argument(help="The seal: ISSUER/14 digits, as its region lists it.", metavar="SEAL")],
    key: KeyOption,
    image: Annotated[Path, typer.Option(help="The seal image (SVG) that was listed.")],
    passphrase_file: PassphraseOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Take a listed seal into custody; refused unless the key and the image are those that were listed."""
    from hashlib import sha256

    from issuer.errors import SealKeyMismatch, SealNotListed
    from issuer.model import Seal
    from keys.x509 import parse_certificate

    service = _service(config, data)
    issuer_id = seal_id.rpartition("/")[0]
    issuer = _issuer(service, issuer_id)
    listed = next((each for each in issuer.seals if each.id == seal_id), None)
    if listed is None:
        raise SealNotListed(seal_id)
    svg = image.read_bytes()
    if f"sha256:{sha256(svg).hexdigest()}" != listed.image_digest:
        raise typer.BadParameter("this is not the image that the region listed", param_hint="--image")
    if open_named_key(key, passphrase_file).public_key != parse_certificate(listed.key.certificate).public_key:
        raise SealKeyMismatch(seal_id)
    service.register_seal(
        Seal(
            id=listed.id,
            issuer_id=issuer.id,
            names=listed.names,
            image_svg=svg.decode(),
            scope=frozenset(listed.scope),
            valid_from=listed.valid_from,
            valid_until=listed.valid_until,
            certificate=listed.key.certificate,
            chain=(),
            key_uri=key,
        )
    )
    sys.stdout.write(f"In custody: {listed.id}\n")


@app.command()
@_refusals
def status(
    issuer_id: IssuerArgument,
    key: KeyOption,
    passphrase_file: PassphraseOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Take an issuer's listed status key into custody; refused unless a listed certificate is of that key."""
    from issuer.errors import SealKeyMismatch
    from issuer.model import StatusSigner
    from keys.x509 import parse_certificate

    service = _service(config, data)
    issuer = _issuer(service, issuer_id)
    signer = open_named_key(key, passphrase_file)
    for each in reversed(issuer.status_keys):
        if parse_certificate(each.certificate).public_key == signer.public_key:
            service.register_status_signer(StatusSigner(issuer.id, key, each.certificate, ()))
            sys.stdout.write(f"In custody: status key {each.thumbprint[:16]} of {issuer.id}\n")
            return
    raise SealKeyMismatch(f"{issuer_id} (status)")


def _issuer(service: IssuerService, issuer_id: str) -> IssuerEntry:
    from issuer.errors import IssuerNotListed
    from trust_registry.model import IssuerId

    found = service.trust().issuers.get(IssuerId(issuer_id))
    if found is None:
        raise IssuerNotListed(issuer_id)
    return found
