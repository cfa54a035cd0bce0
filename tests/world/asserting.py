"""One question for all stories: is this the verdict, for this reason, in words that a clerk can act on?"""

from __future__ import annotations

from verifier import messages
from verifier.model import Report


def assert_verdict(report: Report, indication: str, sub_indication: str, code: str) -> None:
    """The verdict with its decisive finding; both languages say why and what to do next."""
    assert report.decisive is not None, report.indication
    said = (report.indication.value, getattr(report.sub_indication, "value", None), report.decisive.code)
    assert said == (indication, sub_indication, code)
    for language in ("zh", "en"):
        assert messages.summary(report, language)
        assert messages.next_step(report, language)
    assert messages.next_step(report, "zh") != messages.next_step(report, "en")
