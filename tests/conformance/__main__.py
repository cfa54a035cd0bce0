"""Print the conformance table, or with --write put it into docs/conformance.md."""

from __future__ import annotations

import sys
from typing import Final

from tests.conformance import credentials, documents, health, lists, signatures
from tests.conformance.table import ROOT, Family, markdown

DOCUMENT: Final = ROOT / "docs" / "conformance.md"
FAMILIES: Final = (
    Family(
        "Health certificates (EU DCC)",
        "dcc",
        "Each code under its own signer as the only anchor, at its own clock, without any list. Expected are the steps "
        "that the case says something of; the verdict follows from all of them, and from the times that the code and "
        "its signer state.",
        health.rows,
    ),
    Family(
        "SD-JWT",
        "sd-jwt",
        "Concealed, chosen and bound as the case says, then parsed and judged under an anchor with the holder's key "
        "binding required; `json_serialization` in the JWS JSON serialization. Expected are the verified claims.",
        credentials.rows,
    ),
    Family(
        "PDF (pyHanko)",
        "pdf",
        "What the signatures are worth by themselves, the worst of them: whole, doubted or broken. The verdict is that "
        "of the document with each signer as an anchor.",
        documents.rows,
    ),
    Family(
        "Trusted lists (ETSI TS 119 612)",
        "trusted-lists",
        "Opened with the signer that the list names; one letter altered; with nobody as signer; read as a list.",
        lists.rows,
    ),
    Family(
        "Signatures (Project Wycheproof)",
        "wycheproof",
        "ES256, ES384 and Ed25519, through the verification of a JWS and of a COSE message, which are of one mind.",
        signatures.rows,
    ),
)
_HEAD: Final = """# Conformance

Test vectors of others, judged by our engine. Made by `python -m tests.conformance --write` (part of `make docs`); a
test fails when this page is stale. Where we differ, [divergences.md](divergences.md#test-vectors-of-others) says why.
OFD documents are for a later issue and are not judged.
"""


def document() -> str:
    """The whole page. Families without vectors are named as missing."""
    parts = [_HEAD]
    for family in FAMILIES:
        if family.present:
            parts.append(markdown(family, family.judge()))
        else:
            parts.append(f"## {family.title}\n\nNo vectors in `{family.folder}` beside the repository: not judged.\n")
    return "\n".join(parts)


def main() -> None:
    text = document()
    if "--write" in sys.argv:
        DOCUMENT.write_text(text, "utf-8")
        print("docs/conformance.md is up to date")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
