"""`yinxin custody`: only what the region listed is taken into custody, with the very key and image that it listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.cli.custody import app
from tests.server.real_house import CIVIL_AFFAIRS, PUBLIC_SECURITY, RealHouse, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def run(house: RealHouse, *arguments: str, code: int = 0) -> str:
    environment = {"YINXIN_PASSPHRASE": house.passphrase.decode()}
    done: Result = CliRunner().invoke(app, [*arguments, "--data", str(house.folder)], env=environment)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_a_listed_seal_is_taken_into_custody_with_its_key_and_image(house: RealHouse, tmp_path: Path) -> None:
    seal = house.seal(CIVIL_AFFAIRS)
    image = tmp_path / "seal.svg"
    image.write_bytes((house.folder / "registry" / "images" / f"{seal.image_digest[7:]}.svg").read_bytes())
    own, other = (f"file:{house.folder}/keys/{office}/seal.key" for office in (CIVIL_AFFAIRS, PUBLIC_SECURITY))
    assert seal.id in run(house, "seal", seal.id, "--key", own, "--image", str(image))
    assert own in run(house, "list")
    assert "does not fit" in run(house, "seal", seal.id, "--key", other, "--image", str(image), code=1)
    unknown = f"{CIVIL_AFFAIRS}/99010000009999"
    assert unknown in run(house, "seal", unknown, "--key", own, "--image", str(image), code=1)
    image.write_text("<svg/>")
    run(house, "seal", seal.id, "--key", own, "--image", str(image), code=2)


def test_a_listed_status_key_is_taken_into_custody(house: RealHouse) -> None:
    own, other = (f"file:{house.folder}/keys/{office}/status.key" for office in (CIVIL_AFFAIRS, PUBLIC_SECURITY))
    assert "In custody" in run(house, "status", CIVIL_AFFAIRS, "--key", own)
    assert "does not fit" in run(house, "status", CIVIL_AFFAIRS, "--key", other, code=1)
    assert "990100/nobody" in run(house, "status", "990100/nobody", "--key", own, code=1)
