"""Who may lay something over a sealed page by calling it a signature, and who may not change the verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keys.envelopes.pades import Change, ChangeKind
from tests.verifier.asking import ask, assert_indeterminate, assert_passed
from tests.verifier.small_world import SmallWorld
from tests.verifier.test_pdf import signature
from tests.verifier.test_signatures import STRANGER, document
from verifier.model import SubIndication

LAID = Change(ChangeKind.SIGNATURE, (1,), permitted=True, detail="Look")
UNSEEN = replace(LAID, pages=())


def test_a_strangers_look_over_a_sealed_page_is_a_note(world: SmallWorld) -> None:
    stranger = signature(certificate=STRANGER, field_name="Look")
    report = ask(world, document((signature(changes=(LAID,)), True), (stranger, False)))
    assert_indeterminate(report, "note_added_after_sealing", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_a_strangers_signature_that_is_not_seen_changes_nothing(world: SmallWorld) -> None:
    stranger = signature(certificate=STRANGER, field_name="Look")
    assert_passed(ask(world, document((signature(changes=(UNSEEN,)), True), (stranger, False))))


def test_a_further_seals_look_is_no_note(world: SmallWorld) -> None:
    further = signature(field_name="Look")
    assert_passed(ask(world, document((signature(changes=(LAID,)), True), (further, True))))


@pytest.mark.parametrize("more", [(), ("Look",), ("Look", "Look")])
def test_a_look_under_anothers_name_or_of_no_signature_is_a_note(world: SmallWorld, more: tuple[str, ...]) -> None:
    """The field has the name of one that passes, or stands for no signature at all."""
    strangers = [(signature(certificate=STRANGER, field_name=name), False) for name in more]
    named = [(signature(field_name="Look"), True)] if more else []
    report = ask(world, document((signature(changes=(LAID,)), True), *named, *strangers))
    assert_indeterminate(report, "note_added_after_sealing", SubIndication.SIG_CONSTRAINTS_FAILURE)
