"""The refusals of trust_registry: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations


class TrustRegistryError(Exception):
    """Root of everything that trust_registry refuses."""
