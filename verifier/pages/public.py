"""The public page: anybody checks any certificate, without signing in. Nothing that is handed in is kept or logged."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from trust_registry.edges import Edge
from trust_registry.model import ListKind, Names, RegionCode, RegionList, ScenarioId
from verifier.errors import InvalidRequest
from verifier.pages.intake import HandedIn, handed_in
from verifier.pages.signatures import beside
from verifier.pages.taking import AGAIN, FORMS, carry, handed_back, take, worth_taking
from verifier.pages.verdict import make_verdict
from verifier.service import PolicyRequest, VerifierService

_WRONG_RULES = Names("没有这个地区或事项，请重新选择。", "There is no such region or scenario; choose again.")


def router(service: VerifierService, edge: Edge) -> APIRouter:
    public = PublicPage(service, edge)
    pages = APIRouter()

    @pages.get("/verify")
    def form(request: Request) -> Response:
        return public.form(request)

    @pages.post("/verify")
    def judge(request: Request, given: HandedIn = Depends(handed_in)) -> Response:  # noqa: B008
        return public.judge(request, given)

    @pages.post("/verify/files")
    def files(request: Request, given: HandedIn = Depends(handed_in)) -> Response:  # noqa: B008
        return public.files(request, given)

    return pages


class PublicPage:
    """The form and the verdict."""

    def __init__(self, service: VerifierService, edge: Edge) -> None:
        self._service = service
        self._edge = edge

    def form(self, request: Request, problem: Names | None = None, rules: str = "") -> Response:
        view = self._service.trust
        context = {
            "camera": True,
            "regions": self._regions(),
            "rules": rules,
            "problem": problem,
            "trust_at": view.refreshed_at if view else None,
        }
        return self._edge.render(request, "verifier/public.html", context, status=422 if problem else 200)

    def judge(self, request: Request, given: HandedIn) -> Response:
        rules = given.fields.get("rules", "")
        evidence = given.evidence()
        if isinstance(evidence, Names):
            return self.form(request, evidence, rules)
        try:
            report = self._service.verify(evidence, _policy(rules))
        except InvalidRequest:
            return self.form(request, _WRONG_RULES)
        language = self._edge.language(request)
        context = {
            "verdict": make_verdict(report, self._service.trust, language, public=True),
            "beside": beside(evidence, report, self._service.trust, language),
            "carried": carry(evidence, report, "/verify/files", {"rules": rules}) if worth_taking(report) else None,
            "scenario": report.policy.scenario,
            "shown_at": None,
            "draft": None,
            "next_url": "/verify",
            "party": None,
            "public": True,
        }
        return self._edge.render(request, "verifier/verdict.html", context)

    def files(self, request: Request, given: HandedIn) -> Response:
        """A file of the verdict: judged anew from what the page carried."""
        rules, form = given.fields.get("rules", ""), given.fields.get("form", "pdf")
        evidence = handed_back(given)
        if isinstance(evidence, Names) or form not in FORMS:
            return self.form(request, evidence if isinstance(evidence, Names) else AGAIN, rules)
        try:
            made = take(self._service, evidence, _policy(rules), form=form, language=self._edge.language(request))
        except InvalidRequest:
            return self.form(request, _WRONG_RULES)
        return self.form(request, made, rules) if isinstance(made, Names) else made

    def _regions(self) -> list[RegionList]:
        view = self._service.trust
        lists = [each for code, each in view.lists.items() if code not in view.left] if view else []
        return sorted((each for each in lists if each.kind is ListKind.REGION), key=lambda each: each.code)


def _policy(rules: str) -> PolicyRequest:
    """`rules` is empty, a region's code, or a scenario's id."""
    if "/" in rules:
        return PolicyRequest(scenario=ScenarioId(rules))
    return PolicyRequest(accepting=RegionCode(rules)) if rules else PolicyRequest()
