"""The refusals of keys. Envelopes have one error each way in: what is not well formed is `MalformedEnvelope`."""

from __future__ import annotations


class KeysError(Exception):
    """Root of everything that keys refuses."""


class MalformedEnvelope(KeysError):
    """Bytes that are not the envelope they claim to be, or exceed its bounds (size, depth, number range)."""


class EncryptedPdf(MalformedEnvelope):
    """A PDF that is closed with a password, or for certain readers only: nothing in it can be looked at."""


class MalformedCertificate(KeysError):
    """Bytes that are not a DER X.509 certificate this library can read."""


class MalformedRequest(KeysError):
    """Bytes that are not a PKCS#10 certificate request whose signature proves possession of the key."""


class MalformedTimestamp(KeysError):
    """Bytes that are not an RFC 3161 time-stamp token."""


class TimestampUnavailable(KeysError):
    """The time-stamping authority could not be reached or refused the request."""


class AlgorithmNotSupported(KeysError):
    """An algorithm that the registry does not name, or a key that does not fit its algorithm."""


class KeyUriNotSupported(KeysError):
    """No custody answers to this kind of key URI."""


class KeyNotFound(KeysError):
    """The URI names a key that is not there."""


class TokenUnavailable(KeysError):
    """The PKCS#11 token can't be used: no module, no such token, pulled, locked, or it failed."""


class KeyAlreadyExists(KeysError):
    """A key file is never overwritten."""


class WrongPassphrase(KeysError):
    """The key file is whole, but this passphrase does not open it."""


class DamagedKeyFile(KeysError):
    """The key file is cut short or altered; no passphrase opens it. Restore it from a backup."""


class PassphraseMissing(KeysError):
    """A key is encrypted and no passphrase source was given."""


class DecryptionFailed(KeysError):
    """Sealed data was altered, belongs elsewhere, or its key was destroyed."""


class MalformedRevocation(KeysError):
    """Bytes that are not the CRL, OCSP response or OCSP request they claim to be, or exceed its bounds."""


class CannotAugment(KeysError):
    """A PDF that no time-stamp or validation data may be added to, or for which they are not to be had.

    `why` is one of "unsigned", "altered", "not_baseline", "weak", "no_timestamper", "no_chain", "no_revocation",
    "revoked" and "on_hold"; `about` names the signature field or the certificate's subject.
    """

    def __init__(self, why: str, about: str = "") -> None:
        super().__init__(f"{why.replace('_', ' ')}: {about}" if about else why.replace("_", " "))
        self.why = why
        self.about = about
