"""The way through: both formats, both response modes, both client-id prefixes, one device or two."""

from __future__ import annotations

import pytest

from tests.verifier.openid4vp.conftest import Counter
from verifier.model import Indication
from verifier.openid4vp.model import ClientIdPrefix, RequestState, ResponseMode

PREFIXES = list(ClientIdPrefix)
MODES = [ResponseMode.DIRECT_POST, ResponseMode.DIRECT_POST_JWT]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", ["shown", "shown_mdoc"])
def test_a_certificate_is_shown_and_accepted(
    counter: Counter, prefix: ClientIdPrefix, mode: ResponseMode, form: str
) -> None:
    begun = counter.begin(prefix=prefix, mode=mode)
    assert counter.look(begun).state is RequestState.WAITING
    asked = counter.fetch(begun)
    assert counter.look(begun).state is RequestState.FETCHED
    answer, progress = getattr(counter, form)(begun, asked)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert progress.state is RequestState.ANSWERED
    (verdict,) = progress.verdicts
    assert verdict.report.indication is Indication.PASSED, verdict.report.decisive
    assert verdict.names.en == "Marriage Certificate"
    assert verdict.report.attestation is not None
    assert dict(verdict.report.attestation.claims) == {"holder_name": "林晓"}
    assert progress.missing == ()


def test_the_verdict_is_told_by_the_address_that_the_answer_went_to(counter: Counter) -> None:
    begun, asked = counter.ask()
    address, told = asked.claims["response_uri"], counter.requests.told
    assert told(address) == {}
    counter.shown(begun, asked)
    assert list(told(address).values()) == ["PASSED"]
    for other in ("", f"{address}x", address[1:], address.replace("://", "://not."), "https://other.example/r"):
        assert told(other) == {}
