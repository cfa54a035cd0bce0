"""`make docs`: the generated parts of docs/: screenshots, a certificate as a picture, settings, tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.running import DemoServer

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    write_settings()
    for tables in ("tests.conformance", "tests.differential"):
        subprocess.run([sys.executable, "-m", tables, "--write"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder)
        run_stories(taken)
        for picture in sorted(
            each for kind in ("story", "console", "verdict", "openid") for each in taken.glob(f"{kind}-*.png")
        ):
            shrink(picture, PICTURES / picture.name)
        draw_certificate(taken)
    print(f"docs/ is up to date: {len(list(PICTURES.iterdir()))} pictures, docs/settings.md")


def run_stories(into: Path) -> None:
    """The stories' own tests take their screenshots, so that what is shown is what passed."""
    environment = dict(os.environ, YINXIN_TEST_PICTURES=str(into))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "tests/browser/test_story.py",
        "tests/browser/test_story_console.py",
        "tests/browser/test_story_verdicts.py",
        "tests/browser/test_story_openid.py",
    ]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def write_settings() -> None:
    command = [sys.executable, "-c", "from server.cli import main; main()", "settings", "--format", "markdown"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")}
    text = subprocess.run(command, cwd=ROOT, env=clean, check=True, capture_output=True, text=True).stdout
    (ROOT / "docs" / "settings.md").write_text(text)


def draw_certificate(folder: Path) -> None:
    if shutil.which("pdftoppm") is None:
        print("certificate.png left as it is: apt-get install poppler-utils")
        return
    with DemoServer(folder / "demo") as server:
        pdf = server.data / "samples" / "marriage.pdf"
        subprocess.run(
            ["pdftoppm", "-r", "90", "-png", "-singlefile", str(pdf), str(folder / "certificate")], check=True
        )
    shrink(folder / "certificate.png", PICTURES / "certificate.png")


def shrink(source: Path, target: Path) -> None:
    """Halve pictures taken at double density and keep few colours: a clone should stay small."""
    picture = Image.open(source).convert("RGB")
    if picture.width > 700 and picture.height > picture.width:
        picture = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
    few = Image.new("P", (1, 1))
    few.putpalette(_colours(picture))
    picture.quantize(palette=few, dither=Image.Dither.NONE).save(target, optimize=True)


def _colours(picture: Image.Image) -> list[int]:
    """256 colours: the commonest as they are, and some for what is rare and small, such as the seal's vermilion."""
    counted = sorted(picture.getcolors(picture.width * picture.height) or (), reverse=True)
    rare = picture.quantize(32, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    common = [part for _, colour in counted[:224] for part in colour]  # type: ignore[attr-defined]
    return (common + rare[: 32 * 3] + [0] * 768)[:768]


if __name__ == "__main__":
    main()
