"""The refusals of server: sign-in, permission, request shape. Mapped to problem documents in `server.problems`."""

from __future__ import annotations


class ServerError(Exception):
    """Root of everything that server refuses."""


class NotSignedIn(ServerError):
    """The page or route needs a signed-in principal. Pages redirect to sign-in; JSON answers 401."""


class NotPermitted(ServerError):
    """Signed in, but without a role that may do this."""


class CsrfRefused(ServerError):
    """An unsafe request from a browser without this session's token, or from another origin."""


class SignInRefused(ServerError):
    """Wrong name or password, or a locked account: one error, so that names can't be probed."""


class TooManyRequests(ServerError):
    """A rate limit was reached."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("rate limit reached")
        self.retry_after = retry_after  # seconds


class BodyTooLarge(ServerError):
    """The request body exceeds the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"request bodies are limited to {limit} bytes")
        self.limit = limit


class OidcRefused(ServerError):
    """The identity provider's answer did not verify, or the person has no role here."""


class ClientAssertionRefused(ServerError):
    """A machine client's assertion (RFC 7523) did not verify."""


class InvalidSettings(ServerError):
    """Settings that can't be used; the message names each."""


class AccountExists(ServerError):
    """The account name is taken."""


class AlreadyRunning(ServerError):
    """The folder or the address of a demonstration is in use by another process."""


class DemoFolderRefused(ServerError):
    """The folder for the demonstration holds something else, which is left alone."""


class NotInTheDemo(ServerError):
    """The demonstration has no such certificate, scenario or party; the message names what there is."""
