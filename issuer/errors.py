"""The refusals of issuer: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations


class IssuerError(Exception):
    """Root of everything that issuer refuses."""
