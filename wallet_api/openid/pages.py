"""The hosted wallet's OpenID side in pages. Composes; each part has pages of its own."""

from __future__ import annotations

from fastapi import APIRouter

from trust_registry.edges import Edge
from wallet_api.openid import presenting_pages
from wallet_api.openid.collecting_pages import collecting_pages
from wallet_api.openid.service import OpenidWallet


def router(service: OpenidWallet, edge: Edge) -> APIRouter:
    """`/wallet/scan`, `/wallet/openid4vp`, `/wallet/collect`."""
    pages = APIRouter()
    pages.include_router(presenting_pages.router(service.presenting, service.wallet, edge))
    pages.include_router(collecting_pages(service.collecting, edge))
    return pages
