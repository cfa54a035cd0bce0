"""A real token for tests: SoftHSM2, its store in a folder of this process. Missing: skipped by name."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

PIN, SO_PIN = "246810", "13579135"
_MODULES = (
    *("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/libsofthsm2.so"),
    *("/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"),
)


@cache
def module() -> str:
    """The module's path, its tokens in a new folder: a process loads it once, with one configuration."""
    found = next((path for path in _MODULES if Path(path).is_file()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is missing: apt-get install softhsm2")
    folder = Path(tempfile.mkdtemp(prefix="yinxin-hsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    return found


@cache
def token() -> str:
    """A token of this process, made before the module is first used; its name. PIN: `PIN`."""
    module()
    name = f"t{secrets.token_hex(6)}"
    command = ["softhsm2-util", "--init-token", "--free", "--label", name, "--pin", PIN, "--so-pin", SO_PIN]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return name


def key_uri(name: str | None = None) -> str:
    """The URI of a key of this name, else of a new one, in the token."""
    return f"pkcs11:token={token()};object={name or 'k' + secrets.token_hex(6)}?module-path={module()}"


def pin(uri: str) -> bytes:
    """The `Passphrases` of the token."""
    del uri
    return PIN.encode()
