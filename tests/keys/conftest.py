"""A small house of keys: one signer per algorithm, one region's CA, made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from keys.algorithms import ALGORITHMS, ES256
from keys.model import Algorithm
from keys.signer import EphemeralSigner
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Region:
    """A region's CA and its key."""

    signer: EphemeralSigner
    ca: Certificate

    def certify(self, profile: Profile, signer: EphemeralSigner, **changes: object) -> Certificate:
        fields: dict[str, object] = {
            "common_name": "民政局电子印章",
            "organisation": "东岭市民政局",
            "uscc": "11990100MB0000001A",
            "uri": "urn:yinxin:seal:990100/civil-affairs/99010000000001",
            "not_before": SINCE,
            "not_after": UNTIL,
            **changes,
        }
        return make_certificate(
            profile,
            ca_signer=self.signer,
            ca=self.ca,
            subject_key=signer.public_key,
            **fields,  # type: ignore[arg-type]
        )


def make_region(algorithm: Algorithm = ES256, name: str = "东岭市") -> Region:
    signer = EphemeralSigner.generate(algorithm)
    ca = make_region_ca(
        signer, common_name=f"{name} CA", organisation=name, region="990100", not_before=SINCE, not_after=UNTIL
    )
    return Region(signer, ca)


@pytest.fixture(scope="session")
def signers() -> Mapping[str, EphemeralSigner]:
    return MappingProxyType({a.jose: EphemeralSigner.generate(a) for a in ALGORITHMS})


@pytest.fixture(scope="session")
def region() -> Region:
    return make_region()
