"""The refusals of wallet_api: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations


class WalletError(Exception):
    """Root of everything that wallet_api refuses."""
