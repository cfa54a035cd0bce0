"""Which of a case file's time-stamps still prove something: from the newest back, each saved by those over it.

Spec: EN 319 102-1 clause 5.6.2.3 (proofs of existence), EN 319 162-1 annex A.7. Whom a region lists as a time-stamper
is `verifier.core.timestampers`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.digests import digest_ends_at
from keys.envelopes.asic import Container, TimeAssertion
from keys.timestamps import TimestampToken
from keys.x509 import Certificate
from trust_registry.bundle import OpenedBundle
from trust_registry.model import RegionCode, TrustView
from verifier.archives.renewing import token_ends_at
from verifier.core.listed import listed
from verifier.core.timestampers import Standing, Surroundings, standing_of
from verifier.model import Policy

_WORSE: Final = (Standing.GOOD, Standing.UNPROVEN, Standing.REFUSED)


@dataclass(frozen=True, slots=True)
class JudgedStamp:
    """One time-stamp: what it says, whether it proves that, and when it ended (or ends) unless renewed before.

    `existed_at`: it is itself proven to have existed by then, by a later one. Times are UTC.
    """

    assertion: TimeAssertion
    standing: Standing
    existed_at: datetime | None
    ends_at: datetime | None

    @property
    def made_at(self) -> datetime | None:
        return None if self.assertion.token is None else self.assertion.token.generated_at


@dataclass(frozen=True, slots=True)
class Basis:
    """By what time-stampers are believed as of `at` (UTC). `kept`: the trust data in the file that lead to a root known
    here, with the names of their members; `trust_now`: those of today; `anchors`: who the asker trusts besides;
    `accepting`: for which region, else each member's word on time-stampers counts.
    """

    kept: Sequence[tuple[OpenedBundle, Collection[str]]]
    trust_now: TrustView | None
    anchors: tuple[Certificate, ...]
    at: datetime
    accepting: RegionCode | None = None


def judge_stamps(container: Container, basis: Basis) -> tuple[JudgedStamp, ...]:
    """Every time-stamp of the container, oldest first."""
    judged: list[JudgedStamp] = []
    for assertion in reversed(container.assertions):
        token = assertion.token
        over = [
            newer.made_at
            for newer in judged
            if newer.standing is Standing.GOOD
            and newer.assertion.covers(assertion.manifest)
            and newer.assertion.covers(assertion.token_name)
        ]
        existed_at = min((moment for moment in over if moment is not None), default=None)
        if token is None or not assertion.holds:
            judged.append(JudgedStamp(assertion, Standing.REFUSED, existed_at, None))
            continue
        standing = _standing(token, existed_at, basis, judged)
        judged.append(JudgedStamp(assertion, standing, existed_at, token_ends_at(token)))
    return tuple(reversed(judged))


def proven_at(judged: Sequence[JudgedStamp], name: str) -> datetime | None:
    """By when the member of this name, as it is here, existed."""
    moments = [each.made_at for each in judged if each.standing is Standing.GOOD and each.assertion.covers(name)]
    return min((moment for moment in moments if moment is not None), default=None)


def lost_at(judged: Sequence[JudgedStamp]) -> datetime | None:
    """When the newest of the proofs ended that were lost for want of a renewal; None where none was."""
    return max((each.ends_at for each in judged if each.standing is Standing.UNPROVEN and each.ends_at), default=None)


def _standing(
    token: TimestampToken, existed_at: datetime | None, basis: Basis, newer: Sequence[JudgedStamp]
) -> Standing:
    moment = existed_at or basis.at
    try:
        digest_ends = digest_ends_at(token.digest_algorithm)
    except KeyError:
        return Standing.REFUSED
    if digest_ends is not None and digest_ends <= moment:
        return Standing.UNPROVEN

    def by(trust: TrustView | None) -> Standing:
        policy = Policy(basis.accepting, anchors=basis.anchors)
        return standing_of(token, existed_at, Surroundings(None, trust, policy, (), (), basis.at))

    if basis.trust_now is not None and _lists(basis.trust_now, token):
        return by(basis.trust_now)
    # What is kept in the file was frozen when it was put there: nobody watched the key after its certificate ended.
    frozen = [
        by(bundle.trust)
        for bundle, names in basis.kept
        if _lists(bundle.trust, token) and still_worth(bundle, names, newer, basis.at)
    ]
    if frozen:
        worst = max(frozen, key=_WORSE.index)
        return Standing.UNPROVEN if worst is Standing.GOOD and moment > token.certificate.not_after else worst
    return by(basis.trust_now)


def _lists(trust: TrustView, token: TimestampToken) -> bool:
    return token.certificate.thumbprint in listed(trust).timestampers


def still_worth(bundle: OpenedBundle, names: Collection[str], proofs: Sequence[JudgedStamp], at: datetime) -> bool:
    """Whether the trust data in these members are proven, by `proofs`, to be from before the methods ended that sign
    them: later anybody could have made them.
    """
    if bundle.ends_at is None or at < bundle.ends_at:
        return True
    return all((proven_at(proofs, name) or at) < bundle.ends_at for name in names)
