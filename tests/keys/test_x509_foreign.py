"""Paths of foreign certificates: which algorithms count, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from keys import der
from keys.certificate import signing_algorithm
from keys.errors import AlgorithmNotSupported
from keys.x509 import (
    Certificate,
    PathOutcome,
    parse_certificate,
    signed_by,
    validate_path,
)
from tests.keys.conftest import NOW
from tests.keys.foreign_hierarchy import Node

ROOT = Node("root")


def _validate(leaf: Node, *between: Node, anchor: Node) -> PathOutcome:
    pool = [node.certificate for node in between]
    return validate_path(leaf.certificate, pool, [anchor.certificate], NOW).outcome


def test_rsa_certificates_chain_and_give_no_key_of_this_network() -> None:
    root = Node("rsa root", key=rsa.generate_private_key(65537, 2048))
    with pytest.raises(AlgorithmNotSupported):
        _ = root.certificate.public_key
    leaf = Node("leaf", root, ca=False, usage=False)
    assert _validate(leaf, anchor=root) is PathOutcome.OK
    impostor = Node("rsa root", key=rsa.generate_private_key(65537, 2048))
    assert _validate(leaf, anchor=impostor) is PathOutcome.BAD_SIGNATURE


def test_a_digest_of_another_size_than_the_curve_is_legal() -> None:
    leaf = Node("leaf", ROOT, ca=False, usage=False, digest=hashes.SHA384())
    assert _validate(leaf, anchor=ROOT) is PathOutcome.OK
    assert signing_algorithm(leaf.certificate, ROOT.certificate).jose == "ES384 (P-256)"


def test_what_was_retired_counts_only_where_it_is_proven_to_be_older() -> None:
    """A claimed time in the past does not bring SHA-1 or short keys back (EN 319 102-1 clause 5.2.8)."""
    old = datetime(2012, 1, 1, tzinfo=UTC)
    short = rsa.generate_private_key(65537, 1024)
    weak = Node("root", key=short, since=old - timedelta(days=9))
    leaf = Node("leaf", weak, ca=False, usage=False, since=old - timedelta(days=9)).certificate
    anchors = [weak.certificate]
    assert validate_path(leaf, [], anchors, old).outcome is PathOutcome.ALGORITHM
    assert validate_path(leaf, [], anchors, old, proven_by=old).outcome is PathOutcome.OK
    assert validate_path(leaf, [], anchors, NOW, proven_by=NOW).outcome is PathOutcome.ALGORITHM
    assert signing_algorithm(leaf, weak.certificate).jose == "RS256 (1024 bit)"


def test_a_sha1_certificate_is_named_as_such() -> None:
    sha1 = _resign(Node("leaf", ROOT, ca=False, usage=False).certificate, "1.2.840.10045.4.1")
    assert signing_algorithm(sha1, ROOT.certificate).jose == "ES1 (P-256)"
    assert not signing_algorithm(sha1, ROOT.certificate).usable_at(NOW)


def test_signatures_by_unknown_algorithms_are_refused_by_name() -> None:
    leaf = Node("leaf", ROOT, ca=False, usage=False)
    unknown = _resign(leaf.certificate, "1.2.840.10045.4.3.99")
    assert validate_path(unknown, [], [ROOT.certificate], NOW).outcome is PathOutcome.ALGORITHM
    with pytest.raises(AlgorithmNotSupported):
        signed_by(unknown, ROOT.certificate)


def _resign(certificate: Certificate, oid: str) -> Certificate:
    """The same certificate claiming another signature algorithm, inside and out."""
    ((_, _, start, end),) = der.elements(certificate.tbs)
    fields = [certificate.tbs[first:past] for _, first, _, past in der.elements(certificate.tbs, start, end)]
    algorithm = der.sequence(der.oid(oid))
    tbs = der.sequence(*fields[:2], algorithm, *fields[3:])
    return parse_certificate(der.sequence(tbs, algorithm, der.bits(certificate.signature)))
