"""The log's tree: tiles as the specification draws them, proofs that hold, and proofs that must not."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.errors import MalformedEnvelope
from trust_registry.errors import FetchFailed, LogDamaged
from trust_registry.log import merkle, tiles
from trust_registry.log.merkle import consistency_holds, inclusion_holds, leaf_hash, tree_root
from trust_registry.log.proofs import TreeReader, fetched_tiles, folder_tiles, read_leaves
from trust_registry.log.tiles import TilePlace, number_path, pack_entries, right_edge, unpack_entries
from trust_registry.log.writer import append


def entries(count: int, start: int = 0) -> list[bytes]:
    return [b"entry %d" % number for number in range(start, start + count)]


def root_of(count: int) -> bytes:
    """By the definition of RFC 6962 section 2.1, recursively; nothing of ours."""

    def mth(items: list[bytes]) -> bytes:
        if not items:
            return sha256(b"").digest()
        if len(items) == 1:
            return sha256(b"\0" + items[0]).digest()
        split = 1
        while split * 2 < len(items):
            split *= 2
        return sha256(b"\1" + mth(items[:split]) + mth(items[split:])).digest()

    return mth(entries(count))


@pytest.mark.parametrize(("number", "path"), [(0, "000"), (67, "067"), (1000, "x001/000"), (1234067, "x001/x234/067")])
def test_tile_numbers_are_paths_of_three_digits(number: int, path: str) -> None:
    assert number_path(number) == path
    assert TilePlace(0, number).path == f"tile/0/{path}"
    assert TilePlace(None, number, 7).path == f"tile/entries/{path}.p/7"


def test_the_specifications_tree_of_70000_has_its_partial_tiles() -> None:
    """tlog-tiles: 273 full level 0 tiles, one partial of 112, a full and a partial (17) at level 1, one of 1."""
    assert list(right_edge(70000)) == [TilePlace(0, 273, 112), TilePlace(1, 1, 17), TilePlace(2, 0, 1)]
    assert list(right_edge(256)) == [TilePlace(1, 0, 1)]


@pytest.mark.parametrize("batches", [(1,), (1, 1, 1), (255, 1, 1), (256,), (300, 300), (70000,), (65535, 1, 600)])
def test_roots_are_those_of_the_definition_however_the_batches_fall(batches: tuple[int, ...], tmp_path: Path) -> None:
    size = 0
    for count in batches:
        tree = append(tmp_path, size, entries(count, size))
        size += count
        assert tree.size == size
        assert tree.root_hash == root_of(size)
        assert TreeReader(folder_tiles(tmp_path), size).root() == tree.root_hash
    assert list(read_leaves(folder_tiles(tmp_path), size)) == entries(size)
    assert list(read_leaves(folder_tiles(tmp_path), size, size - 1)) == entries(1, size - 1)


def test_a_full_tile_is_written_once_and_old_trees_stay_readable(tmp_path: Path) -> None:
    append(tmp_path, 0, entries(256))
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    append(tmp_path, 256, entries(700, 256))
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    reader = TreeReader(folder_tiles(tmp_path), 256)
    assert reader.root() == root_of(256)


def test_what_an_append_left_uncommitted_is_written_over(tmp_path: Path) -> None:
    append(tmp_path, 0, entries(10))
    append(tmp_path, 10, [b"never committed"] * 300)
    assert append(tmp_path, 10, entries(600, 10)).root_hash == root_of(610)
    assert list(read_leaves(folder_tiles(tmp_path), 610)) == entries(610)
    assert append(tmp_path, 610, []).root_hash == root_of(610)
    assert append(tmp_path / "new", 0, []).root_hash == merkle.EMPTY_ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("log")
    append(found, 0, entries(1000))
    return found


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_every_leaf_is_proven_and_nothing_else_is(folder: Path, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 1000))
    index = data.draw(st.integers(0, size - 1))
    reader = TreeReader(partial_or_full(folder), size)
    proof, leaf, root = reader.inclusion_proof(index), leaf_hash(entries(1, index)[0]), root_of(size)
    assert inclusion_holds(index, size, leaf, proof, root)
    assert not inclusion_holds(index, size, leaf_hash(b"another"), proof, root)
    assert not inclusion_holds(index, size, leaf, (*proof, leaf), root)
    assert not inclusion_holds(index, size, leaf, proof[:-1], root) or not proof
    if size > 1:
        assert not inclusion_holds((index + 1) % size, size, leaf, proof, root)
    assert not inclusion_holds(size, size, leaf, proof, root)
    assert not inclusion_holds(-1, size, leaf, proof, root)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_every_older_tree_is_continued_and_no_other_is(folder: Path, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 1000))
    old = data.draw(st.integers(0, size))
    reader = TreeReader(partial_or_full(folder), size)
    proof, old_root, root = reader.consistency_proof(old), root_of(old), root_of(size)
    assert consistency_holds(old, size, proof, old_root, root)
    assert not consistency_holds(old, size, proof, bytes(32), root)
    assert not consistency_holds(old, size, proof, old_root, bytes(32)) or old == 0
    assert not consistency_holds(old, size, (*proof, bytes(32)), old_root, root)
    if proof:
        assert not consistency_holds(old, size, proof[:-1], old_root, root)
        assert not consistency_holds(old, size, (), old_root, root)
    assert not consistency_holds(size + 1, size, proof, old_root, root)


def partial_or_full(folder: Path) -> object:
    """A host that serves any partial tile, cut from the full one."""

    def read(place: TilePlace) -> bytes:
        for each in (place, place.full, TilePlace(place.level, place.number, 1000 % 256), TilePlace(1, 0, 3)):
            path = folder / each.path
            if path.is_file() and each.level == place.level:
                return path.read_bytes()[: place.width * 32]
        raise AssertionError(place)

    return read


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one(folder: Path) -> None:
    """tlog-tiles: logs MAY delete any partial tile once the corresponding full tile is available."""
    asked: list[str] = []

    def fetch(url: str, /) -> bytes:
        asked.append(url)
        path = folder / url.removeprefix("http://log/")
        if not path.is_file():
            raise FetchFailed(url, "answered 404", missing=True)
        return path.read_bytes()

    reader = TreeReader(fetched_tiles(fetch, "http://log/"), 100)
    assert reader.root() == root_of(100)
    assert asked == ["http://log/tile/0/000.p/100", "http://log/tile/0/000"]
    assert list(read_leaves(fetched_tiles(fetch, "http://log/"), 100)) == entries(100)
    assert list(read_leaves(folder_tiles(folder), 100)) == entries(100)


def test_a_damaged_log_is_called_damaged(tmp_path: Path) -> None:
    append(tmp_path, 0, entries(300))
    edge = tmp_path / TilePlace(0, 1, 44).path
    whole = edge.read_bytes()
    edge.write_bytes(whole[:-1])
    with pytest.raises(LogDamaged, match="not whole"):
        append(tmp_path, 300, entries(1, 300))
    with pytest.raises(LogDamaged, match="not whole"):
        TreeReader(folder_tiles(tmp_path), 300).inclusion_proof(299)
    edge.unlink()
    with pytest.raises(LogDamaged, match="can't be read"):
        append(tmp_path, 300, entries(1, 300))
    with pytest.raises(LogDamaged, match="missing"):
        TreeReader(folder_tiles(tmp_path), 300).inclusion_proof(299)
    edge.mkdir()
    with pytest.raises(LogDamaged, match="can't be read"):
        TreeReader(folder_tiles(tmp_path), 300).inclusion_proof(299)
    bundle = tmp_path / TilePlace(None, 0).path
    bundle.write_bytes(bundle.read_bytes()[:-1])
    with pytest.raises(LogDamaged, match="entries 0"):
        list(read_leaves(folder_tiles(tmp_path), 300))


def test_no_proofs_of_what_is_not_there(folder: Path) -> None:
    reader = TreeReader(folder_tiles(folder), 1000)
    for index in (-1, 1000):
        with pytest.raises(ValueError, match="no such leaf"):
            reader.inclusion_proof(index)
    with pytest.raises(ValueError, match="larger"):
        reader.consistency_proof(1001)
    with pytest.raises(ValueError, match="at most"):
        pack_entries([bytes(65536)])
    assert tree_root([]) == merkle.EMPTY_ROOT


def test_the_cache_of_tiles_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_registry.log.proofs._MOST_TILES", 2)
    reader = TreeReader(folder_tiles(folder), 1000)
    for index in range(0, 1000, 100):
        assert inclusion_holds(
            index, 1000, leaf_hash(entries(1, index)[0]), reader.inclusion_proof(index), root_of(1000)
        )


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=40), st.integers(0, 5))
def test_any_bytes_are_a_bundle_or_malformed(data: bytes, count: int) -> None:
    try:
        found = unpack_entries(data, count)
    except MalformedEnvelope:
        return
    assert pack_entries(found) == data
    assert len(found) == count
    assert len(data) < tiles.MAX_BUNDLE
