"""Status values that nobody registered: no statement about the certificate, and so no pass (Token Status List 7.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.asking import ask, assert_indeterminate
from tests.verifier.small_world import LIST, SmallWorld, qr
from trust_registry.model import StatusList, StatusSnapshot, StatusView
from verifier.model import SubIndication


@pytest.mark.parametrize(("bits", "value"), [(2, 3), (4, 3), (4, 0x0B), (4, 0x0C), (4, 0x0F), (8, 0x10), (8, 0xFF)])
def test_7_1_application_specific_and_reserved_values_say_nothing(world: SmallWorld, bits: int, value: int) -> None:
    known = world.statuses().get(LIST)
    assert isinstance(known, StatusSnapshot)
    whole = sum(value << position for position in range(0, 8, bits))
    statuses = StatusView({LIST: replace(known, statuses=StatusList(bits, bytes([whole]) * 64))})
    assert_indeterminate(
        ask(world, qr(), statuses=statuses), "status_not_understood", SubIndication.SIG_CONSTRAINTS_FAILURE
    )
