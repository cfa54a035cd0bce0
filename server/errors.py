"""The refusals of server: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations


class ServerError(Exception):
    """Root of everything that server refuses."""
