"""Sign-in through a real OpenID Connect provider from npm, on the loopback: the whole walk, and attacks on it.

Skipped by name where node or npm is missing. Spec: OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from server.app import create_app
from server.clock import utc_now
from server.errors import OidcRefused
from server.house import House
from server.oidc import OidcSignIn
from server.oidc_settings import OidcSettings
from server.sign_in import SignIn
from tests.server.conftest import ORIGIN, Browser, Clock, Place, make_place
from trust_registry.edges import HolderId, Role

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("npm")]

FOLDER = Path(__file__).parent / "openid_provider"
CALLBACK = f"{ORIGIN}/sign-in/openid/callback"
PEOPLE = {
    "clerk": {"name": "李签发", "roles": ["desk"], "yinxin_region": "990100", "yinxin_issuer": "990100/civil-affairs"},
    "counter": {"name": "赵窗口", "roles": ["window"], "yinxin_relying_party": "990200/government-hall"},
    "officer": {"name": "韩登记", "roles": ["officer"], "yinxin_region": "990100"},
    "auditor": {"name": "审计", "realm_access": {"roles": ["audit"]}},
    "citizen": {"name": "林晓", "roles": ["person"], "identity_number": "990102199205181249"},
    "nobody": {"name": "路人", "roles": ["gardener"]},
}
ROLE_MAP = {
    "desk": Role.ISSUING_CLERK,
    "window": Role.COUNTER_CLERK,
    "officer": Role.REGISTRY_OFFICER,
    "audit": Role.AUDITOR,
    "person": Role.CITIZEN,
}


@pytest.fixture(scope="session")
def provider() -> Iterator[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("oidc-provider needs node and npm: apt-get install nodejs npm")
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes, one installation
        if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
            install = [npm, "ci", "--no-audit", "--no-fund"]
            done = subprocess.run(install, cwd=FOLDER, capture_output=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"oidc-provider could not be installed: npm ci in {FOLDER.relative_to(FOLDER.parents[2])}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [node, "provider.mjs", str(port), CALLBACK, json.dumps(PEOPLE)]
    process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "listening"
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=20)
    process.stdout.close()


class World:
    """Our house, wired to the provider."""

    def __init__(self, issuer: str, **settings: Any) -> None:
        self.place: Place = make_place()
        chosen = OidcSettings(
            issuer=issuer,
            **{
                "client_id": "yinxin",
                "client_secret": SecretStr("a-secret-of-sufficient-length"),
                "role_map": ROLE_MAP,
                **settings,
            },
        )
        self.clock = Clock(utc_now())  # the provider lives in real time
        self.place.accounts._now = self.clock
        holders = {"990102199205181249": HolderId("holder-of-lin")}
        self.oidc = OidcSignIn(chosen, self.place.accounts, self.clock, redirect_uri=CALLBACK, holder_of=holders.get)
        house: House = self.place.app.state.house
        sign_in = SignIn(self.place.accounts, self.place.access, self.place.metrics, self.oidc, local=False)
        self.place.app = create_app(House(**{**house.__dict__, "sign_in": sign_in, "metrics": None}))

    def browser(self) -> Browser:
        return self.place.browser()

    def begin(self, browser: Browser, next_path: str = "/") -> str:
        answer = browser.client.get(f"/sign-in/openid?next={next_path}", follow_redirects=False)
        assert answer.status_code == 303
        return str(answer.headers["location"])

    def sign_in(self, person: str, next_path: str = "/") -> tuple[Browser, Any]:
        browser = self.browser()
        back = walk(self.begin(browser, next_path), person)
        return browser, browser.client.get(back, headers=browser.headers, follow_redirects=False)


def walk(url: str, person: str) -> str:
    """What a person does at the provider: sign in, consent. Returns where the provider sends the browser back to."""
    with httpx.Client(trust_env=False) as client:
        answer = client.get(url)
        for _ in range(20):
            if answer.is_redirect:
                target = str(answer.headers["location"])
                if target.startswith(ORIGIN):
                    return target
                answer = client.get(httpx.URL(url).join(target))
                continue
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action is not None, answer.text[:500]
            assert prompt is not None
            form = {"prompt": prompt[1], "login": person, "password": "any"}
            answer = client.post(httpx.URL(url).join(action[1]), data=form)
    raise AssertionError("the provider never sent the browser back")


@pytest.fixture
def world(provider: str) -> World:
    return World(provider)


@pytest.mark.parametrize(
    ("person", "role", "home"),
    [
        ("clerk", Role.ISSUING_CLERK, "/desk"),
        ("counter", Role.COUNTER_CLERK, "/counter"),
        ("officer", Role.REGISTRY_OFFICER, "/registry"),
        ("citizen", Role.CITIZEN, "/wallet"),
    ],
)
def test_everybody_signs_in_through_the_provider(world: World, person: str, role: Role, home: str) -> None:
    browser, answer = world.sign_in(person)
    assert (answer.status_code, answer.headers["location"]) == (303, home)
    session = world.place.accounts.session(browser.client.cookies["yinxin"])
    assert session is not None
    assert session.principal.roles == {role}
    assert session.principal.display_name == PEOPLE[person]["name"]


def test_claims_say_for_whom_one_acts(world: World) -> None:
    browser, _ = world.sign_in("clerk")
    session = world.place.accounts.session(browser.client.cookies["yinxin"])
    assert session is not None
    assert session.principal.region == "990100"
    assert session.principal.issuer_id == "990100/civil-affairs"


def test_a_citizens_number_finds_the_holder_and_is_not_kept(world: World) -> None:
    browser, _ = world.sign_in("citizen")
    session = world.place.accounts.session(browser.client.cookies["yinxin"])
    assert session is not None
    assert session.principal.holder_id == "holder-of-lin"
    connection = world.place.accounts.store.engine.raw_connection()
    assert "990102199205181249" not in "\n".join(connection.iterdump())  # type: ignore[attr-defined]
    connection.close()


def test_nested_claim_names_roles(provider: str) -> None:
    world = World(provider, roles_claim="realm_access.roles")
    browser, _ = world.sign_in("auditor")
    session = world.place.accounts.session(browser.client.cookies["yinxin"])
    assert session is not None
    assert session.principal.roles == {Role.AUDITOR}


def test_public_client_with_rsa_signed_tokens(provider: str) -> None:
    world = World(provider, client_id="yinxin-public", client_secret=None)
    _, answer = world.sign_in("clerk")
    assert answer.status_code == 303


def test_second_sign_in_finds_the_same_account(world: World) -> None:
    world.sign_in("clerk")
    world.sign_in("clerk")
    assert len([a for a in world.place.accounts.store.accounts() if a.subject is not None]) == 1


def test_next_survives_the_walk(world: World) -> None:
    assert world.sign_in("clerk", "/desk/seals")[1].headers["location"] == "/desk/seals"


def test_person_without_a_role_here_is_refused(world: World) -> None:
    browser, answer = world.sign_in("nobody")
    assert answer.status_code == 403
    assert "yinxin" not in browser.client.cookies


def test_closed_account_is_refused(world: World) -> None:
    world.sign_in("clerk")
    account = next(a for a in world.place.accounts.store.accounts() if a.subject is not None)
    world.place.accounts.disable(account)
    assert world.sign_in("clerk")[1].status_code == 403


def test_request_uses_pkce_state_and_nonce(world: World) -> None:
    query = parse_qs(urlsplit(world.begin(world.browser())).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert len(query["state"][0]) >= 43
    assert len(query["nonce"][0]) >= 43
    assert query["redirect_uri"] == [CALLBACK]


def test_login_csrf_answer_in_another_browser_is_refused(world: World) -> None:
    """The attacker's own code, handed to a victim, must not sign the victim in as the attacker."""
    attacker, victim = world.browser(), world.browser()
    back = walk(world.begin(attacker), "clerk")
    victim.client.get("/sign-in", headers=victim.headers)
    assert victim.client.get(back, follow_redirects=False).status_code == 403


def test_replayed_answer_is_refused(world: World) -> None:
    browser = world.browser()
    back = walk(world.begin(browser), "clerk")
    assert browser.client.get(back, follow_redirects=False).status_code == 303
    assert browser.client.get(back, follow_redirects=False).status_code == 403


def test_late_answer_is_refused(world: World) -> None:
    browser = world.browser()
    back = walk(world.begin(browser), "clerk")
    world.clock.forward(minutes=11)
    assert browser.client.get(back, follow_redirects=False).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?state=made-up&code=made-up",
        "?error=access_denied",
    ],
)
def test_answer_that_nobody_asked_for_is_refused(world: World, query: str) -> None:
    assert world.browser().client.get(f"/sign-in/openid/callback{query}").status_code == 403


def test_mix_up_answer_of_another_provider_is_refused(world: World) -> None:
    browser = world.browser()
    back = walk(world.begin(browser), "clerk")
    forged = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", back)
    assert forged != back
    assert browser.client.get(forged, follow_redirects=False).status_code == 403


def test_code_of_another_sign_in_is_refused_by_pkce(world: World) -> None:
    first, second = world.browser(), world.browser()
    one, two = walk(world.begin(first), "clerk"), walk(world.begin(second), "counter")
    code = parse_qs(urlsplit(two).query)["code"][0]
    swapped = re.sub(r"code=[^&]+", f"code={code}", one)
    assert first.client.get(swapped, follow_redirects=False).status_code == 403


def test_wrong_nonce_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = world.browser()
    back = walk(world.begin(browser), "clerk")
    taken = world.place.accounts.store.take_pending

    def other_nonce(digest: bytes) -> Any:
        found = taken(digest)
        assert found is not None
        return replace(found, nonce="another")

    monkeypatch.setattr(type(world.place.accounts.store), "take_pending", lambda _, digest: other_nonce(digest))
    assert browser.client.get(back, follow_redirects=False).status_code == 403


def test_expired_id_token_is_refused(world: World) -> None:
    """A house whose clock is two hours ahead sees the id token as long expired."""
    browser = world.browser()
    world.clock.forward(hours=2)
    back = walk(world.begin(browser), "clerk")
    assert browser.client.get(back, follow_redirects=False).status_code == 403


def test_metadata_of_another_issuer_is_refused(provider: str) -> None:
    world = World(provider.replace("127.0.0.1", "localhost"))
    with pytest.raises(OidcRefused):
        world.oidc.begin("browser", "/")


def test_provider_that_is_down_is_told_on_the_page() -> None:
    world = World("http://127.0.0.1:1")
    answer = world.browser().client.get("/sign-in/openid", headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "统一身份认证没有成功" in answer.text


def test_local_passwords_can_be_switched_off(world: World) -> None:
    browser = world.browser()
    page = browser.client.get("/sign-in", headers=browser.headers)
    assert "用OpenID登录" in page.text
    assert browser.sign_in("li").status_code == 405
