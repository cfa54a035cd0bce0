"""The refusals of issuer: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations


class IssuerError(Exception):
    """Root of everything that issuer refuses."""


class GlyphMissing(IssuerError):
    """The bundled fonts can't set a character of this claim (rare name characters). Names the claim, not its value."""

    def __init__(self, claim: str) -> None:
        super().__init__(f"claim {claim!r} has a character that the document fonts lack")
        self.claim = claim


class SealImageUnfit(IssuerError):
    """This name or code can't be set on a round seal."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
