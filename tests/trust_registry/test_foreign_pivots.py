"""Lists of lists: from signers pinned years ago over pivots to the list in force, each by whom the last one named."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.trust_registry.foreign_lists import LOTL_TYPE, Pointer, TrustedList, days, key
from trust_registry.errors import FetchFailed, InvalidForeignList
from trust_registry.interchange.lotl import MAX_PIVOTS, national_lists, next_signers, open_lotl
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.ports import Fetch

LOCATION = "https://lists.example/lotl.xml"


def pivot_uri(number: int) -> str:
    return f"https://lists.example/lotl-pivot-{number}.xml"


def lotl(number: int, named: str, *pivots: int, territory: str = "EU", list_type: str = LOTL_TYPE) -> TrustedList:
    """List number `number`, which names the key `named` for the next one, and its `pivots`, newest first."""
    itself = Pointer(LOCATION, territory, [key(named).certificate], list_type)
    uris = ["https://law.example/pins", *(pivot_uri(pivot) for pivot in pivots), "https://lists.example/explained.html"]
    return TrustedList(territory, number, days(number), None, list_type, (), [itself], uris)


# 2 is signed by a and names b, 5 is signed by b and names c, 9 is signed by c.
PIVOTS = {
    pivot_uri(2): lotl(2, "b").sign("a"),
    pivot_uri(5): lotl(5, "c", 2).sign("b"),
}
LOTL = lotl(9, "c", 5, 2).sign("c")


def fetching(documents: Mapping[str, bytes], asked: list[str] | None = None) -> Fetch:
    def fetch(url: str) -> bytes:
        if asked is not None:
            asked.append(url)
        if url not in documents:
            raise FetchFailed(url, "no such file", missing=True)
        return documents[url]

    return fetch


def opened(data: bytes = LOTL, *names: str, documents: Mapping[str, bytes] = PIVOTS) -> list[int]:
    signers = [key(name).certificate for name in names or ("a",)]
    found = open_lotl(data, signers, location=LOCATION, fetch=fetching(documents))
    return [*(pivot.sequence_number for pivot in found.pivots), found.found.sequence_number]


def refused(data: bytes, *names: str, documents: Mapping[str, bytes] = PIVOTS) -> str:
    with pytest.raises(InvalidForeignList) as refusal:
        opened(data, *names, documents=documents)
    return refusal.value.field


def test_signers_pinned_now_need_no_pivot() -> None:
    asked: list[str] = []
    open_lotl(LOTL, [key("c").certificate], location=LOCATION, fetch=fetching({}, asked))
    assert asked == []


def test_pivots_lead_from_old_signers_to_the_list_in_force() -> None:
    assert opened(LOTL, "a") == [2, 5, 9]
    assert opened(LOTL, "b") == [5, 9]
    assert opened(LOTL, "a", "b") == [5, 9]


def test_pivots_prove_nothing_to_who_pinned_a_stranger() -> None:
    assert refused(LOTL, "stranger") == "signature"


def test_list_signed_by_whom_no_pivot_names_is_refused() -> None:
    """Old pins and honest pivots do not carry a list that the last pivot's signers did not sign."""
    assert refused(lotl(9, "d", 5, 2).sign("d"), "a") == "signature"


def test_a_pivot_that_skips_a_change_of_keys_leads_nowhere() -> None:
    assert refused(lotl(9, "c", 2).sign("c"), "a") == "signature"


def test_pivot_that_is_not_older_is_refused() -> None:
    documents = {**PIVOTS, pivot_uri(5): lotl(2, "c", 2).sign("b")}
    assert refused(LOTL, "a", documents=documents) == "sequence_number"


def test_pivot_of_another_network_is_refused() -> None:
    documents = {**PIVOTS, pivot_uri(2): lotl(2, "b", territory="XX").sign("a")}
    assert refused(LOTL, "a", documents=documents) == "territory"


def test_pivot_must_be_a_list_of_lists() -> None:
    documents = {**PIVOTS, pivot_uri(2): lotl(2, "b", list_type="http://x.example/EUgeneric").sign("a")}
    assert refused(LOTL, "a", documents=documents) == "TSLType"
    assert refused(lotl(9, "c", list_type="http://x.example/EUgeneric").sign("a"), "a") == "TSLType"


def test_pivot_that_names_nobody_is_a_dead_end() -> None:
    documents = {**PIVOTS, pivot_uri(2): TrustedList("EU", 2, list_type=LOTL_TYPE, services=()).sign("a")}
    assert refused(LOTL, "a", documents=documents) == "PointersToOtherTSL"


def test_dangling_pivot_says_what_could_not_be_had() -> None:
    with pytest.raises(FetchFailed, match="pivot-2"):
        opened(LOTL, "a", documents={pivot_uri(5): PIVOTS[pivot_uri(5)]})


def test_unbelieved_list_does_not_choose_whom_we_call() -> None:
    """Before the end nothing is believed: a forged list could name any host inside our walls."""
    asked: list[str] = []
    forged = TrustedList("EU", 9, list_type=LOTL_TYPE, uris=["https://inside.example/a.xml", "http://[", pivot_uri(2)])
    with pytest.raises(InvalidForeignList):
        open_lotl(forged.sign("forger"), [key("a").certificate], location=LOCATION, fetch=fetching(PIVOTS, asked))
    assert asked == [pivot_uri(2)]


def test_pivots_are_bounded() -> None:
    asked = lotl(9, "c", *range(1000, 1000 + MAX_PIVOTS + 1)).sign("c")
    assert refused(asked, "a") == "SchemeInformationURI"


def test_pointers_that_cannot_be_followed_are_not_followed() -> None:
    signer = key("EE").certificate
    pointers = [
        Pointer("https://a.example/ee.xml", "EE", [signer]),
        Pointer("https://a.example/ee-again.xml", "EE", [signer]),
        Pointer("https://a.example/no-signer.xml", "LV", []),
        Pointer("https://a.example/lt.pdf", "LT", [signer], mime_type="application/pdf"),
        Pointer("file:///etc/passwd", "FI", [signer]),
        Pointer(LOCATION, "EU", [signer], LOTL_TYPE),
    ]
    found = read_tsl(TrustedList("EU", list_type=LOTL_TYPE, pointers=pointers).sign(), [key("operator").certificate])
    assert [pointer.location for pointer in national_lists(found)] == ["https://a.example/ee.xml"]
    assert next_signers(found) == (signer,)


def test_pointer_that_says_two_things_is_refused() -> None:
    more = "<OtherInformation><SchemeTerritory>LV</SchemeTerritory></OtherInformation>"
    pointer = Pointer("https://a.example/ee.xml", "EE", [key("EE").certificate], more=more)
    assert (
        refused(TrustedList("EU", list_type=LOTL_TYPE, pointers=[pointer]).sign("a"))
        == "OtherTSLPointer.SchemeTerritory"
    )
