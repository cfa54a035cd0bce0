"""Settings: where they come from, what is refused and by name, what is never shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.errors import InvalidSettings
from server.settings import Settings, describe, load_settings


def test_defaults_are_complete() -> None:
    settings = load_settings()
    assert settings.origin == "http://127.0.0.1:8000"
    assert settings.secure is False
    assert settings.database.startswith("sqlite:////")
    assert settings.rooms == ("trust_registry", "issuer", "verifier", "wallet_api")


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINXIN_PORT", "9001")
    monkeypatch.setenv("YINXIN_ROOMS", "verifier, wallet_api")
    monkeypatch.setenv("YINXIN_SESSION_IDLE", "PT5M")
    monkeypatch.setenv("YINXIN_OIDC__ISSUER", "https://id.example")
    monkeypatch.setenv("YINXIN_OIDC__CLIENT_ID", "yinxin")
    settings = load_settings()
    assert (settings.port, settings.rooms) == (9001, ("verifier", "wallet_api"))
    assert settings.session_idle == timedelta(minutes=5)
    assert settings.oidc is not None
    assert settings.oidc.issuer == "https://id.example"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.toml", 'port = 9002\nrooms = "verifier"\n[receipt_keys]\n"990200/hall" = "file:/k"\n'),
        ("a.json", '{"port": 9002, "rooms": ["verifier"], "receipt_keys": {"990200/hall": "file:/k"}}'),
        ("a.env", 'YINXIN_PORT=9002\nYINXIN_ROOMS=verifier\nYINXIN_RECEIPT_KEYS={"990200/hall": "file:/k"}\n'),
    ],
)
def test_file_is_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    settings = load_settings(tmp_path / name)
    assert (settings.port, settings.rooms) == (9002, ("verifier",))
    assert settings.receipt_keys == {"990200/hall": "file:/k"}


def test_arguments_win_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.toml").write_text('port = 9002\nhost = "::1"\ntime_zone = "UTC"\n')
    monkeypatch.setenv("YINXIN_PORT", "9001")
    monkeypatch.setenv("YINXIN_HOST", "0.0.0.0")
    settings = load_settings(tmp_path / "a.toml", port=9000)
    assert (settings.port, settings.host, settings.time_zone) == (9000, "0.0.0.0", "UTC")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"port": 0}, "port"),
        ({"port": "many"}, "port"),
        ({"rooms": "cellar"}, "rooms"),
        ({"rooms": ""}, "rooms"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"sign_in_rate": "often"}, "sign_in_rate"),
        ({"database_url": "mysql://root@db/x"}, "database_url"),
        ({"public_url": "yinxin.example"}, "public_url"),
        ({"session_idle": "P2D"}, "session_idle"),
        ({"max_body": 1}, "max_body"),
        ({"no_such_setting": 1}, "no_such_setting"),
        ({"oidc": {"issuer": "http://id.example", "client_id": "x"}}, "oidc.issuer"),
        ({"oidc": {"issuer": "https://id.example"}}, "oidc.client_id"),
        ({"log_level": "loud"}, "log_level"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidSettings, match=named):
        load_settings(**wrong)


def test_every_wrong_setting_is_named_at_once_and_no_value_shown() -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(port=0, passphrase={"not": "a text hunter2"})
    assert "port" in str(refused.value)
    assert "passphrase" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("content", ["port = ", "[", "port = 1\nport = 2"])
def test_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(InvalidSettings):
        load_settings(tmp_path / "a.toml")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="not found"):
        load_settings(tmp_path / "none.toml")


def test_every_setting_is_explained() -> None:
    rows = list(describe(load_settings()))
    names = [name for name, *_ in rows]
    for field in Settings.model_fields:
        assert any(name.startswith(f"YINXIN_{field.upper()}") for name in names), field
    assert all(meaning.endswith((".", "above.")) for _, meaning, *_ in rows)
    assert len(names) == len(set(names))


def test_secrets_are_never_shown() -> None:
    settings = load_settings(
        passphrase="hunter2",
        database_url="postgresql://yinxin:hunter2@db/yinxin",
        oidc={"issuer": "https://id.example", "client_id": "x", "client_secret": "hunter2"},
    )
    shown = "\n".join("\t".join(row) for row in describe(settings))
    assert "hunter2" not in shown
    assert "hunter2" not in repr(settings.passphrase)
    assert "postgresql://yinxin:***@db/yinxin" in shown
    assert "********" in shown


def test_public_address() -> None:
    assert load_settings(public_url="https://yinxin.example/").origin == "https://yinxin.example"
    assert load_settings(public_url="https://yinxin.example").secure is True
    assert load_settings(host="::1", port=1234).origin == "http://[::1]:1234"


def test_relative_paths_start_at_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    assert settings.path(settings.trust_dir) == tmp_path / "trust"
    assert settings.path(Path("/etc/key")) == Path("/etc/key")
