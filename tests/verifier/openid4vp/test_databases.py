"""The same story on every database that is served: what a driver gives back is read alike."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.verifier.openid4vp.conftest import Counter
from verifier.model import Indication
from verifier.openid4vp.model import RequestState


def test_asked_answered_once(engine: Engine) -> None:
    counter = Counter(engine)
    begun, asked = counter.ask(same_device=True)
    form = {"error": "access_denied", "state": asked.claims["state"]}
    first = counter.post(asked, form)
    assert first.status_code == 200
    assert counter.post(asked, form).status_code == 400
    code = first.json()["redirect_uri"].partition("response_code=")[2]
    assert counter.look(begun, code).state is RequestState.DECLINED
    answer, progress = counter.shown(*counter.ask())
    assert answer.status_code == 200
    assert progress.verdicts[0].report.indication is Indication.PASSED
