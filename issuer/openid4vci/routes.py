"""Every endpoint of the protocol: the authorization server's and the credential issuer's."""

from __future__ import annotations

from fastapi import APIRouter

from issuer.openid4vci.as_routes import as_router
from issuer.openid4vci.credential_routes import credential_router
from issuer.openid4vci.service import Openid4vci
from trust_registry.edges import Edge


def router(service: Openid4vci, edge: Edge) -> APIRouter:
    """All endpoints, below each tenant's identifier and the well-known paths."""
    routes = APIRouter()
    routes.include_router(as_router(service, edge))
    routes.include_router(credential_router(service))
    return routes
