"""The log and the witnesses over HTTP: static files for everybody, `add-checkpoint` for logs.

No sign-in: a witness believes a log's signature and nothing else. Spec: C2SP tlog-tiles "APIs", tlog-witness.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from keys.errors import MalformedEnvelope
from trust_registry.log.checkpoint import parse_checkpoint
from trust_registry.log.tiles import WIDTH, tile_width
from trust_registry.log.witness import MAX_REQUEST, TEXT_TYPE
from trust_registry.log.witness_store import Witness

_TILE: Final = re.compile(r"tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x\d{3}/){0,6}\d{3}(?:\.p/\d{1,3})?", re.ASCII)
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def log_router(folder: Path, prefix: str = "/trust/log") -> APIRouter:
    """The log in `folder` as static files: the checkpoint is always asked for anew, tiles are kept for ever.

    What an append has written and no published checkpoint covers yet may still be written over: it is not there.
    """
    routes = APIRouter()

    def answer(path: str) -> Response:
        if path == "checkpoint":
            return _file(folder / path, TEXT_TYPE, "no-cache")
        if _TILE.fullmatch(path) and _covered(folder, path):
            return _file(folder / path, "application/octet-stream", _FOR_EVER)
        return _absent()

    routes.add_api_route(
        f"{prefix}/{{path:path}}", answer, methods=["GET", "HEAD"], include_in_schema=False, response_model=None
    )
    return routes


def witness_router(witnesses: Mapping[str, Witness]) -> APIRouter:
    """`/witness/<name>/add-checkpoint` and `/witness/<name>/<origin hash>/checkpoint`."""
    routes = APIRouter()

    async def add_checkpoint(name: str, request: Request) -> Response:
        witness = witnesses.get(name)
        if witness is None:
            return _absent()
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_REQUEST:
                return _text(400, b"the request is too large\n")
        found = await run_in_threadpool(witness.add_checkpoint, body)
        # named in full: a media type would be given a charset
        return Response(found.body, found.status, {"Cache-Control": "no-store", "Content-Type": found.content_type})

    def latest(name: str, log: str) -> Response:
        witness = witnesses.get(name)
        found = None if witness is None else witness.latest(log)
        return _absent() if found is None else _text(200, found)

    routes.add_api_route(
        "/witness/{name}/add-checkpoint", add_checkpoint, methods=["POST"], include_in_schema=False, response_model=None
    )
    routes.add_api_route(
        "/witness/{name}/{log}/checkpoint", latest, methods=["GET"], include_in_schema=False, response_model=None
    )
    return routes


def _covered(folder: Path, path: str) -> bool:
    """Whether the published checkpoint's tree has this tile, at least so wide."""
    level, _, place = path.removeprefix("tile/").partition("/")
    number, _, width = place.partition(".p/")
    try:
        size = parse_checkpoint((folder / "checkpoint").read_bytes()).checkpoint.size
    except (OSError, MalformedEnvelope):
        return False
    index = int(number.replace("x", "").replace("/", ""))
    return 0 < int(width or WIDTH) <= tile_width(0 if level == "entries" else int(level), index, size)


def _file(path: Path, kind: str, caching: str) -> Response:
    if not path.is_file():
        return _absent()
    headers = {"Cache-Control": caching, "Access-Control-Allow-Origin": "*"}
    return FileResponse(path, media_type=kind, headers=headers)


def _text(status: int, body: bytes) -> Response:
    return Response(body, status, {"Cache-Control": "no-cache"}, TEXT_TYPE)


def _absent() -> Response:
    return Response(status_code=404, headers={"Cache-Control": "no-store"})
