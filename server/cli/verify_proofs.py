"""`yinxin verify --proof FILE`: receipts and case files that prove since when the evidence exists. Judges nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from verifier.model import ProofOfExistence
    from verifier.service import PolicyRequest, VerifierService

_HINT = "--proof"


def proofs_from_files(
    paths: Iterable[Path], service: VerifierService, request: PolicyRequest
) -> tuple[ProofOfExistence, ...]:
    """What the files prove. Raises: typer.BadParameter naming the file that proves nothing: passed over, it would seem
    to have counted."""
    from verifier.archives.reading import MAX_CASE

    found: list[ProofOfExistence] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_CASE + 1)
        except OSError as err:
            raise typer.BadParameter(f"{path}: {err.strerror}", param_hint=_HINT) from err
        proofs = service.proofs_from(data, request)
        if not proofs:
            raise typer.BadParameter(
                f"{path}: proves nothing here: a receipt or case file is needed that is whole, by somebody whom the "
                f"trust data name (look at it with: yinxin verify {path})",
                param_hint=_HINT,
            )
        found += proofs
    return tuple(found)


def tell_unused(proofs: Iterable[ProofOfExistence], judged: set[str]) -> None:
    """On standard error: a proof that is about none of what was judged, by digest, has changed nothing."""
    for proof in proofs:
        if proof.digest not in judged:
            sys.stderr.write(f"yinxin: a --proof is about another file ({proof.digest[:20]}...): it changed nothing\n")
