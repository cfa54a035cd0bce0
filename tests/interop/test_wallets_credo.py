"""Credo, a whole wallet that others wrote, collects from us and presents to us; and as issuer and verifier it meets our
hosted wallet, whose keys are held outside the server as a browser holds them.

docs/interop.md says which clause each test proves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.clients import Client
from tests.interop.hosted import Hosted, hosted
from tests.interop.wallets import HOLDER, MDOC, SD_JWT, Demo, codes, running, verdicts

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600), pytest.mark.xdist_group("credo")]
CARD, CARD_MDOC = "https://library.example/card", "org.example.library.card.1"
MARRIAGE, MARRIAGE_MDOC = "urn:yinxin:type:common/marriage-certificate", "org.yinxin.common.marriage-certificate.1"
CORE = "org.yinxin.certificate.1"
MODES = pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
PREFIXES = pytest.mark.parametrize("prefix", ["x509_hash", "x509_san_dns"])


def sd_jwt_query(vct: str, *claims: str) -> Any:
    asked = {"vct_values": [vct]}
    return {"credentials": [query("dc+sd-jwt", asked, [[each] for each in claims])]}


def mdoc_query(doctype: str, *elements: tuple[str, str]) -> Any:
    return {"credentials": [query("mso_mdoc", {"doctype_value": doctype}, [list(each) for each in elements])]}


def query(form: str, meta: Any, paths: list[list[str]]) -> Any:
    return {"id": "shown", "format": form, "meta": meta, "claims": [{"path": each} for each in paths]}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("credo")) as found:
        yield found


@pytest.fixture(scope="module")
def credo(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client("credo.mjs", tmp_path_factory.mktemp("client")) as client:
        client.ask("begin", folder=str(demo.anchors))
        yield client


@pytest.fixture(scope="module")
def collected(demo: Demo, credo: Client) -> Any:
    """Two copies in each format, in Credo's storage."""
    return credo.ask("collect", offer=demo.offer().by_reference, count=2)


@pytest.fixture(scope="module")
def browser(demo: Demo) -> Iterator[Hosted]:
    with hosted(demo.server, HOLDER) as found:
        yield found


@pytest.fixture(scope="module")
def card(credo: Client, browser: Hosted) -> Any:
    """A library's card in the hosted wallet, in both formats, collected with a transaction code."""
    return browser.collect(**credo.ask("offer", pin=True))


def test_credo_collects_and_believes_both_formats(collected: Any) -> None:
    """OpenID4VCI 1.0 sections 4, 6, 7, 8; RFC 9449: Credo verifies signature, chain, status, digests and its keys."""
    assert collected["dpop"]
    assert [(each["type"], each["count"], each["configuration"]) for each in collected["collected"]] == [
        ("SdJwtVcRecord", 2, SD_JWT),
        ("MdocRecord", 2, MDOC),
    ]
    assert all(each["notification"] for each in collected["collected"])


def test_credo_collects_all_at_once_with_a_transaction_code(demo: Demo, credo: Client) -> None:
    """OpenID4VCI 1.0 sections 6.1 and 8.3: the second proof has the nonce of the first response."""
    made = demo.offer(with_pin=True)
    assert len(credo.ask("collect", offer=made.by_value, pin=made.tx_code, together=True)["collected"]) == 2


@MODES
@PREFIXES
@pytest.mark.parametrize("form", ["sd-jwt", "mdoc"])
def test_credo_presents_and_passes(
    demo: Demo, credo: Client, collected: Any, form: str, prefix: str, mode: str
) -> None:
    """OpenID4VP 1.0 sections 5, 6, 8 and appendix B, with trusted authorities matched by Credo."""
    assert collected
    with demo.request(prefix, mode) as asking:
        sent = credo.ask("present", uri=asking.begun.uri, only=form)
        assert (sent["ok"], sent["status"], sent["prefix"]) == (True, 200, prefix), sent
        (verdict,) = verdicts(asking)
    assert verdict["indication"] == "PASSED", verdict["report"]
    assert [verdict["query_id"]] == sent["queries"]


def test_the_hosted_wallet_collects_from_credos_issuer(card: Any) -> None:
    """OpenID4VCI 1.0, the wallet's side: offer by reference, transaction code, DPoP, nonce, batches of five."""
    assert card["state"] == "done"
    assert [each["format"] for each in card["credentials"]] == ["dc+sd-jwt", "mso_mdoc"]
    assert len(card["kept"]) == 10
    assert card["issuer"]["registered"] is False, "nobody in this network vouches for a library"


@MODES
@PREFIXES
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (sd_jwt_query(CARD, "number"), {"number": "00042"}),
        (mdoc_query(CARD_MDOC, (CARD_MDOC, "number")), {CARD_MDOC: {"number": "00042"}}),
    ],
    ids=["dc+sd-jwt", "mso_mdoc"],
)
def test_the_hosted_wallet_shows_a_foreign_card_to_credos_verifier(
    credo: Client, browser: Hosted, card: Any, asked: Any, shown: Any, prefix: str, mode: str
) -> None:
    """OpenID4VP 1.0, the wallet's side: request object, DCQL, key binding, device signature, encryption."""
    assert card
    request = credo.ask("ask", query=asked, mode=mode, prefix=prefix)
    seen = browser.show(request["uri"])
    assert (seen["requester"]["standing"], seen["needs_confirmation"]) == ("unknown", True)
    told = credo.ask("told", session=request["session"])
    assert told["state"] == "ResponseVerified", told
    assert shown.items() <= told["shown"]["shown"].items()
    assert "member" not in str(told["shown"])


@pytest.mark.parametrize(
    "asked",
    [
        sd_jwt_query(MARRIAGE, "certificate_id", "holder_name"),
        mdoc_query(MARRIAGE_MDOC, (CORE, "certificate_id"), (MARRIAGE_MDOC, "holder_name")),
    ],
    ids=["dc+sd-jwt", "mso_mdoc"],
)
def test_the_hosted_wallet_shows_our_certificates_to_credos_verifier(
    credo: Client, browser: Hosted, asked: Any
) -> None:
    """As above, of a copy made for a key of the citizen's browser; Credo verifies chain and status, too."""
    request = credo.ask("ask", query=asked, mode="direct_post.jwt")
    browser.show(request["uri"])
    told = credo.ask("told", session=request["session"])
    assert told["state"] == "ResponseVerified", told
    assert "林晓" in str(told["shown"])
    assert "周远" not in str(told["shown"]), "the spouse was not asked for"


def test_what_is_revoked_is_refused_by_credo_and_by_us(demo: Demo, credo: Client, browser: Hosted) -> None:
    """Token Status List section 8.3. The last test: it ends the certificate of which the others have copies."""
    request = credo.ask("ask", query=sd_jwt_query(MARRIAGE, "certificate_id"), mode="direct_post")
    browser.show(request["uri"])
    (shown,) = credo.ask("told", session=request["session"])["shown"].values()
    demo.revoke(shown["certificate_id"])
    for form in ("sd-jwt", "mdoc"):
        with demo.request() as asking:
            credo.ask("present", uri=asking.begun.uri, only=form)
            (verdict,) = verdicts(asking)
        assert verdict["indication"] == "FAILED", verdict["report"]
        assert "failed" in codes(verdict).values()
