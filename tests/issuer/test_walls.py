"""Walls that types can't build: who may make what."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from pydantic import ValidationError

import issuer
from issuer.model import RenderingKind
from issuer.wire import IssueBody, StatusChangeBody

HOUSE = Path(issuer.__file__).parent.parent
ROOMS = ("keys", "trust_registry", "issuer", "verifier", "wallet_api", "server")


@cache
def modules() -> dict[str, list[ast.AST]]:
    """The nodes of every module of the house, by path from the repository: not of environments that lie there."""
    files = [file for room in ROOMS for file in sorted((HOUSE / room).rglob("*.py"))]
    return {file.relative_to(HOUSE).as_posix(): list(ast.walk(ast.parse(file.read_text("utf-8")))) for file in files}


def users_of(name: str) -> set[str]:
    """Modules that mention `name`."""
    return {
        file for file, nodes in modules().items() for node in nodes if isinstance(node, ast.Name) and node.id == name
    }


def called(name: str) -> set[str]:
    """Modules that call `name`."""
    calls = [(file, node) for file, nodes in modules().items() for node in nodes if isinstance(node, ast.Call)]
    return {file for file, node in calls if isinstance(node.func, ast.Name) and node.func.id == name}


def test_only_the_core_shows_the_clearance() -> None:
    assert users_of("CLEARANCE") == {"issuer/core.py", "issuer/model.py"}


def test_only_the_store_makes_a_recorded() -> None:
    assert called("Recorded") == {"issuer/store/recording.py", "issuer/store/certificates.py"}


def test_only_the_service_seals() -> None:
    assert users_of("seal_renderings") == {"issuer/service.py"}


def test_copies_are_cleared_recorded_and_sealed_in_one_place_each() -> None:
    assert called("ClearedCopies") == {"issuer/copy_rules.py"}
    assert called("RecordedCopies") == {"issuer/store/copies.py"}
    assert users_of("seal_copies") == {"issuer/copies.py"}


def test_media_types_of_renderings() -> None:
    assert {kind.media_type for kind in RenderingKind} == {
        "application/pdf",
        "application/dc+sd-jwt",
        "text/plain",
        "application/cbor",
    }


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
