"""Proposals: what waits for signatures, one proposal with its difference and its consequences, signing, publishing.

Signatures are made in the officer's browser or by the CLI; this server only checks and keeps them.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from trust_registry.model import Names, TrustView
from trust_registry.pages.frame import Frame

Id = Annotated[str, Path(max_length=200)]


def router(frame: Frame) -> APIRouter:
    """/registry/proposals and below."""
    shown = Proposals(frame)
    pages = APIRouter(prefix="/registry")
    pages.add_api_route("/proposals", shown.all, methods=["GET"])
    pages.add_api_route("/proposals/{proposal_id}", shown.one, methods=["GET"])
    return pages


class Proposals:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def all(self, request: Request) -> Response:
        return self._frame.page(request, "proposals", proposals=self._frame.service.proposals())

    def one(self, request: Request, proposal_id: Id) -> Response:
        found = next((each for each in self._frame.service.proposals() if each.id == proposal_id), None)
        if found is None:
            raise HTTPException(404)
        view = self._frame.view()
        return self._frame.page(request, "proposal", proposal=found, readable=lambda text: with_names(text, view))


def with_names(text: Names, view: TrustView) -> Names:
    """The sentence with the names of what it mentions by id: an officer reads names, and the path below has the id."""
    known: dict[str, Names] = {
        **{id_: each.names for id_, each in view.lists.items()},
        **{id_: each.names for id_, each in view.types.items()},
        **{id_: each.names for id_, each in view.scenarios.items()},
        **{id_: each.names for id_, each in view.issuers.items()},
    }
    pattern = re.compile(
        r"(?<![\w/-])(" + "|".join(map(re.escape, sorted(known, key=len, reverse=True))) + r")(?![\w/-])"
    )
    return Names(
        pattern.sub(lambda found: f"“{known[found[1]].zh}”", text.zh),
        pattern.sub(lambda found: known[found[1]].en, text.en),
    )
