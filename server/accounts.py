"""Who may sign in and stays signed in: passwords (argon2id), sessions, what a wrong try costs.

Knows no request, cookie or page: those are `server.access` and `server.sign_in`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Engine

from server.clock import utc_now
from server.errors import SignInRefused
from server.limits import RateLimit
from server.model import Account, Affiliation, MachineClient, Session
from server.settings import Settings
from server.store import AccountStore
from trust_registry.edges import AccountId, Principal

MAX_PASSWORD = 1024
MIN_PASSWORD = 8
TOUCH_EVERY = timedelta(minutes=1)
_HASHING = BoundedSemaphore(2)  # argon2 takes 64 MiB a run


def token_digest(token: str) -> bytes:
    """What the database keeps of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


class Accounts:
    """Accounts and sessions over one store.

    `sign_in_limit` counts tries per address, `account_limit` failures per account name.
    """

    def __init__(
        self,
        store: AccountStore,
        now: Callable[[], datetime],
        *,
        idle: timedelta,
        absolute: timedelta,
        sign_in_limit: RateLimit,
        account_limit: RateLimit,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self.store = store
        self._now = now
        self._idle = idle
        self._absolute = absolute
        self._sign_in_limit = sign_in_limit
        self._account_limit = account_limit
        self._hasher = hasher or PasswordHasher()
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    def create(self, name: str, display_name: str, affiliation: Affiliation, password: str | None) -> Account:
        """Add a local account. Raises AccountExists; ValueError when the password is too short or long."""
        hashed = None if password is None else self.hash_password(password)
        return self.create_hashed(name, display_name, affiliation, hashed)

    def create_hashed(self, name: str, display_name: str, affiliation: Affiliation, hashed: str | None) -> Account:
        """As `create`, with what `hash_password` gave."""
        account = Account(AccountId(secrets.token_hex(12)), name, display_name, affiliation, hashed)
        self.store.add(account)
        return account

    def hash_password(self, password: str) -> str:
        """An argon2id hash. Raises ValueError when the password is too short or long."""
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise ValueError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        with _HASHING:
            return self._hasher.hash(password)

    def sign_in(self, name: str, password: str, address: str, *, replaces: str | None = None) -> tuple[str, Account]:
        """A new session's token and its account. `replaces`: the session token the browser had, which ends.

        Raises SignInRefused (one error for unknown names, wrong passwords and disabled accounts, at equal cost) and
        TooManyRequests.
        """
        self._sign_in_limit.hit(address)
        self._account_limit.check(name)
        account = self.store.by_name(name)
        known = account is not None and account.password_hash is not None and not account.disabled
        hashed = account.password_hash if account is not None and known and account.password_hash else self._decoy
        if not self._matches(hashed, password) or account is None or not known:
            self._account_limit.hit(name)
            raise SignInRefused
        self._account_limit.clear(name)
        if self._hasher.check_needs_rehash(hashed):
            with _HASHING:
                self.store.change(replace(account, password_hash=self._hasher.hash(password)))
        return self.open_session(account, replaces=replaces), account

    def _matches(self, hashed: str, password: str) -> bool:
        if len(password) > MAX_PASSWORD:
            return False
        try:
            with _HASHING:
                return self._hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError, UnicodeError):
            return False

    def open_session(
        self, owner: Account | MachineClient, *, replaces: str | None = None, lasting: timedelta | None = None
    ) -> str:
        """A fresh random token for `owner`; the token it replaces stops working."""
        if replaces is not None:
            self.store.close_session(token_digest(replaces))
        token = secrets.token_urlsafe(32)
        now = self._now()
        self.store.open_session(token_digest(token), owner, now, now + (lasting or self._absolute))
        return token

    def session(self, token: str) -> Session | None:
        """The session of `token`, unless it is unknown, idle too long or over."""
        session = self.store.session(token_digest(token))
        if session is None:
            return None
        now = self._now()
        if now >= session.expires_at or now - session.seen_at >= self._idle:
            self.store.close_session(session.digest)
            return None
        if now - session.seen_at >= TOUCH_EVERY:
            self.store.touch_session(session.digest, now)
        return session

    def principal(self, token: str, *, machine: bool) -> Principal | None:
        """Who `token` stands for; a machine's token is no cookie and a cookie no machine's token."""
        session = self.session(token)
        return session.principal if session is not None and session.principal.machine is machine else None

    def has_password(self, account_id: AccountId) -> bool:
        account = self.store.by_id(account_id)
        return account is not None and account.password_hash is not None

    def change_password(self, account_id: AccountId, current: str, new: str) -> str:
        """Every session of the account ends; the token of a new one.

        Raises SignInRefused (wrong current password), TooManyRequests, ValueError (new one too short or long).
        """
        account = self.store.by_id(account_id)
        if account is None or account.password_hash is None:
            raise SignInRefused
        self._account_limit.check(account.name)
        if not self._matches(account.password_hash, current):
            self._account_limit.hit(account.name)
            raise SignInRefused
        changed = replace(account, password_hash=self.hash_password(new))
        self.store.change(changed)
        self.store.close_sessions_of(account_id)
        return self.open_session(changed)

    def sign_out(self, token: str) -> None:
        self.store.close_session(token_digest(token))

    def disable(self, account: Account) -> None:
        """Refuse the account from now on and end its sessions."""
        self.store.change(replace(account, disabled=True))
        self.store.close_sessions_of(account.id)

    def clean(self) -> int:
        """Forget expired sessions; how many there were."""
        return self.store.clean(self._now(), self._idle)


def make_accounts(settings: Settings, engine: Engine, now: Callable[[], datetime] = utc_now) -> Accounts:
    """Accounts and sessions as the settings want them: without the house, which takes seconds to open."""
    return Accounts(
        AccountStore(engine),
        now,
        idle=settings.session_idle,
        absolute=settings.session_absolute,
        sign_in_limit=RateLimit(settings.sign_in_rate),
        account_limit=RateLimit(settings.account_rate),
    )
