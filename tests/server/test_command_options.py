"""Options of commands mirror enumerations of the model, so that `--help` need not load it; here they are held equal."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import pytest

from issuer.model import RenderingKind, StatusReason
from keys.x509 import Profile
from server.cli.issue import Form, Reason
from server.cli.registry_certificates import AuthorityUse, Use
from server.cli.registry_lists import Level, Why
from server.cli.verify import RevocationNeed
from trust_registry.model import Assurance, EntryReason, KeyUse
from verifier.model import RevocationRule


def values(members: Iterable[Enum]) -> set[str]:
    return {member.value for member in members}


@pytest.mark.parametrize(
    ("option", "model", "never_chosen"),
    [
        (Form, RenderingKind, set()),
        (Reason, StatusReason, set()),
        (Level, Assurance, set()),
        (Why, EntryReason, {EntryReason.INITIAL, EntryReason.REINSTATED}),
        (AuthorityUse, KeyUse, {KeyUse.SEAL, KeyUse.STATUS, KeyUse.RECEIPT, KeyUse.ACCESS}),  # of offices and agencies
    ],
)
def test_what_a_command_offers_is_what_the_model_knows(
    option: type[Enum], model: type[Enum], never_chosen: set[Enum]
) -> None:
    assert values(option) == values(set(model) - never_chosen)


def test_every_revocation_rule_may_be_asked_for() -> None:
    assert {need.name for need in RevocationNeed} == {rule.name for rule in RevocationRule}


def test_a_certificate_may_be_asked_for_by_every_profile() -> None:
    assert {use.name for use in Use} == {profile.name for profile in Profile}
