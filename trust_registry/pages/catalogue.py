"""The catalogue as a foreign developer reads it: every certificate type with its names, claims, formats and documents.

Readable by anybody; shows and changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from starlette.routing import Match

from trust_registry.core import status_at
from trust_registry.mdoc_attestations import CORE, doc_type_of
from trust_registry.model import CertificateType, EntryStatus, IssuerEntry, Names, TypeId
from trust_registry.pages.frame import Frame
from trust_registry.type_documents import current_document
from trust_registry.type_metadata import TypeDocument, example_query, integrity, text_on, vct_of

Part = Annotated[str, Path(max_length=100)]
_WELL_KNOWN = "/.well-known/openid-credential-issuer/issuers/"
_INNERMOST = re.compile(r"\{\s*\"path\": \[[^]]*\]\s*\}|\[\s*\"[^][]*\"\s*\]")
_KINDS = {
    TypeDocument.VCT: Names("SD-JWT VC 类型元数据", "SD-JWT VC type metadata"),
    TypeDocument.MDOC: Names("mdoc 命名空间与数据元", "mdoc namespaces and elements"),
    TypeDocument.SCHEMA: Names("数据项的 JSON Schema", "JSON Schema of the claims"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One of a type's documents, where it lies for ever, and its integrity metadata."""

    names: Names
    path: str
    fixed: str
    integrity: str


@dataclass(frozen=True, slots=True)
class Office:
    """Who may issue it, and where its issuer metadata lies, if it issues to wallets here."""

    entry: IssuerEntry
    region: Names
    metadata: str | None


def router(frame: Frame) -> APIRouter:
    """/types and /types/<owner>/<slug>."""
    catalogue = Catalogue(frame)
    pages = APIRouter()
    pages.add_api_route("/types", catalogue.index, methods=["GET"])
    pages.add_api_route("/types/{owner}/{slug}", catalogue.type, methods=["GET"])
    return pages


class Catalogue:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def index(self, request: Request) -> Response:
        kinds = sorted(self._frame.view().types.values(), key=lambda each: each.id)
        return self._frame.page(request, "catalogue", types=kinds, vct_of=vct_of, text_on=text_on)

    def type(self, request: Request, owner: Part, slug: Part) -> Response:
        kind = self._frame.type_of(TypeId(f"{owner}/{slug}"))
        try:
            documents = [_listed(kind, each) for each in _KINDS]
        except ValueError as err:  # a name that no mdoc can have
            raise HTTPException(404) from err
        return self._frame.page(
            request,
            "catalogue_type",
            type=kind,
            vct=vct_of(kind.id),
            doctype=doc_type_of(kind.id),
            core=CORE,
            text_on=text_on,
            required=frozenset(kind.schema.get("required", ())),
            documents=documents,
            query=_shown(example_query(kind)),
            offices=list(self._offices(request, kind)),
        )

    def _offices(self, request: Request, kind: CertificateType) -> Iterator[Office]:
        view, at = self._frame.view(), self._frame.now()
        for region in view.lists.values():
            for issuer in region.attests:
                granted = any(
                    grant.type_id == kind.id and status_at(grant.history, at) is EntryStatus.GRANTED
                    for grant in issuer.grants
                )
                if granted and status_at(issuer.history, at) is EntryStatus.GRANTED:
                    yield Office(issuer, region.names, _served(request, _WELL_KNOWN + issuer.id))


def _shown(query: Mapping[str, Any]) -> str:
    """Indented, with a line for each claim."""
    return _INNERMOST.sub(lambda found: " ".join(found[0].split()), json.dumps(query, ensure_ascii=False, indent=2))


def _listed(kind: CertificateType, document: TypeDocument) -> Listed:
    made = current_document(kind, document)
    path = f"/types/{kind.id}/{document.value}"
    return Listed(_KINDS[document], path, f"{path}?v={made.digest}", integrity(made.content))


def _served(request: Request, path: str) -> str | None:
    """The path, if this process serves it."""
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return path if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes) else None
