"""The PDF document: it says what was recorded, looks the same every time, and refuses what it can't set."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from issuer.errors import GlyphMissing
from issuer.renderings.pdf import ATTACHMENT, LAYOUT, qr_svg, render_pdf
from issuer.renderings.values import field_of, rows_of
from keys.envelopes.pades import parse_signed_pdf
from tests.issuer.samples import AUTHORITIES, CLAIMS, recorded, with_claim_of_objects
from trust_registry.attestations import from_json
from trust_registry.catalogue import HOUSEHOLD_REGISTER
from trust_registry.model import Names

QR = "YX1:" + "".join("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"[n * 7 % 45] for n in range(480))


def text_of(pdf: bytes, tmp_path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    (tmp_path / "it.pdf").write_bytes(pdf)
    got = subprocess.run(["pdftotext", "-raw", tmp_path / "it.pdf", "-"], capture_output=True, check=True)
    return "".join(got.stdout.decode().split())


def pages(pdf: bytes) -> int:
    with pikepdf.open(BytesIO(pdf)) as opened:
        return len(opened.pages)


@pytest.mark.parametrize("type_id", CLAIMS)
class TestEveryType:
    def test_it_is_one_page_with_every_claim_in_both_languages(self, type_id, tmp_path):
        record = recorded(type_id)
        pdf = render_pdf(record, QR, authority=AUTHORITIES[type_id])
        said = text_of(pdf, tmp_path)
        assert pages(pdf) == 1
        for claim in record.type.claims:
            for name in (claim.names.zh, claim.names.en):
                assert "".join(name.split()) in said, claim.name
        for value in (AUTHORITIES[type_id].zh, record.attestation.certificate_id, "二〇二六年十一月二十一日"):
            assert value in said
        assert "扫码核验Scantoverify" in said

    def test_its_data_are_attached(self, type_id):
        record = recorded(type_id)
        file = parse_signed_pdf(render_pdf(record, QR))
        assert from_json(file.attachments[ATTACHMENT]) == record.attestation

    def test_it_is_pdf_a_3_with_an_associated_file(self, type_id):
        """ISO 19005-3 clause 6.8: AFRelationship, MIME type and a description of every embedded file."""
        with pikepdf.open(BytesIO(render_pdf(recorded(type_id), QR))) as pdf:
            assert "<pdfaid:part>3</pdfaid:part>" in pdf.Root.Metadata.read_bytes().decode()
            (file,) = pdf.Root.AF
            assert (file.AFRelationship, file.UF) == ("/Data", ATTACHMENT)
            assert file.EF.F.Subtype == "/application/json"
            fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
            assert all("/FontFile3" in font.DescendantFonts[0].FontDescriptor for font in fonts)
            assert not any(page.get_images() for page in pdf.pages)  # the QR, too, is vector art


def test_the_same_record_gives_the_same_bytes():
    assert render_pdf(recorded(), QR) == render_pdf(recorded(), QR)


def test_without_an_authority_the_seals_name_is_printed(tmp_path):
    assert "东岭市民政局证照专用章" in text_of(render_pdf(recorded(), QR), tmp_path)


def test_validity_is_printed_by_the_wall_clock_of_the_office(tmp_path):
    """23:30 UTC is the next day in Dongling."""
    end = datetime(2036, 6, 30, 23, 30, tzinfo=UTC)
    assert "2026年11月21日至2036年7月1日" in text_of(render_pdf(recorded(until=end), QR), tmp_path)


@pytest.mark.parametrize(
    ("day", "written"),
    [
        ((2026, 10, 10), "二〇二六年十月十日"),
        ((2030, 1, 20), "二〇三〇年一月二十日"),
        ((2027, 12, 31), "二〇二七年十二月三十一日"),
    ],
)
def test_dates_in_chinese_numerals(day, written, tmp_path):
    record = recorded()
    issued = datetime(*day, 3, tzinfo=UTC)
    record = replace(record, attestation=replace(record.attestation, issued_at=issued))
    assert written in text_of(render_pdf(record, QR), tmp_path)


class TestSecondPage:
    def test_what_does_not_fit_runs_on(self, tmp_path):
        pdf = render_pdf(with_claim_of_objects(16), QR)
        said = text_of(pdf, tmp_path)
        assert pages(pdf) == 2
        assert "第1页共2页" in said
        assert said.count("扫码核验Scan") == 1
        assert said.count("990100MB00000013.2026110000123.001.F") == 2  # also above the second page
        assert "与户主关系Relation" in said

    @pytest.mark.parametrize("rows", [0, 3, 16, 45])
    def test_the_foot_is_always_at_the_foot_of_the_last_page(self, rows, tmp_path):
        if shutil.which("pdftoppm") is None:
            pytest.skip("pdftoppm is not installed: apt-get install poppler-utils")
        pdf = render_pdf(with_claim_of_objects(rows), QR)
        (tmp_path / "it.pdf").write_bytes(pdf)
        last = str(pages(pdf))
        command = ["pdftoppm", "-r", "150", "-png", "-singlefile", "-f", last, tmp_path / "it.pdf", tmp_path / "page"]
        subprocess.run(command, check=True, capture_output=True)
        with Image.open(tmp_path / "page.png") as page:
            corner = zxingcpp.read_barcode(page).position.bottom_left
            assert corner.y / 150 * 25.4 == pytest.approx(257, abs=4)

    def test_the_place_of_the_seal_is_on_the_last_page_and_inside_the_frame(self):
        assert LAYOUT.page == -1
        left, bottom, right, top = LAYOUT.seal_box
        assert right - left == pytest.approx(42 / 25.4 * 72)
        assert top - bottom == pytest.approx(42 / 25.4 * 72)
        assert bottom > 20 / 25.4 * 72
        assert right < 190 / 25.4 * 72


class TestGlyphs:
    @pytest.mark.parametrize("value", ["王𠮷", "王\u202e明", "王\u200b明", "王\x00"])
    def test_a_missing_or_invisible_glyph_names_the_claim_not_the_value(self, value):
        with pytest.raises(GlyphMissing) as refused:
            render_pdf(recorded(spouse_name=value), QR)
        assert refused.value.claim == "spouse_name"
        assert "王" not in str(refused.value)

    def test_in_a_table_and_in_the_authority(self):
        record = with_claim_of_objects(2)
        members = [{"name": "王𠮷", "relation": "子"}]
        claims = {**record.attestation.claims, "members": members}
        with pytest.raises(GlyphMissing, match="members"):
            render_pdf(replace(record, attestation=replace(record.attestation, claims=claims)), QR)
        with pytest.raises(GlyphMissing, match="issuing authority"):
            render_pdf(recorded(), QR, authority=Names("𠮷", "x"))

    @settings(max_examples=30, deadline=None)
    @given(st.text(min_size=1, max_size=30))
    def test_any_text_is_set_or_refused(self, value):
        try:
            pdf = render_pdf(recorded(spouse_name=value), QR)
        except GlyphMissing:
            return
        assert pdf.startswith(b"%PDF-")


@pytest.mark.parametrize(
    "value",
    [
        "#pagebreak()",
        "$x^2$",
        '#eval("1")',
        "*bold* _it_",
        "= Heading",
        "<label> @ref",
        "\\ // /* ` ```",
        '"}) #image("x")',
    ],
)
def test_claims_are_text_never_markup(value, tmp_path):
    pdf = render_pdf(recorded(spouse_name=value), QR)
    assert "".join(value.split()) in text_of(pdf, tmp_path)
    assert pages(pdf) == 1


class TestQrCode:
    def test_it_decodes_to_its_text(self):
        assert zxingcpp.read_barcode(raster(qr_svg(QR))).text == QR

    @pytest.mark.parametrize("text", ["YX1:A", "https://example/ä?x=1", QR * 3])
    def test_any_text_fits(self, text):
        assert zxingcpp.read_barcode(raster(qr_svg(text))).text == text

    @pytest.mark.parametrize("type_id", CLAIMS)
    def test_from_a_page_at_150_dpi(self, type_id, tmp_path):
        if shutil.which("pdftoppm") is None:
            pytest.skip("pdftoppm is not installed: apt-get install poppler-utils")
        (tmp_path / "it.pdf").write_bytes(render_pdf(recorded(type_id), QR))
        command = ["pdftoppm", "-r", "150", "-png", "-singlefile", tmp_path / "it.pdf", tmp_path / "page"]
        subprocess.run(command, check=True, capture_output=True)
        with Image.open(tmp_path / "page.png") as page:
            assert zxingcpp.read_barcode(page).text == QR


def raster(svg: str) -> Image.Image:
    import typst

    png = typst.compile(
        {
            "main.typ": b'#set page(width: 90mm, height: 90mm, margin: 2mm)\n#image("q.svg", width: 86mm)',
            "q.svg": svg.encode(),
        },
        format="png",
        ppi=200,
    )
    return Image.open(BytesIO(png)).convert("L")


class TestValues:
    @pytest.mark.parametrize(
        ("value", "schema", "lines"),
        [
            ("1990-03-07", {"format": "date"}, ["1990年3月7日（1990-03-07）"]),
            ("1990-13-07", {"format": "date"}, ["1990-13-07"]),
            ("long ago", {"format": "date"}, ["long ago"]),
            ("1990-03-07", {}, ["1990-03-07"]),
            ("a\nb", {}, ["a", "b"]),
            ("", {}, ["—"]),
            (None, {}, ["—"]),
            (True, {}, ["是 Yes"]),
            (False, {}, ["否 No"]),
            (12, {}, ["12"]),
            (["C1", "D"], {}, ["C1、D"]),
            ([], {}, [""]),
            ({"a": 1, "b": "x"}, {"properties": {"a": {"title": "甲 A"}}}, ["甲：1", "b：x"]),
        ],
    )
    def test_values_read_as_people_write_them(self, value, schema, lines):
        assert field_of(Names("名", "n"), value, schema)["lines"] == lines

    def test_a_list_of_objects_is_a_table(self):
        field = field_of(Names("名", "n"), [{"a": 1}, {"b": "x"}], {"items": {"properties": {"a": {"title": "甲 A"}}}})
        assert field["columns"] == [{"zh": "甲", "en": "A"}]
        field = field_of(Names("名", "n"), [{"a": 1}, {"b": "x"}], {})
        assert field["rows"] == [["1", "—"], ["—", "x"]]

    def test_few_fields_have_a_row_each_many_are_paired_in_order(self):
        def field(name, line):
            return {"label": {"zh": name, "en": ""}, "lines": [line]}

        assert [len(row) for row in rows_of([field("a", "x")] * 9)] == [1] * 9
        many = [
            field("a", "短"),
            field("b", "1990年3月7日（1990-03-07）"),
            field("c", "长" * 20),
            *[field("d", "短")] * 7,
        ]
        rows = rows_of(many)
        assert [len(row) for row in rows] == [2, 1, 2, 2, 2, 1]
        assert rows[0][1]["lines"] == ["1990年3月7日"]
        assert [f["label"]["zh"] for row in rows for f in row] == [f["label"]["zh"] for f in many]


def test_withheld_claims_are_left_out(tmp_path):
    said = text_of(render_pdf(recorded(HOUSEHOLD_REGISTER, native_place=None), QR), tmp_path)
    assert "籍贯" not in said
    assert "民族" in said
