"""The hosted wallet's OpenID side over JSON. Composes; each part has routes of its own."""

from __future__ import annotations

from fastapi import APIRouter

from trust_registry.edges import Edge
from wallet_api.openid import presenting_routes
from wallet_api.openid.collecting_routes import collecting_routes
from wallet_api.openid.service import OpenidWallet


def router(service: OpenidWallet, edge: Edge) -> APIRouter:
    """`/api/wallet/openid4vp`, `/api/wallet/openid4vci`."""
    routes = APIRouter()
    routes.include_router(presenting_routes.router(service.presenting, edge))
    routes.include_router(collecting_routes(service.collecting, edge))
    return routes
