"""`yinxin`: help that teaches, quick; settings; exit codes; serving and stopping as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey

from server.cli import COMMANDS

YINXIN = [sys.executable, "-c", "from server.cli import main; main()"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment}
    return subprocess.run([*YINXIN, *arguments], env=env, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name, words in COMMANDS.items():
        assert name in done.stdout
        assert words[:30] in done.stdout


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"yinxin {command}" in done.stdout.replace("-c ", "yinxin ")


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys\nfrom server.cli import app\n"
        "try:\n app(['--help'], standalone_mode=False)\nexcept SystemExit: pass\n"
        "heavy = {'fastapi', 'sqlalchemy', 'pyhanko', 'numpy', 'tuf', 'typst', 'cryptography'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_version() -> None:
    assert run("--version").stdout.startswith("yinxin 0.")


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["serve", "--port", "many"], ["settings", "--no-such-option"]]
)
def test_wrong_usage_is_64(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 64
    assert "Traceback" not in done.stderr


def test_settings_table_and_markdown() -> None:
    table = run("settings", YINXIN_PORT="9005")
    assert "YINXIN_PORT" in table.stdout
    assert "9005" in table.stdout
    markdown = run("settings", "--format", "markdown", YINXIN_PORT="9005").stdout
    assert markdown.startswith("| setting | meaning | default |\n|---|---|---|\n")
    assert "9005" not in markdown  # documentation holds no values of this machine


def test_wrong_settings_are_told_in_one_line() -> None:
    done = run("settings", YINXIN_PORT="many")
    assert done.returncode == 64
    assert done.stderr.startswith("yinxin: port:")
    assert len(done.stderr.splitlines()) == 1


def test_serve_refuses_rooms_that_are_not_there() -> None:
    done = run("serve", "cellar")
    assert done.returncode == 64
    assert "trust_registry" in done.stderr


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    return number


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_starts_and_stops_gracefully(tmp_path: Path, port: int, stop: signal.Signals) -> None:
    command = [*YINXIN, "serve", "--data", str(tmp_path), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(300):
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None
                time.sleep(0.1)
        assert answer.status_code == 503  # there is no trust data yet
        assert answer.json()["checks"]["database"] is True
        assert answer.json()["checks"]["trust"] is False
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
        process.send_signal(stop)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in err
    assert process.returncode in (0, -stop)


def test_demo_leaves_other_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    done = run("demo", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "not empty" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_accounts_are_added_listed_and_disabled(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("a long enough password\n")
    data = ["--data", str(tmp_path / "data")]
    given = [
        "--role",
        "issuing_clerk",
        "--issuer",
        "990100/civil-affairs",
        "--password-file",
        str(tmp_path / "password"),
    ]
    assert run("accounts", "add", "wang", *given, *data).returncode == 0
    again = run("accounts", "add", "wang", *given, *data)
    assert (again.returncode, again.stderr) == (1, "yinxin: there is an account wang already\n")
    assert run("accounts", "disable", "wang", *data).returncode == 0
    assert run("accounts", "list", *data).stdout == "wang\tissuing_clerk\t990100/civil-affairs\tdisabled\n"
    assert run("accounts", "disable", "nobody", *data).returncode == 1
    assert run("accounts", "add", "li", "--role", "king", *data).returncode == 64


def test_machine_client_is_registered_with_public_keys_only(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256")
    data = ["--data", str(tmp_path / "data")]
    for name, private in (("public", False), ("private", True)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"keys": [key.as_dict(private=private)]}))
    good = run("accounts", "client", "batch", "--jwks", str(tmp_path / "public.json"), "--role", "issuing_clerk", *data)
    assert good.returncode == 0, good.stderr
    bad = run("accounts", "client", "batch", "--jwks", str(tmp_path / "private.json"), "--role", "issuing_clerk", *data)
    assert bad.returncode == 64
    assert "private" in bad.stderr


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"YINXIN_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "the database can't be opened"),
        ({"YINXIN_RECEIPT_KEYS": '{"990200/hall": "file:/no/such.key"}'}, "encrypted"),
        ({"YINXIN_RECEIPT_KEYS": '{"990200/hall": "pkcs11:token=x"}'}, "needs object= or id="),
    ],
)
def test_what_stops_the_server_from_starting_is_told_in_one_line(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    done = run("serve", "--data", str(tmp_path), **environment)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
