"""What the tests with wallets of others share: a demonstration that runs, what its commands print, what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from issuer.model import RenderingKind
from issuer.openid4vci.offers import GrantType, Offer
from server.demo.anchors import write_anchors
from server.demo.offering import offer
from server.demo.requesting import DEFAULT_SCENARIO, Asking, ask, progress_to_json
from tests.interop.clients import HOW, Client, installed
from tests.running import DemoServer
from verifier.openid4vp.model import ClientIdPrefix, ResponseMode

MARRIAGE = "common/marriage-certificate"
SD_JWT = "common.marriage-certificate.sd_jwt_vc"
MDOC = "common.marriage-certificate.mdoc"
FORMATS = {SD_JWT: "dc+sd-jwt", MDOC: "mso_mdoc"}
BOTH = (RenderingKind.SD_JWT_VC, RenderingKind.MDOC)
PERMIT = "990200/residence-permit"
PERMIT_SD_JWT = "990200.residence-permit.sd_jwt_vc"
PATIENCE = 480.0  # seconds: a machine that is busy with other tests founds two regions slowly
HOLDER, CLERK, POLICE = "lin.xiao", "clerk.minzheng", "clerk.xichuan.gongan"


@dataclass
class Demo:
    """`yinxin demo`, and its three commands for testers, asked in this process to save the time of starting them."""

    server: DemoServer
    anchors: Path

    @property
    def url(self) -> str:
        return self.server.url

    def offer(
        self,
        type: str = MARRIAGE,
        kinds: Sequence[RenderingKind] = BOTH,
        *,
        grant: GrantType = "pre-authorized_code",
        with_pin: bool = False,
        approved: bool = True,
    ) -> Offer:
        """As `yinxin demo offer`."""
        return offer(self.server.data, type, kinds, grant=grant, with_pin=with_pin, approved=approved)

    @contextmanager
    def request(
        self, prefix: str = "x509_hash", mode: str = "direct_post.jwt", scenario: str = DEFAULT_SCENARIO
    ) -> Iterator[Asking]:
        """As `yinxin demo request`."""
        with ask(self.server.data, scenario, ClientIdPrefix(prefix), ResponseMode(mode)) as asking:
            yield asking

    def decide(self, **decision: str) -> None:
        """What a clerk of Xichuan's police answers the one wallet that waits."""
        with self.server.signed_in(POLICE) as clerk:
            undecided, *_ = clerk.get("/desk/wallet-requests").text.partition('<section class="section">')
            (waiting,) = re.findall(r'href="(/desk/wallet-requests/[^"]+)"', undecided)
            form = {"csrf_token": clerk.headers["X-CSRF-Token"], **decision}
            answer = clerk.post(waiting, data=form, follow_redirects=False)
            assert answer.status_code == 303, answer.text

    def revoke(self, certificate_id: str) -> None:
        with self.server.signed_in(CLERK) as clerk:
            body = {"status": "invalid", "reason": "issued_in_error"}
            answer = clerk.post(f"/api/issuer/certificates/{certificate_id}/status", json=body)
            assert answer.status_code == 200, answer.text


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """A demonstration of its own; skips by name where the clients are not installed."""
    if not installed():
        pytest.skip(HOW)
    server, anchors = DemoServer(folder / "demo"), folder / "anchors"
    try:
        server.start(within=PATIENCE)
        write_anchors(server.data, anchors)
        yield Demo(server, anchors)
    finally:
        server.stop()


def verdicts(asking: Asking) -> list[dict[str, Any]]:
    """What the counter sees once the answer is there."""
    ended = progress_to_json(asking.wait())
    assert ended["state"] == "answered", ended
    found: list[dict[str, Any]] = ended["verdicts"]
    return found


def codes(verdict: dict[str, Any]) -> dict[str, str]:
    """The findings of a verdict: outcome by code."""
    return {each["code"]: each["outcome"] for each in verdict["report"]["findings"]}


def collect(wallet: Client, offered: str, session: str = "collecting", count: int = 1, **options: Any) -> list[Any]:
    """Everything that an offer offers: `{format, credential}` each."""
    told = wallet.ask("collecting", session=session, offer=offered, **options)
    wallet.ask("token", session=session)
    return [
        {"format": FORMATS[configuration], "credential": each["credential"]}
        for configuration in told["offer"]["credential_configuration_ids"]
        for each in wallet.ask("credential", session=session, configuration=configuration, count=count)["response"][
            "credentials"
        ]
    ]


def present(wallet: Client, asking: Asking, held: Sequence[Any], *, post: bool = False, **options: Any) -> Any:
    """Answer a request from what is held."""
    wallet.ask("resolve", session="presenting", uri=asking.begun.uri, post=post)
    return wallet.ask("present", session="presenting", held=list(held), **options)


class _Form(HTMLParser):
    """The fields of a page's last form, as a browser sends them when nothing is changed."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.fields = {}
        name, kind = given.get("name"), given.get("type", "text")
        if tag == "input" and name and (kind not in {"checkbox", "radio"} or "checked" in given):
            self.fields[name] = given.get("value") or ""


def consent(citizen: httpx.Client, url: str, answer: str = "allow") -> str:
    """Open an authorization request as a signed-in citizen, answer the page, and return where the wallet is called."""
    page = citizen.get(url)
    assert page.status_code == 200, page.text[:500]
    form = _Form()
    form.feed(page.text)
    done = citizen.post(page.url, data={**form.fields, "answer": answer}, follow_redirects=False)
    assert done.status_code == 303, re.sub(r"<[^>]*>", "", done.text)[:500]
    return urljoin(str(page.url), done.headers["location"])
