"""Settings: what an operator may choose, from the environment (`YINXIN_...`) and one file; validated once at start.

Reads no key and opens no database. Order of precedence: arguments of the command line, environment, file, defaults.
`yinxin settings` prints this table with the values in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    JsonConfigSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from server.errors import InvalidSettings
from server.house import ROOMS
from server.oidc_settings import OidcSettings

PREFIX = "YINXIN_"
_THIS_MACHINE = tuple(f"http://{host}{end}" for host in ("127.0.0.1", "localhost", "[::1]") for end in (":", "/"))


def _words(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything that may be set. Paths that are relative start at `data`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    data: Path = Field(Path(".data/server"), description="Folder for everything this server keeps; made if missing.")
    rooms: Annotated[tuple[str, ...], NoDecode] = Field(
        ROOMS, description="Rooms served by this process, by name, separated by commas."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str = Field(
        "", description="Address under which people reach this server; empty: http://<host>:<port>."
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses of reverse proxies whose X-Forwarded-* are believed."
    )
    database_url: str = Field(
        "", description="postgresql://user:password@host/name; empty: SQLite at <data>/yinxin.db."
    )
    deployment_key_file: Path = Field(
        Path("deployment.key"),
        description="Key that wraps holders' data keys; made at first start, mode 0600. Back it up.",
    )
    passphrase: SecretStr | None = Field(None, description="Passphrase of the key files in custody.")
    passphrase_file: Path | None = Field(
        None, description="File whose first line is that passphrase; used when `passphrase` is not set."
    )
    trust_dir: Path = Field(Path("trust"), description="Local, verified copy of the trust data.")
    trust_url: str = Field(
        "", description="Where trust metadata is fetched from; empty: this server's own <public_url>/trust."
    )
    trust_root: Path = Field(
        Path("root.json"), description="The first root metadata, obtained by a trustworthy way; pins the network."
    )
    trust_refresh: timedelta = Field(timedelta(minutes=5), description="How often trust data is refreshed.")
    status_refresh: timedelta = Field(
        timedelta(minutes=1), description="How often status lists are published and fetched."
    )
    timestamp_url: str = Field(
        "", description="RFC 3161 time-stamping authority; empty: the embedded one, if `timestamp_key` is set."
    )
    timestamp_key: str = Field(
        "", description="Key URI of the embedded time-stamping authority; its region lists the certificate."
    )
    pdf_level: Literal["B-T", "B-LT"] = Field(
        "B-T",
        description="B-LT: PDFs carry, when sealed, what this server's responder says of their certificates; each "
        "takes some 50 ms more.",
    )
    revocation_fetch: bool = Field(
        False,
        description="Whether to ask the OCSP responders and CRLs that certificates name, where a verdict hinges on a "
        "signer that no region lists; only public addresses, http(s), bounded.",
    )
    revocation_private_addresses: bool = Field(
        False, description="Whether these may be asked on this machine and in private networks, too."
    )
    wallet_private_addresses: bool = Field(
        False,
        description="Whether wallets here may collect from, and show to, servers on this machine, in private networks "
        "and over plain http, too.",
    )
    wallet_provider_anchors: Path = Field(
        Path("wallet-providers.pem"),
        description="PEM file of the CAs of wallet providers whose attestations of wallets and keys count here; none "
        "count where there is no such file.",
    )
    wallet_attestation_required: bool = Field(
        False, description="Whether only wallets that one of these providers attests may collect certificates."
    )
    wallet_key_attestation_required: bool = Field(
        False, description="Whether certificates are bound only to keys that one of these providers attests."
    )
    wallet_provider_key: str = Field(
        "", description="Key URI with which this server attests its own citizens' wallets and keys; empty: it does not."
    )
    wallet_provider_certificate: Path = Field(
        Path("wallet-provider.pem"), description="PEM file of that key's certificate, and of others up to its CA's."
    )
    dpop_nonce_required: bool = Field(
        False, description="Whether every DPoP proof of a wallet needs a nonce of this server (RFC 9449, section 8)."
    )
    responder_keys: Mapping[str, str] = Field(
        default_factory=dict,
        description="Region's code -> key URI that signs OCSP answers about its certificates, at "
        "<public_url>/revocation/ocsp; its certificate (OCSPSigning, by the region's CA) is <code>.pem in "
        "`responder_dir`. JSON.",
    )
    responder_ca_keys: Mapping[str, str] = Field(
        default_factory=dict,
        description="Region's code -> key URI of its CA, where this server also makes the CRL, at "
        "<public_url>/revocation/<code>.crl. JSON.",
    )
    responder_dir: Path = Field(Path("responders"), description="Folder of the responders' certificates.")
    registry_dir: Path = Field(Path("registry"), description="The registry's repository, when this server hosts it.")
    registry_snapshot_key: str = Field(
        "", description="Key URI of the online snapshot role; with the next, this server signs for the host."
    )
    registry_timestamp_key: str = Field("", description="Key URI of the online timestamp role.")
    registry_log_key: str = Field(
        "", description="Key URI (Ed25519) that signs checkpoints of the transparency log that root announces."
    )
    registry_witnesses: Mapping[str, str] = Field(
        default_factory=dict, description="Witness's key name -> URL below which it answers add-checkpoint."
    )
    witness_keys: Mapping[str, str] = Field(
        default_factory=dict,
        description="Name -> key URI (Ed25519) of each witness served here, at <public_url>/witness/<name>.",
    )
    witness_logs: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Verifier keys of the logs that these witnesses follow, separated by commas."
    )
    witness_dir: Path = Field(Path("witness"), description="What the witnesses have cosigned; never lose it.")
    trust_witnesses: int = Field(
        0, ge=0, le=32, description="Witnesses wanted on the log's checkpoint, if more than the network's own quorum."
    )
    registry_list_keys: Mapping[str, str] = Field(
        default_factory=dict,
        description="Authority's code -> key URI that signs its list as an ETSI trusted list (TS 119 602, TS 119 612); "
        "the list names the certificate (use: list). JSON.",
    )
    registry_list_operator: str = Field(
        "", description="Code of the authority, one of those, that signs the list of lists; empty: there is none."
    )
    status_dir: Path = Field(Path("status"), description="Folder of published status lists.")
    receipt_keys: Mapping[str, str] = Field(
        default_factory=dict,
        description="Relying party id -> key URI that signs its receipts; its region lists the certificate.",
    )
    access_keys: Mapping[str, str] = Field(
        default_factory=dict,
        description="Relying party id -> key URI that signs its requests to wallets; its region lists the certificate "
        "(use: access).",
    )
    openid_origin: str = Field(
        "",
        description="Origin of the addresses in requests to wallets, whose host access certificates name; empty: the "
        "public address.",
    )
    expiry_webhooks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="URLs, comma-separated, that are told (POST, JSON, signed as Standard Webhooks does) 90, 30 and "
        "7 days before a seal, a listed certificate, a recognition or signed metadata runs out, and when it has.",
    )
    expiry_webhook_secret_file: Path | None = Field(
        None, description="File with the secret that signs these messages: whsec_<base64>, or at least 24 bytes."
    )
    code_life: timedelta = Field(timedelta(seconds=60), description="How long a one-time code works.")
    session_idle: timedelta = Field(
        timedelta(minutes=30), description="A session ends after so long without a request."
    )
    session_absolute: timedelta = Field(
        timedelta(hours=10), description="A session ends after so long, whatever happens."
    )
    sign_in_rate: str = Field("10/minute", description="Sign-in attempts per address.")
    account_rate: str = Field(
        "5/5minutes", description="Failed sign-in attempts per account before it is locked for that time."
    )
    token_read_rate: str = Field("30/minute", description="Readings of one-time codes per account.")
    push_rate: str = Field("300/minute", description="Authorization requests that wallets push, per address.")
    max_body: int = Field(20 * 1024 * 1024, ge=65536, description="Largest request body, in bytes.")
    time_zone: str = Field("Asia/Shanghai", description="Time zone in which pages show times.")
    oidc: OidcSettings | None = Field(
        None, description="OpenID Connect provider for sign-in; none: local accounts only."
    )
    local_accounts: bool = Field(True, description="Whether local accounts may sign in.")
    log_format: Literal["json", "text"] = Field("json", description="One JSON object a line, or text for a person.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    demo: bool = Field(False, description="Marks every page as a demonstration with fictional data.")

    @field_validator("rooms", "expiry_webhooks", "witness_logs", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return _words(value)

    @field_validator("rooms")
    @classmethod
    def _known_rooms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or set(value) - set(ROOMS):
            raise ValueError(f"must name some of {', '.join(ROOMS)}")
        return value

    @field_validator("witness_keys")
    @classmethod
    def _plain_names(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if not all(name.isascii() and name.replace("-", "").isalnum() for name in value):
            raise ValueError("names are letters, digits and hyphens")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("must be a time zone of the IANA database, such as Asia/Shanghai") from None
        return value

    @field_validator("sign_in_rate", "account_rate", "token_read_rate", "push_rate")
    @classmethod
    def _readable_rate(cls, value: str) -> str:
        from limits import parse

        try:
            parse(value)
        except ValueError:
            raise ValueError('must read like "10/minute" or "5/5minutes"') from None
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return value

    @field_validator("public_url", "trust_url", "timestamp_url", "openid_origin")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with https:// or http://")
        return value.rstrip("/")

    @field_validator("expiry_webhooks")
    @classmethod
    def _secure_webhooks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each.startswith(("https://", *_THIS_MACHINE)) for each in value):
            raise ValueError("must start with https:// (http:// only on this machine)")
        return value

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Settings:
        if self.expiry_webhooks and self.expiry_webhook_secret_file is None:
            raise ValueError("expiry_webhooks needs expiry_webhook_secret_file")
        return self

    @model_validator(mode="after")
    def _sessions_end(self) -> Settings:
        if not timedelta(0) < self.session_idle <= self.session_absolute:
            raise ValueError("session_idle must be positive and not above session_absolute")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del file_secret_settings
        file = cls.model_config.get("toml_file") or cls.model_config.get("json_file")
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings, dotenv_settings)
        if file is None:
            return sources
        source = TomlConfigSettingsSource if str(file).endswith(".toml") else JsonConfigSettingsSource
        return (*sources, source(settings_cls, Path(str(file))))

    def path(self, value: Path) -> Path:
        """`value` itself when absolute, else below the data folder; absolute either way."""
        return (self.data / value).absolute()

    @property
    def origin(self) -> str:
        """The public address, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def wallet_origin(self) -> str:
        """The origin of the addresses in requests to wallets, without a slash at its end."""
        return self.openid_origin or self.origin

    @property
    def secure(self) -> bool:
        """Whether browsers reach this server over TLS."""
        return self.origin.startswith("https://")

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.path(Path('yinxin.db'))}"


def load_settings(file: Path | None = None, **arguments: Any) -> Settings:
    """Settings from `arguments`, the environment and `file` (.toml, .json or .env).

    Raises InvalidSettings naming each wrong setting, never showing its value.
    """
    config = SettingsConfigDict()
    if file is not None:
        if not file.is_file():
            raise InvalidSettings(f"settings file not found: {file}")
        if file.suffix == ".toml":
            config = SettingsConfigDict(toml_file=file)
        elif file.suffix == ".json":
            config = SettingsConfigDict(json_file=file)
        else:
            config = SettingsConfigDict(env_file=file)
    chosen = type("Settings", (Settings,), {"model_config": config, "__module__": __name__})
    try:
        settings: Settings = chosen(**arguments)
    except ValidationError as err:
        raise InvalidSettings("; ".join(_complaints(err))) from None
    except (ValueError, OSError) as err:
        raise InvalidSettings(f"settings could not be read: {type(err).__name__}") from err
    return settings


def _complaints(err: ValidationError) -> Iterator[str]:
    for problem in err.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in problem["loc"]) or "settings"
        yield f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def describe(settings: Settings) -> Iterator[tuple[str, str, str, str]]:
    """(environment name, meaning, default, value in force) of every setting, secrets hidden."""
    for name, info in Settings.model_fields.items():
        value = getattr(settings, name)
        if name == "oidc":
            for inner, inner_info in OidcSettings.model_fields.items():
                current = "" if value is None else _shown(inner, getattr(value, inner))
                yield (f"{PREFIX}OIDC__{inner.upper()}", inner_info.description or "", _default(inner_info), current)
        else:
            yield (f"{PREFIX}{name.upper()}", info.description or "", _default(info), _shown(name, value))


def _default(info: FieldInfo) -> str:
    return "(required)" if info.is_required() else _shown("", info.get_default(call_default_factory=True))


def _shown(name: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, SecretStr):
        return "********"
    if name == "database_url":
        from sqlalchemy.engine import make_url

        return make_url(str(value)).render_as_string(hide_password=True)
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, Mapping):
        return ",".join(f"{key}={getattr(part, 'value', part)}" for key, part in value.items())
    return str(value)
