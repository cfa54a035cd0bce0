"""The pages of the protocol: those of the counter that asks. They are `verifier.pages.asking`."""

from __future__ import annotations

from fastapi import APIRouter

from trust_registry.edges import Edge
from verifier.openid4vp.service import Requests
from verifier.pages import asking


def router(service: Requests, edge: Edge) -> APIRouter:
    """What is below /counter/requests."""
    return asking.router(service, service.verifier, edge)
