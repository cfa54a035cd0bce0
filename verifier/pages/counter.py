"""The counter: choose the scenario once, scan, read the verdict, file it, scan the next. Claims are never kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Request, Response

from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import Names, RegionCode, RelyingPartyEntry, RelyingPartyId, Scenario, ScenarioId, TrustView
from verifier.errors import InvalidRequest, PresentationRefused
from verifier.evidence import ONE_TIME_PREFIX
from verifier.model import Report
from verifier.pages.intake import HandedIn, handed_in
from verifier.pages.signatures import beside
from verifier.pages.taking import AGAIN, FORMS, Carried, carry, handed_back, take, worth_taking
from verifier.pages.verdict import make_verdict
from verifier.service import PolicyRequest, VerifierService

COOKIE = "counter_scenario"
YEAR = 365 * 24 * 3600
Remembered = Annotated[str, Cookie(alias=COOKIE, max_length=200)]
_NOT_HERE = Names("这里不能读取亮证码。", "One-time codes can't be read here.")
_NOT_HERE_NEXT = Names("请改扫证照上印刷的二维码，或上传 PDF。", "Scan the printed code instead, or upload the PDF.")


def router(service: VerifierService, edge: Edge) -> APIRouter:
    counter = Counter(service, edge)
    pages = APIRouter()
    clerk = Depends(edge.require(Role.COUNTER_CLERK))

    @pages.get("/counter")
    def scan(
        request: Request,
        principal: Principal = clerk,
        scenario: str = "",
        kept: Remembered = "",
    ) -> Response:
        return counter.scan(request, principal, scenario or kept)

    @pages.post("/counter")
    def judge(
        request: Request,
        principal: Principal = clerk,
        given: HandedIn = Depends(handed_in),  # noqa: B008
    ) -> Response:
        return counter.judge(request, principal, given)

    @pages.post("/counter/files")
    def files(
        request: Request,
        principal: Principal = clerk,
        given: HandedIn = Depends(handed_in),  # noqa: B008
    ) -> Response:
        return counter.files(request, principal, given)

    return pages


class Counter:
    """The counter's two pages: the scanner and the verdict."""

    def __init__(self, service: VerifierService, edge: Edge) -> None:
        self._service = service
        self._edge = edge

    def scan(self, request: Request, clerk: Principal, wanted: str, problem: Names | None = None) -> Response:
        view = self._service.trust
        scenarios = scenarios_of(view, clerk)
        chosen = _chosen(scenarios, wanted)
        asks = self._service.asks_wallets
        response = self._page(
            request,
            clerk,
            "scan",
            chosen,
            status=422 if problem else 200,
            scenarios=scenarios,
            problem=problem,
            one_time_codes=self._service.presentations is not None,
            asks_wallets=asks is not None and asks(clerk.relying_party_id),
        )
        if chosen is not None and wanted == chosen.id:
            self._remember(request, response, chosen)
        return response

    def judge(self, request: Request, clerk: Principal, given: HandedIn) -> Response:
        """The verdict is the answer to this very request: a redirect would have to keep the claims somewhere."""
        wanted = given.fields.get("scenario", "")
        evidence = given.evidence()
        if isinstance(evidence, Names):
            return self.scan(request, clerk, wanted, evidence)
        chosen = _chosen(scenarios_of(self._service.trust, clerk), wanted)
        try:
            if isinstance(evidence, str) and evidence.upper().startswith(ONE_TIME_PREFIX):
                response = self._judge_shown(request, clerk, evidence, chosen)
            else:
                response = self._verdict(request, clerk, evidence, chosen)
        except PresentationRefused as err:
            words = {"words": err.words, "next_step": err.next_step}
            response = self._page(request, clerk, "not_read", chosen, status=409, **words)
        except InvalidRequest:
            return self.scan(request, clerk, "", Names("请先选择事项。", "Choose the scenario first."))
        if chosen is not None:
            self._remember(request, response, chosen)
        return response

    def _judge_shown(self, request: Request, clerk: Principal, code: str, chosen: Scenario | None) -> Response:
        reader = self._service.presentations
        if reader is None:
            raise PresentationRefused("NotOffered", _NOT_HERE, _NOT_HERE_NEXT)
        shown = reader.read(code, clerk, chosen.id if chosen else None)
        view = self._service.trust
        agreed = view.scenarios.get(shown.scenario) if view and shown.scenario else chosen
        return self._verdict(request, clerk, shown.sd_jwt, agreed, reference=shown.reference)

    def _verdict(
        self,
        request: Request,
        clerk: Principal,
        evidence: bytes | str,
        chosen: Scenario | None,
        reference: str | None = None,
    ) -> Response:
        report = self._service.verify(evidence, _policy(clerk, chosen))
        if reference is not None and self._service.presentations is not None:
            self._service.presentations.tell_verdict(reference, report.indication.value, clerk)
        party = clerk.relying_party_id
        draft = None
        if party is not None and self._service.offers_receipts(party):
            draft = self._service.draft_receipt(report, party)
        language = self._edge.language(request)
        wanted = {"scenario": chosen.id if chosen else ""}
        return self._page(
            request,
            clerk,
            "verdict",
            chosen,
            verdict=make_verdict(report, self._service.trust, language),
            beside=beside(evidence, report, self._service.trust, language),
            carried=self._carried(evidence, report, wanted, party),
            shown_at=report.judged_at if reference is not None else None,
            draft=draft,
            next_url="/counter",
        )

    def _carried(
        self, evidence: bytes | str, report: Report, wanted: Mapping[str, str], party: RelyingPartyId | None
    ) -> Carried | None:
        case = party is not None and self._service.offers_case_files
        return carry(evidence, report, "/counter/files", wanted, case=case) if worth_taking(report) else None

    def files(self, request: Request, clerk: Principal, given: HandedIn) -> Response:
        """A file of the verdict: judged anew from what the page carried."""
        wanted, form = given.fields.get("scenario", ""), given.fields.get("form", "pdf")
        evidence = handed_back(given)
        if isinstance(evidence, Names) or form not in FORMS:
            return self.scan(request, clerk, wanted, evidence if isinstance(evidence, Names) else AGAIN)
        view = self._service.trust
        agreed = None if view is None else view.scenarios.get(ScenarioId(wanted))
        party = party_of(view, clerk)
        names = party.names if party else None
        try:
            language = self._edge.language(request)
            made = take(
                self._service,
                evidence,
                _policy(clerk, agreed),
                form=form,
                language=language,
                party=names,
                relying_party=clerk.relying_party_id,
            )
        except InvalidRequest:
            return self.scan(request, clerk, "", Names("请先选择事项。", "Choose the scenario first."))
        return self.scan(request, clerk, wanted, made) if isinstance(made, Names) else made

    def _page(
        self,
        request: Request,
        clerk: Principal,
        name: str,
        scenario: Scenario | None,
        *,
        status: int = 200,
        **more: Any,
    ) -> Response:
        view = self._service.trust
        party = party_of(view, clerk)
        context = {
            "party": party.names if party else None,
            "scenario": scenario,
            "trust_at": view.refreshed_at if view else None,
            "camera": name == "scan",
            **more,
        }
        return self._edge.render(request, f"verifier/{name}.html", context, status=status)

    def _remember(self, request: Request, response: Response, scenario: Scenario) -> None:
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, scenario.id, max_age=YEAR, path="/counter", httponly=True, samesite="strict", secure=secure
        )


def _policy(clerk: Principal, scenario: Scenario | None) -> PolicyRequest:
    if scenario is not None:
        return PolicyRequest(scenario=ScenarioId(scenario.id))
    region = clerk.region or (RegionCode(clerk.relying_party_id.partition("/")[0]) if clerk.relying_party_id else None)
    return PolicyRequest(accepting=region)


def party_of(view: TrustView | None, clerk: Principal) -> RelyingPartyEntry | None:
    if view is None or clerk.relying_party_id is None:
        return None
    listed = view.lists.get(RegionCode(clerk.relying_party_id.partition("/")[0]))
    parties = listed.relying_parties if listed else ()
    return next((party for party in parties if party.id == clerk.relying_party_id), None)


def scenarios_of(view: TrustView | None, clerk: Principal) -> list[Scenario]:
    """Those for which the clerk's relying party is registered."""
    party = party_of(view, clerk)
    if view is None or party is None:
        return []
    return [view.scenarios[each] for each in party.scenarios if each in view.scenarios]


def _chosen(scenarios: list[Scenario], wanted: str) -> Scenario | None:
    """The wanted one; without a choice to make, the only one."""
    if len(scenarios) == 1:
        return scenarios[0]
    return next((scenario for scenario in scenarios if scenario.id == wanted), None)
