"""The log over HTTP: what is called immutable never changes, so nothing is served that no checkpoint covers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from keys.algorithms import EDDSA
from keys.envelopes.signed_note import merged_note, sign_note
from keys.signer import EphemeralSigner
from trust_registry.log.checkpoint import Checkpoint
from trust_registry.log.routes import log_router
from trust_registry.log.writer import append

ORIGIN = "registry.test/trust/log"
SIGNER = EphemeralSigner.generate(EDDSA)


def publish(folder: Path, size: int, root_hash: bytes) -> None:
    text = Checkpoint(ORIGIN, size, root_hash).text
    (folder / "checkpoint").write_bytes(merged_note(text, [sign_note(text, ORIGIN, SIGNER)]).to_bytes())


@pytest.fixture
def web(tmp_path: Path) -> TestClient:
    application = FastAPI()
    application.include_router(log_router(tmp_path))
    return TestClient(application)


def served(web: TestClient, *paths: str) -> list[int]:
    answers = [web.get(f"/trust/log/{path}") for path in paths]
    for answer in answers:
        immutable = "immutable" in answer.headers["cache-control"]
        assert immutable is (answer.status_code == 200)
    return [answer.status_code for answer in answers]


def test_an_append_that_no_checkpoint_covers_is_not_served(tmp_path: Path, web: TestClient) -> None:
    tree = append(tmp_path, 0, [b"entry %d" % number for number in range(3)])
    assert served(web, "tile/0/000.p/3", "tile/entries/000.p/3") == [404, 404]
    publish(tmp_path, tree.size, tree.root_hash)
    append(tmp_path, tree.size, [b"written, and perhaps written over"])
    assert served(web, "tile/0/000.p/3", "tile/entries/000.p/3") == [200, 200]
    assert served(web, "tile/0/000.p/4", "tile/entries/000.p/4") == [404, 404]


def test_full_tiles_are_served_once_the_tree_has_them(tmp_path: Path, web: TestClient) -> None:
    first = append(tmp_path, 0, [b"entry %d" % number for number in range(250)])
    publish(tmp_path, first.size, first.root_hash)
    paths = ("tile/0/000.p/250", "tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/0/001.p/44")
    second = append(tmp_path, 250, [b"entry %d" % number for number in range(250, 300)])
    assert served(web, *paths) == [200, 404, 404, 404, 404]
    publish(tmp_path, second.size, second.root_hash)
    assert served(web, *paths) == [200] * 5
    assert served(web, "tile/0/000.p/000", "tile/0/x001/000", "tile/63/000", "tile/0/000.p/256") == [404] * 4


def test_a_checkpoint_that_cant_be_read_covers_nothing(tmp_path: Path, web: TestClient) -> None:
    tree = append(tmp_path, 0, [b"entry"])
    publish(tmp_path, tree.size, tree.root_hash)
    (tmp_path / "checkpoint").write_bytes(b"damaged")
    assert served(web, "tile/0/000.p/1") == [404]
