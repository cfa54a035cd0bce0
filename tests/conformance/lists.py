"""Trusted lists of the European Union and two of its members: opened by the signer they name, refused when altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keys.envelopes.xades import open_signed_xml, read_signer_certificates
from keys.errors import MalformedEnvelope
from tests.conformance.table import VECTORS, Row
from trust_registry.errors import TrustRegistryError
from trust_registry.interchange.tsl_reading import read_tsl

FOLDER: Final = VECTORS / "trusted-lists"
_OPENS, _REFUSED = "opens", "refused"


def rows() -> list[Row]:
    return [row for path in sorted(FOLDER.glob("*.xml")) for row in _rows(path)]


def _rows(path: Path) -> Iterator[Row]:
    data = path.read_bytes()
    signers = read_signer_certificates(data)
    place = data.index(b"SchemeOperatorName") + 60
    altered = data[:place] + b"x" + data[place + 1 :]
    yield Row(path.stem, _OPENS, _opened(data, signers))
    yield Row(f"{path.stem}, one letter altered", _REFUSED, _opened(altered, signers))
    yield Row(f"{path.stem}, another signer", _REFUSED, _opened(data, ()))
    try:
        services = len(read_tsl(data, signers).services)
        yield Row(f"{path.stem}, read as a list", _OPENS, _OPENS, f"{services} services")
    except TrustRegistryError as err:
        yield Row(f"{path.stem}, read as a list", _OPENS, _REFUSED, type(err).__name__)


def _opened(data: bytes, signers: tuple[bytes, ...]) -> str:
    try:
        open_signed_xml(data, signers=signers)
    except MalformedEnvelope:
        return _REFUSED
    return _OPENS
