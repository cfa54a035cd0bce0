"""What OCSP answers must not prove for whoever has a responder's old key."""

from __future__ import annotations

from keys.algorithms import ES256
from keys.revocation import certificate_standing, make_ocsp_response, parse_ocsp_response
from keys.signature_form import x509_signature
from keys.x509 import Profile
from tests.keys.test_revocation import (
    DAY,
    DAY_2,
    DAY_3,
    DAY_9,
    EAST,
    GOOD,
    RESPONDER,
    RESPONDER_SIGNER,
    REVOKED,
    SEAL,
    answer,
    response,
    revoked,
    standing,
    state,
)


class TestStolenResponders:
    """Whoever has the old key of a responder may date as he likes."""

    def test_what_is_said_of_a_time_after_it_was_said_is_nothing(self):
        made = ocsp_response(this_update=DAY_9, produced_at=DAY_2, next_update=DAY_9 + DAY)
        assert certificate_standing(SEAL, EAST.ca, [made], DAY_9) is None
        made = ocsp_response(this_update=DAY_2, produced_at=DAY_2, next_update=DAY_3)
        assert certificate_standing(SEAL, EAST.ca, [made], DAY_2).state is GOOD

    def test_a_word_does_not_outlive_who_gave_it(self):
        short = EAST.certify(Profile.OCSP, RESPONDER_SIGNER, not_after=DAY_3)
        found = standing(response(responder=short, until=DAY_9))
        assert (found.state, found.next_update) == (GOOD, DAY_3)
        assert not found.speaks_of(DAY_9)

    def test_of_two_answers_about_one_certificate_the_bad_one_counts(self):
        assert state(response(answer(), answer(REVOKED, revoked()))) is REVOKED


def ocsp_response(*, this_update, produced_at, next_update):
    """One answer whose times are anybody's choice."""
    made = make_ocsp_response(
        RESPONDER_SIGNER, RESPONDER, (answer(),), produced_at=this_update, next_update=next_update
    )
    signed = parse_ocsp_response(made).signed
    old, new = (moment.strftime("%Y%m%d%H%M%SZ").encode() for moment in (this_update, produced_at))
    tbs = signed.tbs.replace(old, new, 1)  # producedAt stands before the answers
    resigned = b""
    while len(resigned) != len(signed.signature):  # in DER it has several lengths
        resigned = x509_signature(ES256, RESPONDER_SIGNER.sign(tbs))
    return parse_ocsp_response(made.replace(signed.tbs, tbs).replace(signed.signature, resigned))
