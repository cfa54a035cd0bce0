"""Merkle tree hashing and the verification of inclusion and consistency proofs. Pure; reads no tiles (`proofs`).

Spec: RFC 6962 section 2.1 (= RFC 9162 section 2.1), SHA-256.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def parents(level: bytes) -> bytes:
    """The hashes above an even number of concatenated sibling hashes, concatenated."""
    return b"".join([sha256(b"\1" + level[at : at + 64]).digest() for at in range(0, len(level), 64)])


def perfect_root(level: bytes) -> bytes:
    """The root above 2^k concatenated hashes."""
    while len(level) > HASH_SIZE:
        level = parents(level)
    return level


def fold(subtrees: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees of falling size, from left to right; of the empty tree when there are none."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, all of them in memory: for small trees and for checking."""
    subtrees: list[bytes] = []
    at = 0
    while at < len(leaves):
        size = 1 << ((len(leaves) - at).bit_length() - 1)
        subtrees.append(perfect_root(b"".join(leaves[at : at + size])))
        at += size
    return fold(subtrees)


def inclusion_holds(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` (a leaf hash) is number `index` of the tree with this size and root. Spec: RFC 9162 2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn, found = index, size - 1, leaf
    for each in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(each, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == root


def consistency_holds(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Whether the tree of `size` continues that of `old_size`. Spec: RFC 9162 2.1.4.2.

    The empty tree and a tree itself need no proof, and then none may be given.
    """
    if not 0 <= old_size <= size:
        return False
    if old_size in {0, size}:
        same = old_root == root if old_size == size else old_root == EMPTY_ROOT
        return same and not proof
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for each in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(each, first), node_hash(each, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == root
