"""The keys that `yinxin registry` signs with; passphrases come from a file or the environment, never from argv."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keys.signer import Signer
    from trust_registry.tuf_keys import Officer


PublicOption = Annotated[
    Path | None, typer.Option(help="Where to write the public key; FILE.pub if absent.", show_default=False)
]


def open_named_key(name: str, passphrase_file: Path | None) -> Signer:
    """The key in a file, or the one that a pkcs11: URI names. Raises: keys.errors.KeysError."""
    from keys.signer import open_signer

    uri = name if name.startswith(("pkcs11:", "file:")) else f"file:{Path(name).absolute()}"
    return open_signer(uri, lambda _: read_passphrase(passphrase_file))


def create_key(name: str, algorithm: str, passphrase_file: Path | None) -> Signer:
    """Make a key in a new file, or in the token that a pkcs11: URI names. Raises: keys.errors.KeysError, OSError."""
    from keys.algorithms import by_jose
    from keys.custody.pkcs11 import create_pkcs11_key
    from keys.custody.software import create_key_file

    if name.startswith("pkcs11:"):
        return create_pkcs11_key(name, by_jose(algorithm), lambda _: read_passphrase(passphrase_file))
    return create_key_file(
        Path(name.removeprefix("file:")).absolute(), by_jose(algorithm), read_passphrase(passphrase_file)
    )


def read_passphrase(file: Path | None) -> bytes:
    """From the file, else from YINXIN_PASSPHRASE. Raises: PassphraseMissing."""
    from keys.errors import PassphraseMissing

    if file is not None:
        return file.read_bytes().rstrip(b"\r\n")
    value = os.environ.get("YINXIN_PASSPHRASE")
    if not value:
        raise PassphraseMissing("the key is encrypted: give --passphrase-file FILE or set YINXIN_PASSPHRASE")
    return value.encode()


def read_seat(text: str) -> Officer:
    """`CODE:NAME=FILE`: the seat of a region. Raises: typer.BadParameter, OSError, keys.errors.KeysError."""
    from dataclasses import replace

    from trust_registry.model import RegionCode

    code, found, officer = text.partition(":")
    if not (found and code):
        raise typer.BadParameter("CODE:NAME=FILE is needed", param_hint="--seat")
    return replace(read_officer(officer), region=RegionCode(code))


def read_officer(text: str) -> Officer:
    """`NAME=FILE`, a key file or a public key. Raises: typer.BadParameter, OSError, keys.errors.KeysError."""
    from base64 import b64decode

    from keys.custody.software import read_key_file_header
    from keys.errors import AlgorithmNotSupported
    from keys.public_key import PublicKey
    from trust_registry.tuf_keys import Officer

    name, found, file = text.partition("=")
    if not (found and name and file):
        raise typer.BadParameter("NAME=FILE is needed", param_hint="--officer")
    path = Path(file)
    content = path.read_bytes()
    if not content.startswith(b"-----BEGIN PUBLIC KEY-----"):
        return Officer(name, read_key_file_header(path.absolute()).public_key)
    body = b"".join(line for line in content.splitlines() if not line.startswith(b"-----"))
    try:
        return Officer(name, PublicKey.from_spki(b64decode(body, validate=True)))
    except (ValueError, AlgorithmNotSupported) as err:
        raise typer.BadParameter(f"{file} holds no public key that can be used", param_hint="--officer") from err


def public_pem(signer: Signer) -> str:
    """The public key as PEM, to hand to whoever lists it."""
    import textwrap
    from base64 import b64encode

    body = "\n".join(textwrap.wrap(b64encode(signer.public_key.spki).decode(), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


def write_public(signer: Signer, name: str, public: Path | None) -> Path:
    """Write the public key beside the key file, or where it is wanted; where it is. Raises: OSError."""
    beside = f"{name}.pub" if signer.uri.startswith("file:") else f"{signer.public_key.thumbprint()}.pub"
    path = public or Path(beside)
    path.write_text(public_pem(signer), encoding="ascii")
    return path
