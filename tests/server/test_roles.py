"""Who may reach what: one table of every route, deny by default. A new route that nobody put here fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from server.protection import OF_WALLETS as UNATTENDED
from tests.server.real_house import CIVIL_AFFAIRS, EAST, RealHouse, built

CITIZEN, COUNTER, CLERK, OFFICER, AUDITOR = (
    "lin.xiao",
    "counter.xichuan",
    "clerk.minzheng",
    "officer.xichuan",
    "auditor",
)
EVERYBODY = frozenset({CITIZEN, COUNTER, CLERK, OFFICER, AUDITOR})

# By what a path begins with, the longest first: who may reach it.
ALLOWED: dict[str, frozenset[str]] = {
    "GET /account": EVERYBODY,
    "POST /account/password": EVERYBODY,
    "GET /api/issuer/": frozenset({CLERK}),
    "POST /api/issuer/": frozenset({CLERK}),
    "GET /api/issuer/seal-uses": frozenset({CLERK, AUDITOR}),
    "GET /api/issuer/seal-log": frozenset({OFFICER, AUDITOR}),
    "GET /authority/seal-uses": frozenset({OFFICER, AUDITOR}),
    "GET /desk": frozenset({CLERK}),
    "POST /desk": frozenset({CLERK}),
    "POST /api/receipts": frozenset({COUNTER}),
    "POST /api/case-files": frozenset({COUNTER}),
    "GET /api/receipts/": frozenset({COUNTER, AUDITOR}),
    "GET /counter": frozenset({COUNTER}),
    "POST /counter": frozenset({COUNTER}),
    "POST /api/presentations/": frozenset({COUNTER}),
    "GET /api/wallet/": frozenset({CITIZEN}),
    "POST /api/wallet/": frozenset({CITIZEN}),
    "DELETE /api/wallet/": frozenset({CITIZEN}),
    "GET /registry/edit": frozenset({OFFICER}),
    "POST /registry/edit": frozenset({OFFICER}),
    "GET /registry/key": frozenset({OFFICER}),
    "POST /registry/proposals/": frozenset({OFFICER}),
    "POST /api/registry/proposals/": frozenset({OFFICER}),
    "GET /issuers/{region}/{office}/authorize/": frozenset({CITIZEN}),
    "POST /issuers/{region}/{office}/authorize/": frozenset({CITIZEN}),
    "GET /wallet": frozenset({CITIZEN}),
    "POST /wallet": frozenset({CITIZEN}),
}
OPEN = {
    *("GET /", "GET /language/{lang}", "GET /sign-in", "POST /sign-in", "POST /sign-out", "POST /oauth/token"),
    *(
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /openapi.json",
        "GET /.well-known/oauth-authorization-server",
    ),
    *(
        "POST /api/verify",
        "POST /api/verify/batch",
        "GET /verify",
        "POST /verify",
        "POST /verify/files",
        "GET /status/{inner:path}",
    ),
    *("GET /trust/metadata/{name}", "GET /trust/targets/{path:path}", "GET /trust/interchange/{name}"),
    *("POST /revocation/ocsp", "GET /revocation/ocsp/{request:path}", "GET /revocation/{code}.crl"),
    *("GET /trust/log/{path:path}", "POST /witness/{name}/add-checkpoint", "GET /witness/{name}/{log}/checkpoint"),
}
OPEN |= {f"{method} /trqp/{asked}" for method in ("POST", "OPTIONS") for asked in ("authorization", "recognition")}
# The OpenID4VCI endpoints: what they answer depends on codes and tokens, not on who is signed in.
OF_WALLETS = dict.fromkeys(
    ("par", "token", "challenge", "nonce", "credential", "deferred_credential", "notification"), "POST"
) | {"offers/{address}": "GET"}
OPEN |= {f"{how} /issuers/{{region}}/{{office}}/{end}" for end, m in OF_WALLETS.items() for how in (m, "OPTIONS")}
OPEN |= {f"{how} /openid4vp/requests/{{token}}" for how in ("GET", "POST", "OPTIONS")}
OPEN |= {f"{how} /openid4vp/responses/{{token}}" for how in ("POST", "OPTIONS")}
_WELL_KNOWN = ("openid-credential-issuer", "oauth-authorization-server")
OPEN |= {f"{m} /.well-known/{n}/issuers/{{region}}/{{office}}" for m in ("GET", "OPTIONS") for n in _WELL_KNOWN}
OPEN.add("GET /issuers/{region}/{office}/authorize")  # opens what a wallet pushed; who is asked must be signed in
OPEN_BELOW = ("GET /registry", "GET /api/registry/", "GET /types")  # signed lists, and what they say
MOUNTS = {"/static", "/trust"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def routes(found: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every (method, path) of an application, however its routers are nested."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes, prefix + getattr(route.include_context, "prefix", ""))
            continue
        for method in sorted(getattr(route, "methods", None) or {"MOUNT"}):
            if method != "HEAD":
                yield method, prefix + route.path


def all_routes(house: RealHouse) -> list[tuple[str, str]]:
    app: Any = house.app
    while not hasattr(app, "routes"):
        app = app._app
    return list(routes(app.routes))


def allowed_on(method: str, path: str) -> frozenset[str] | None:
    """The accounts that may reach it; None for everybody, signed in or not."""
    name = f"{method} {path}"
    if method == "MOUNT":
        assert path in MOUNTS, f"{path} is mounted, and nobody said for whom"
        return None
    fitting = [begin for begin in ALLOWED if name.startswith(begin)]
    if name in OPEN or (not fitting and name.startswith(OPEN_BELOW)):
        return None
    assert fitting, f"nobody said who may reach {name}"
    return ALLOWED[max(fitting, key=len)]


def ask(house: RealHouse, account: str | None, method: str, path: str) -> Any:
    client = house.client() if account is None else house.signed_in(account)
    filled = re.sub(r"\{[^}]*\}", "x", path)
    # a body that is whole, so that nothing but the role stands in the way
    body: dict[str, Any] = (
        {"content": b"junk", "headers": {"content-type": "text/plain"}}
        if path in ("/api/receipts", "/api/case-files")
        else {"json": {}}
    )
    given = body if method == "POST" else {}
    return client.request(method, filled, **given, follow_redirects=False)


def test_every_route_is_open_to_those_it_is_for_and_to_nobody_else(house: RealHouse) -> None:
    wrong = []
    found = all_routes(house)
    assert len(found) > 70
    for method, path in found:
        allowed = allowed_on(method, path)
        if allowed is None:
            continue
        for account in (None, *sorted(EVERYBODY)):
            status = ask(house, account, method, path).status_code
            refused = status == (401 if account is None else 403)
            if refused == (account in allowed) or status >= 500:
                wrong.append((method, path, account, status))
    assert wrong == []


def test_every_unsafe_request_of_a_session_needs_its_token(house: RealHouse) -> None:
    """CSRF: the cookie alone, as another site would send it, does nothing anywhere."""
    cookies = dict(house.signed_in(CLERK).cookies)
    tried = 0
    for method, path in all_routes(house):
        filled = re.sub(r"\{[^}]*\}", "x", path)
        if method in ("GET", "OPTIONS", "MOUNT") or UNATTENDED.fullmatch(filled):
            continue  # a wallet's endpoints look at no cookie: see test_protection
        client = house.client()
        client.cookies.update(cookies)
        for headers in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = client.request(method, filled, headers=headers, follow_redirects=False)
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:yinxin:problem:csrf"), (method, path)
            tried += 1
    assert tried > 50
    assert house.signed_in(CLERK).get("/api/issuer/certificates").status_code == 200  # not signed out either


def test_no_answer_to_somebody_signed_in_may_be_kept_by_a_cache(house: RealHouse) -> None:
    for method, path in all_routes(house):
        allowed = allowed_on(method, path)
        if method != "GET" or allowed is None:
            continue
        caching = ask(house, sorted(allowed)[0], method, path).headers["cache-control"]
        assert "no-store" in caching, (path, caching)


def test_what_another_office_issued_is_not_there_for_a_clerk(house: RealHouse) -> None:
    """IDOR: reading, taking out and revoking another office's certificate, through JSON and through pages."""
    listed = house.signed_in(CLERK).get("/api/issuer/certificates").json()["certificates"]
    theirs = next(each["certificate_id"] for each in listed if each["status"].upper() == "VALID")
    clerk = house.signed_in("clerk.gongan")
    change = {"status": "invalid", "reason": "issued_in_error"}
    paths = [f"/api/issuer/certificates/{theirs}{end}" for end in ("", "/status", "/renderings/pdf", "/renderings/qr")]
    paths += [f"/desk/certificates/{theirs}{end}" for end in ("", "/pdf", "/sd-jwt", "/status/invalid")]
    assert [clerk.get(path).status_code for path in paths] == [404] * len(paths)
    assert clerk.post(f"/api/issuer/certificates/{theirs}/status", json=change).status_code == 404
    form = {"reason": "issued_in_error", "when": "now", "step": "do"}
    assert clerk.post(f"/desk/certificates/{theirs}/status/invalid", data=form).status_code == 404
    seal = house.seal(CIVIL_AFFAIRS).id
    assert clerk.get("/api/issuer/seal-uses", params={"seal_id": seal}).status_code == 422
    assert clerk.get(f"/desk/seals/{seal}").status_code == 404
    after = house.signed_in(CLERK).get(f"/api/issuer/certificates/{theirs}").json()
    assert after["status"].upper() == "VALID"


def test_a_certificate_and_its_presentations_are_its_holders_alone(house: RealHouse) -> None:
    """IDOR: another citizen who has learnt every id, another agency, and the reader who comes second."""
    mine, other = house.signed_in(CITIZEN), house.signed_in("zhou.yuan")
    held = mine.get("/api/wallet/certificates").json()["certificates"][0]
    shown = mine.post("/api/wallet/presentations", json={"certificate_id": held["certificate_id"]}).json()
    ids = (f"/wallet/c/{held['ref']}", f"/wallet/c/{held['ref']}/pdf", f"/wallet/c/{held['ref']}/seal.svg")
    assert [other.get(path).status_code for path in (*ids, f"/wallet/c/{held['ref']}/show")] == [404] * 4
    assert other.get(f"/wallet/p/{shown['id']}").status_code == 404
    path = f"/api/wallet/presentations/{shown['id']}"
    assert (other.get(path).status_code, other.delete(path).status_code) == (404, 404)
    assert other.post(f"{path}/renewal").status_code == 404
    asked = {"certificate_id": held["certificate_id"]}
    if held["certificate_id"] not in {
        c["certificate_id"] for c in other.get("/api/wallet/certificates").json()["certificates"]
    }:
        assert other.post("/api/wallet/presentations", json=asked).status_code == 404
    assert mine.get(path).json()["state"] == "waiting"
    counter = house.signed_in(COUNTER)
    for_another = {
        "code": shown["code"],
        "scenario_id": next(id_ for id_ in house.view.scenarios if id_.startswith(EAST)),
    }
    assert counter.post("/api/presentations/read", json=for_another).status_code == 403
    assert mine.get(path).json()["state"] == "waiting"
    read = counter.post("/api/presentations/read", json={"code": shown["code"]})
    assert read.status_code == 200, read.text
    verdict = house.signed_in("counter.dongling").post(
        f"/api/presentations/{shown['id']}/verdict", json={"verdict": "PASSED"}
    )
    assert verdict.status_code == 404


def test_a_receipt_is_its_agencys_alone(house: RealHouse) -> None:
    own, other = house.signed_in(COUNTER), house.signed_in("counter.dongling")
    headers = {"content-type": "text/plain"}
    filed = own.post("/api/receipts", content=house.sample("marriage.qr.txt"), headers=headers)
    assert filed.status_code == 201, filed.text
    receipt = filed.json()["id"]
    paths = [f"/api/receipts/{receipt}", f"/counter/receipts/{receipt}", f"/counter/receipts/{receipt}/file"]
    assert [other.get(path).status_code for path in paths] == [404] * 3
    assert [own.get(path).status_code for path in paths] == [200] * 3
    draft = filed.json()["receipt"]
    assert other.post("/counter/receipts", data={"draft": draft}).status_code == 422


def test_an_image_that_a_region_drew_can_do_nothing(house: RealHouse) -> None:
    """The attack: a seal image with a script or a form, opened by itself, on our own origin."""
    digest = house.seal(CIVIL_AFFAIRS).image_digest.removeprefix("sha256:")
    held = house.signed_in(CITIZEN).get("/api/wallet/certificates").json()["certificates"][0]
    for answer in (
        house.client().get(f"/registry/seals/{digest}.svg"),
        house.signed_in(CITIZEN).get(f"/wallet/c/{held['ref']}/seal.svg"),
    ):
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script-src" not in policy
