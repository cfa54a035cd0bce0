"""Walls that types can't build: who may make what."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

import issuer
from issuer.model import RenderingKind
from issuer.wire import IssueBody, StatusChangeBody

ROOM = Path(issuer.__file__).parent


def users_of(name: str) -> set[str]:
    """Modules of the house that mention `name`, by path from the repository."""
    found = set()
    for file in ROOM.parent.glob("*/**/*.py"):
        relative = file.relative_to(ROOM.parent)
        if relative.parts[0] in ("tests", ".venv"):
            continue
        names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
        if name in names:
            found.add(str(relative))
    return found


def called(name: str) -> set[str]:
    found = set()
    for file in ROOM.parent.glob("*/**/*.py"):
        relative = file.relative_to(ROOM.parent)
        if relative.parts[0] in ("tests", ".venv"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                found.add(str(relative))
    return found


def test_only_the_core_shows_the_clearance() -> None:
    assert users_of("CLEARANCE") == {"issuer/core.py", "issuer/model.py"}


def test_only_the_store_makes_a_recorded() -> None:
    assert called("Recorded") == {"issuer/store/recording.py", "issuer/store/certificates.py"}


def test_only_the_service_seals() -> None:
    assert users_of("seal_renderings") == {"issuer/service.py"}


def test_media_types_of_renderings() -> None:
    assert {kind.media_type for kind in RenderingKind} == {"application/pdf", "application/dc+sd-jwt", "text/plain"}


@pytest.mark.parametrize(
    "change",
    [
        {"claims": []},
        {"seal_id": 7},
        {"holder": {"kind": "citizen"}},
        {"extra": 1},
        {"valid_from": "2026-01-01T00:00:00"},
    ],
)
def test_bodies_are_strict(change: dict[str, object]) -> None:
    good = {
        "type_id": "common/x",
        "seal_id": "990100/a/1",
        "holder": {"kind": "citizen", "number": "1", "name": "林"},
        "claims": {},
        "valid_from": "2026-01-01T00:00:00Z",
    }
    IssueBody.model_validate(good)
    with pytest.raises(ValidationError):
        IssueBody.model_validate({**good, **change})


def test_status_bodies_name_their_words() -> None:
    with pytest.raises(ValidationError):
        StatusChangeBody.model_validate({"status": "gone", "reason": "correction"})
    with pytest.raises(ValidationError):
        StatusChangeBody.model_validate({"status": "valid", "reason": "mood"})
