"""Keeping a case file alive: until when its newest time-stamp counts, and one more over everything.

Judges no evidence; a file that is not whole is never stamped again. Spec: EN 319 162-1 annex A.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from keys.digests import digest_ends_at, imprint_name
from keys.envelopes.asic import Container, read_container, renew_container
from keys.errors import AlgorithmNotSupported
from keys.timestamps import Timestamper, TimestampToken
from verifier.archives.model import RENEWALS, TRUST

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def token_ends_at(token: TimestampToken) -> datetime:
    """When a time-stamp stops to prove anything by itself: with its certificates, its methods or its digest."""
    ends = [certificate.not_after for certificate in (token.certificate, *token.intermediates)]
    for certificate in (token.certificate, *token.intermediates):
        try:
            ends.append(certificate.public_key.algorithm.sunset or _NEVER)
        except AlgorithmNotSupported:
            continue
    try:
        ends.append(digest_ends_at(token.digest_algorithm) or _NEVER)
    except KeyError:
        return token.generated_at
    return min(ends)


def renewal_due(container: Container) -> datetime | None:
    """Until when a container that is whole must be renewed; None for one that is not whole: that is past saving."""
    if container.broken or container.uncovered:
        return None
    ends = [token_ends_at(each.token) for each in container.assertions[-1:] if each.token is not None]
    return min(ends, default=None)


def renew_case_file(
    data: bytes, timestamper: Timestamper, at: datetime, trust: Mapping[str, bytes] | None = None
) -> bytes:
    """The same case file with one more time-stamp over everything in it, made at `at` (UTC).

    `trust`: the files of a trust bundle of today, which says who the time-stamper is; it makes the file last without
    any other data. One that comes late proves existence from now on only, which is better than nothing.
    Raises: MalformedEnvelope for one that is not whole; TimestampUnavailable.
    """
    container = read_container(data)
    folder = f"{RENEWALS}{len(container.assertions) + 1:03}/{TRUST}"
    more = {folder + name: content for name, content in (trust or {}).items()}
    return renew_container(data, timestamper, more, imprint=imprint_name(at))
