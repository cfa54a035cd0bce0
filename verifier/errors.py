"""The refusals of verifier: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations


class VerifierError(Exception):
    """Root of everything that verifier refuses."""
