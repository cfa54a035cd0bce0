"""The keys that `yinxin registry` signs with; passphrases come from a file or the environment, never from argv."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from keys.signer import Signer
    from trust_registry.publication import OnlineKeys
    from trust_registry.tuf_keys import Officer


def host_keys_of(
    repo: Path, passphrase_file: Path | None, host_keys: Path | None, proposal: str | None = None
) -> OnlineKeys:
    """The host's keys, which sign snapshot, timestamp and the log: in `host_keys`, else in the network's folder.

    There, those that root names are taken; that is the root of `proposal`, if it brings one.
    """
    from server.cli.registry_log import witness_submits
    from trust_registry.publication import OnlineKeys

    keys = (host_keys or _named_by_root(repo, proposal)).absolute()
    if not (keys / "snapshot.key").is_file():
        raise typer.BadParameter(f"there is no snapshot.key in {keys}: name the folder", param_hint="--host-keys")
    passphrase = read_passphrase(passphrase_file)
    log = open_key(keys / "log.key", passphrase) if (keys / "log.key").is_file() else None
    return OnlineKeys(
        open_key(keys / "snapshot.key", passphrase),
        open_key(keys / "timestamp.key", passphrase),
        log,
        {} if log is None else witness_submits(keys),
    )


def make_host_keys(folder: Path, passphrase_file: Path | None) -> OnlineKeys:
    """Make snapshot.key and timestamp.key in `folder`, or open those that are there. Raises: KeysError, OSError."""
    from keys.algorithms import ES256
    from keys.custody.software import create_key_file
    from trust_registry.publication import OnlineKeys

    passphrase = read_passphrase(passphrase_file)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder.absolute() / f"{name}.key" for name in ("snapshot", "timestamp")]
    made = [open_key(path, passphrase) if path.exists() else create_key_file(path, ES256, passphrase) for path in paths]
    return OnlineKeys(made[0], made[1])


def _named_by_root(repo: Path, proposal: str | None) -> Path:
    """REPO/keys, or the folder in it whose keys are those that root names after the host's keys were changed."""
    from keys.custody.software import read_key_file_header
    from trust_registry.proposals import read_draft
    from trust_registry.repository import Repository
    from trust_registry.tuf_keys import key_id

    repository, folder = Repository(repo), repo / "keys"
    draft = read_draft(repository, proposal) if proposal and (repository.proposals / proposal).is_dir() else None
    root = None if draft is None else draft.roles.get("root")
    if root is None and not repository.founded:
        return folder
    wanted = (root or repository.latest_root()).signed.roles["snapshot"].keyids
    for path in (folder / "snapshot.key", *sorted(folder.glob("*/snapshot.key"))):
        if path.is_file() and key_id(read_key_file_header(path.absolute()).public_key) in wanted:
            return path.parent
    return folder


def open_key(path: Path, passphrase: bytes) -> Signer:
    """Raises: keys.errors.KeysError."""
    from keys.custody.software import open_key_file

    return open_key_file(path, passphrase)


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
    return create_key_file(Path(name).absolute(), by_jose(algorithm), read_passphrase(passphrase_file))


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
