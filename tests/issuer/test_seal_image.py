"""Seal images: the same for everybody, self-contained, and honest about what they can't draw."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.errors import GlyphMissing, SealImageUnfit
from issuer.renderings.pdf import seal_appearance
from issuer.seal_image import SIZE, VERMILION, seal_svg

CODE = "99010000000001"
LONGEST = "东岭市人民政府行政审批服务管理局企业登记注册专用"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> list[tuple[tuple[float, ...], str]]:
    """Matrix and outline of each character."""
    paths = [p for p in ElementTree.fromstring(svg).iter(f"{SVG}path") if "transform" in p.attrib]
    return [(tuple(map(float, p.attrib["transform"][7:-1].split())), p.attrib["d"]) for p in paths]


def test_the_same_name_and_code_give_the_same_bytes():
    assert seal_svg("东岭市民政局", CODE) == seal_svg("东岭市民政局", CODE)
    assert seal_svg("东岭市民政局", CODE) != seal_svg("西川市民政局", CODE)
    assert seal_svg("东岭市民政局", CODE) != seal_svg("东岭市民政局", "99010000000002")


@pytest.mark.parametrize("length", range(4, 25))
def test_every_length_fits_the_ring_and_the_size(length):
    svg = seal_svg(LONGEST[:length], CODE)
    assert len(svg.encode()) < 30_000
    characters = drawn(svg)
    assert len(characters) == length + 14
    for (a, b, c, d, x, y), path in characters:
        for px, py in re.findall(r"(-?\d+)[ ,]?(-?\d+)", path)[:1]:
            dx, dy = a * int(px) + c * int(py) + x - SIZE / 2, b * int(px) + d * int(py) + y - SIZE / 2
            assert 80 < math.hypot(dx, dy) < 196  # outside the star, inside the ring


@pytest.mark.parametrize("length", [4, 11, 24])
def test_the_name_is_symmetrical_about_the_top_and_apart_from_the_code(length):
    angles = [math.degrees(math.atan2(b, a)) for (a, b, *_), _ in drawn(seal_svg(LONGEST[:length], CODE))]
    name, code = angles[:length], angles[length:]
    assert sum(name) == pytest.approx(0, abs=0.5)
    assert name == sorted(name)  # read from left to right, over the top
    assert code == sorted(code, reverse=True)  # and the code from left to right, along the bottom
    assert abs(name[0]) + abs(code[0]) < 180 - 10


def test_it_is_outlines_only_and_refers_to_nothing():
    svg = seal_svg("东岭市民政局", CODE)
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
    assert tags == {"svg", "title", "circle", "path", "g"}
    assert "href" not in svg
    assert "style" not in svg
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) == {VERMILION}


def test_a_name_cannot_become_markup():
    svg = seal_svg("<script>&'\"", CODE)
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == f"<script>&'\" {CODE}"


@pytest.mark.parametrize(
    ("name", "code"), [("东", CODE), ("东" * 33, CODE), ("东岭", "123"), ("东岭", "９９０１００００００００００")]
)
def test_what_does_not_fit_a_seal_is_refused(name, code):
    with pytest.raises(SealImageUnfit):
        seal_svg(name, code)


@pytest.mark.parametrize("char", ["𠮷", " ", "\n", "\u202e"])
def test_a_character_without_a_glyph_is_refused_by_what_it_belongs_to(char):
    with pytest.raises(GlyphMissing) as refused:
        seal_svg(f"东岭{char}局", CODE)
    assert refused.value.claim == "seal name"


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=2, max_size=32))
def test_any_name_is_a_well_formed_image_or_refused(name):
    try:
        svg = seal_svg(name, CODE)
    except GlyphMissing:
        return
    ElementTree.fromstring(svg)


def test_the_appearance_is_one_vector_page_of_forty_two_millimetres():
    import pikepdf

    pdf = seal_appearance(seal_svg("东岭市民政局", CODE))
    with pikepdf.open(__import__("io").BytesIO(pdf)) as opened:
        (page,) = opened.pages
        assert [round(float(edge), 1) for edge in page.MediaBox] == [0, 0, 119.1, 119.1]
        assert not page.get_images()
        assert "/Font" not in (page.get("/Resources") or {})
