"""The words of problem documents, zh and en: what `server.problems` says as `detail`, in all and field by field.

Decides no status. Words of the issuer's refusals are the issuer's own (`issuer.explaining`). Nothing of an error is
repeated but what its class says is safe to: identifiers, names of fields, limits, instants.
"""

from __future__ import annotations

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from issuer import explaining
from issuer.errors import IssuerError
from server.problem_words import http, validation
from server.problem_words.rooms import PHRASES, WORDS, Words
from trust_registry.model import Names
from trust_registry.wording import compose, facts_of, filled
from verifier.errors import MalformedEvidence, PresentationRefused
from verifier.phrases import PHRASES as VERDICT_PHRASES
from wallet_api.openid.collecting_errors import CollectingRefused, IssuerRefused
from wallet_api.openid.outgoing import NotReached
from wallet_api.openid.refusals import PresentingRefused

__all__ = ["detail", "field_detail", "http", "validation"]


def detail(error: BaseException) -> Names | None:
    """What happened this time, as one sentence; None for what tells nothing about itself.

    Spec: RFC 9457 3.1.4.
    """
    if isinstance(error, HTTPException):
        return http.detail(error)
    if isinstance(error, RequestValidationError):
        return validation.summary(error)
    if isinstance(error, IssuerError):
        return explaining.explain(error)
    if isinstance(error, PresentationRefused):
        return Names(error.words.zh + error.next_step.zh, f"{error.words.en} {error.next_step.en}")
    if isinstance(error, MalformedEvidence):
        phrase = VERDICT_PHRASES[error.reason.value]
        return Names(phrase.zh, phrase.en)
    if isinstance(error, CollectingRefused | IssuerRefused | NotReached | PresentingRefused):
        return error.words
    words = _words_of(error)
    if words is None:
        return None
    return compose(filled(words.sentence, error), facts_of(error, words.facts), _reason(error, words))


def field_detail(error: BaseException) -> Names | None:
    """What is wrong with the field that the refusal names: the reason, where one is given, else the whole sentence."""
    if isinstance(error, IssuerError):
        reason = explaining.reason_of(error)
    else:
        words = _words_of(error)
        reason = None if words is None else _reason(error, words)
    if reason is None:
        return detail(error)
    return compose(Names(reason.zh, reason.en[:1].upper() + reason.en[1:]))


def _words_of(error: BaseException) -> Words | None:
    return next((WORDS[base] for base in type(error).__mro__ if base in WORDS), None)


def _reason(error: BaseException, words: Words) -> Names | None:
    if words.reason is None:
        return None
    given = getattr(error, words.reason)
    said = given[0] if isinstance(given, tuple) and given else given
    return PHRASES.words(said) if isinstance(said, str) else None
