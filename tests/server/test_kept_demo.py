"""A demonstration's folder that another version made is refused in words, before anything is served from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from server.demo.start import check_readable
from server.errors import DemoFolderRefused
from tests.trust_registry.network import whole_network


@pytest.fixture
def data(tmp_path: Path) -> Path:
    shutil.move(whole_network(tmp_path).repository.folder, tmp_path / "registry")
    return tmp_path


def test_what_this_version_made_is_kept(data: Path) -> None:
    check_readable(data)


def test_lists_of_another_version_are_named(data: Path) -> None:
    for path in (data / "registry" / "public" / "targets").rglob("*.list.json"):
        path.write_bytes(path.read_bytes().replace(b"yinxin-region-list/2", b"yinxin-region-list/1"))
    with pytest.raises(DemoFolderRefused, match=r"another version of Yinxin.*--data"):
        check_readable(data)


def test_a_folder_without_a_network_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(DemoFolderRefused, match="--data"):
        check_readable(tmp_path)
