"""Drawing strangers' files: what differs is marked, and whatever is wrong with a file costs the pictures alone."""

from __future__ import annotations

import io
import json
import sys
import zlib
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from verifier.reports import rasterise, revisions
from verifier.reports.revisions import Comparison, compare_revisions


def document(*pages: bytes, size: str = "300 400") -> bytes:
    """A PDF with these pages' content."""
    kids = " ".join(f"{number} 0 R" for number in range(10, 10 + 2 * len(pages), 2))
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode()}
    for number, content in zip(range(10, 10 + 2 * len(pages), 2), pages, strict=True):
        page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size}]/Contents {number + 1} 0 R/Resources<<>>>>"
        objects[number] = page.encode()
        objects[number + 1] = b"<</Length %d>>\nstream\n%b\nendstream" % (len(content), content)
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, text in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, text)
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    return bytes(out) + b"trailer\n<</Root 1 0 R/Size 99>>\nstartxref\n%d\n%%%%EOF\n" % start


BLANK = b"0.9 g 20 20 100 40 re f"
CHANGED = BLANK + b" 0 g 200 300 40 20 re f"


def compared(then: bytes, now: bytes, pages: tuple[int, ...] = ()) -> Comparison:
    found = compare_revisions(then, now, pages)
    assert found is not None
    return found


def picture(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(b64decode(data))).convert("RGB")


def test_the_page_that_differs_is_shown_and_the_place_is_marked() -> None:
    found = compared(document(BLANK, BLANK), document(BLANK, CHANGED))
    assert (found.different, found.pages_then, found.pages_now) == (1, 2, 2)
    (pair,) = found.pairs
    assert (pair.number, pair.marks) == (2, 1)
    assert pair.then is not None
    assert pair.now is not None
    now = picture(pair.now.uri)
    scale = now.width / 300
    column = [now.getpixel((int(220 * scale), y)) for y in range(int(70 * scale), int(80 * scale))]
    assert any(red > 120 > green for red, green, _ in column), "the frame is above the box"
    assert picture(pair.then.uri).size == now.size == (pair.now.width, pair.now.height)


def test_far_places_are_marked_apart_and_a_crowd_of_them_together() -> None:
    two = BLANK + b" 0 g 10 380 10 10 re f 280 10 10 10 re f"
    assert compared(document(BLANK), document(two)).pairs[0].marks == 2
    crowd = (
        BLANK + b" 0 g " + b" ".join(b"%d %d 3 3 re f" % (x, y) for x in range(5, 290, 40) for y in range(5, 390, 40))
    )
    assert compared(document(BLANK), document(crowd)).pairs[0].marks == 1


def test_a_page_that_is_gone_or_new_has_only_one_side() -> None:
    added = compared(document(BLANK), document(BLANK, CHANGED)).pairs[-1]
    assert (added.number, added.then, added.marks) == (2, None, None)
    removed = compared(document(BLANK, CHANGED), document(BLANK)).pairs[-1]
    assert (removed.number, removed.now, removed.marks) == (2, None, None)


def test_nothing_to_see_is_said_with_a_sample() -> None:
    found = compared(document(BLANK), document(BLANK))
    assert (found.different, len(found.pairs), found.pairs[0].marks) == (0, 1, 0)


def test_only_the_first_pages_are_shown_those_asked_for_before_others() -> None:
    many = [BLANK] * 20
    changed = [CHANGED] * 20
    found = compared(document(*many), document(*changed), (19, 3))
    assert [pair.number for pair in found.pairs] == [19, 3, 1]
    assert found.different == rasterise.LOOKED_AT


def test_pages_of_any_size_become_pictures_of_a_bounded_one() -> None:
    for size in ("14400 14400", "1 14400", "3 3"):
        now = compared(document(BLANK, size=size), document(CHANGED, size=size)).pairs[0].now
        assert now is not None
        assert now.width <= rasterise.WIDTH
        assert now.height <= rasterise.HEIGHT


@pytest.mark.parametrize(
    "data",
    [b"", b"%PDF-1.7", document(), document(b"q " * 100_000), zlib.compress(b"0" * 1000)],
    ids=["nothing", "a head", "no pages", "deep", "noise"],
)
def test_what_cannot_be_drawn_costs_the_pictures_alone(data: bytes) -> None:
    assert compare_revisions(data, data) is None or compare_revisions(data, data).pairs  # type: ignore[union-attr]


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_mutated_files_never_raise(data: st.DataObject) -> None:
    """Property: pictures or None, whatever is handed in."""
    broken = bytearray(document(BLANK, CHANGED))
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    found = compare_revisions(bytes(broken), document(BLANK))
    assert found is None or len(found.pairs) <= rasterise.SHOWN


def child(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "child.py").write_text("import json, sys\nsys.stdin.buffer.read()\n" + code)
    monkeypatch.setattr(revisions, "_CHILD", folder / "child.py")


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(60)",
        "while True: sys.stdout.write('0' * 65536)",
        "sys.exit(3)",
        "sys.stdout.write('{}')",
        "sys.stdout.write('[' * 100000)",
        "page = {'number': 1, 'then': {'webp': '\\\"><script>', 'width': 1, 'height': 1}, 'now': None, 'marks': 0}\n"
        "sys.stdout.write(json.dumps({'pages': [page], 'then': 1, 'now': 1, 'different': 0}))",
    ],
    ids=["busy", "asleep", "endless", "failed", "empty", "deep", "markup"],
)
def test_a_process_that_misbehaves_is_ended_and_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    child(tmp_path, code, monkeypatch)
    monkeypatch.setattr(revisions, "SECONDS", 1.0)
    monkeypatch.setattr(revisions, "MAX_OUTPUT", 1024 * 1024)
    assert compare_revisions(b"then", b"now") is None


def test_it_starts_with_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINXIN_SECRET", "not for strangers")
    out = tmp_path / "seen"
    code = f"import os\nopen({str(out)!r}, 'w').write(json.dumps([dict(os.environ), os.getcwd(), sys.path]))"
    child(tmp_path, code, monkeypatch)
    compare_revisions(b"then", b"now")
    environment, folder, path = json.loads(out.read_text())
    assert "YINXIN_SECRET" not in environment
    assert folder == "/"
    assert str(tmp_path) not in path
    assert sys.executable


def test_when_others_wait_already_there_are_no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "_WAIT", 0.01)
    with revisions._AT_ONCE, revisions._AT_ONCE:
        assert compare_revisions(document(BLANK), document(BLANK)) is None
    assert compare_revisions(document(BLANK), document(BLANK)) is not None
