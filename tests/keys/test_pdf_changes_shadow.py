"""Shadow attacks that count on how the comparison itself works: objects in two roles, doubled, packed or misnamed."""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO

import pikepdf
import pytest

from keys.envelopes.pades import Modification
from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.changes import worst
from keys.envelopes.pades.changes.lexing import lexed_references
from tests.keys import shadow_forge as forge
from tests.keys.shadow_forge import BASE, FIRST_PAGE, append, body, changes, edit, kinds, look, point, sign, stream
from tests.keys.test_pdf_changes import approved


@cache
def prepared(*objects: tuple[int, bytes]) -> bytes:
    """A signed file in which some objects are what the attacker prepared."""
    return sign(forge.whole(BASE | dict(objects)))


class TestObjectsInTwoRoles:
    """What is compared in one place must not go unseen in another."""

    def test_content_that_is_listed_as_an_annotation(self):
        signed = prepared((4, forge.PAGE % (6, b"6 0 R", b"")))
        assert worst(changes(append(signed, {6: BASE[27]}), signed)) is Modification.OTHER

    def test_content_that_is_listed_as_a_field(self):
        entries = b"/FT/Tx/T(x)"
        fields = (forge.FORM % b"").replace(b"9 0 R", b"9 0 R 6 0 R")
        signed = prepared((6, stream(b"BT (one) Tj ET", entries)), (8, fields))
        told = changes(append(signed, {6: stream(b"BT (two) Tj ET", entries)}), signed)
        assert "page_content" in kinds(told)

    def test_a_font_that_is_listed_as_a_field(self):
        fields = (forge.FORM % b"").replace(b"9 0 R", b"9 0 R 7 0 R")
        signed = prepared((8, fields), (7, forge.FONT.replace(b">>", b"/FT/Tx/T(x)>>")))
        told = changes(append(signed, {7: BASE[29].replace(b">>", b"/FT/Tx/T(x)/V(y)>>")}), signed)
        assert worst(told) is Modification.OTHER

    def test_a_node_of_pages_that_is_an_action(self):
        signed = prepared((1, forge.CATALOGUE % b"/OpenAction 2 0 R"))
        told = changes(edit(signed, 2, b"/Count", b"/S/JavaScript/JS(app.alert(1))/Count"), signed)
        assert kinds(told) == {"structure"}

    def test_an_overlay_that_becomes_a_signature(self):
        fields = (forge.FORM % b"").replace(b"15 0 R", b"15 0 R 16 0 R")
        over = BASE[16].replace(b"/FreeText", b"/Widget/FT/Sig/T(over)").replace(b"17 0 R", b"60 0 R")
        told = changes(append(approved(), {8: fields, 16: over, 60: look(b"")}), approved())
        assert {"annotation", "hidden"} <= kinds(told)

    @pytest.mark.parametrize("kind", [b"/Sig", b"/Tx"])
    def test_a_field_of_no_page_that_comes_onto_one(self, kind):
        fields = (forge.FORM % b"").replace(b"15 0 R", b"15 0 R 41 0 R")
        field = b"<</Type/Annot/Subtype/Widget/FT%b/T(over)/Rect[0 0 600 800]/F 4/AP<</N 34 0 R>>>>" % kind
        signed = prepared((8, fields), (41, field))
        told = changes(append(signed, {3: FIRST_PAGE.replace(b"18 0 R]", b"18 0 R 41 0 R]")}), signed)
        assert kinds(told) == {"structure", "hidden"}


class TestDoubledObjects:
    def test_a_second_object_of_the_same_number(self):
        """Hide and replace by cross-references alone: both lay in the signed bytes."""
        original = forge.whole(BASE)
        inside = b"%d 0 obj\n%b\nendobj\n" % (5, BASE[27])
        signed = sign(append(original, {60: stream(inside)}))
        told = changes(point(signed, {5: signed.index(inside)}), signed)
        assert kinds(told) >= {"page_content", "hidden"}

    def test_an_older_form_of_an_object(self):
        original = forge.whole(BASE | {5: BASE[27]})
        signed = sign(append(original, {5: BASE[5]}))
        told = changes(point(signed, {5: original.index(b"\n5 0 obj") + 1}), signed)
        assert kinds(told) >= {"page_content", "hidden"}

    def test_cross_references_inside_the_signed_bytes(self):
        table = (
            b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Root 37 0 R/Info 23 0 R/Size 100/Prev %d>>\n"
            % forge.startxref(forge.whole(BASE))
        )
        signed = sign(append(forge.whole(BASE), {60: stream(table)}))
        told = changes(signed + b"startxref\n%d\n%%%%EOF\n" % signed.index(table), signed)
        assert worst(told) is Modification.OTHER

    def test_two_fields_of_one_name(self):
        second = forge.REMARK_FIELD.replace(b"remark", b"name") % b""
        signed = prepared((11, second))
        told = changes(append(signed, {11: second.replace(b"/Tx/T", b"/Tx/V(y)/MK<<>>/T")}), signed)
        assert kinds(told) == {"form_value", "page_content"}


class TestHybrids:
    """ISO 32000-2 clause 7.5.8.4: a table and a stream in one update."""

    def hybrid(self, pdf: bytes, rows: dict[int, bytes]) -> bytes:
        here = len(pdf)
        index = b" ".join(b"%d 1" % key for key in sorted(rows))
        entries = b"/Type/XRef/W[1 4 2]/Index[%b]/Size 99" % index
        table = b"98 0 obj\n%b\nendobj\n" % stream(b"".join(rows[key] for key in sorted(rows)), entries)
        return point(pdf + table, {98: here}, b"/XRefStm %d" % here)

    def test_objects_from_the_stream_count(self):
        place = b"\x01" + approved().index(b"\n27 0 obj").to_bytes(4, "big") + b"\0\0"
        told = changes(
            self.hybrid(edit(approved(), 3, b"/Contents 5 0 R", b"/Contents 27 0 R"), {27: place}), approved()
        )
        assert "hidden" in kinds(told)

    def test_a_stream_that_says_nothing_new(self):
        number = b"\x01" + (approved().index(b"\n7 0 obj") + 1).to_bytes(4, "big") + b"\0\0"
        assert kinds(changes(self.hybrid(approved(), {7: number}), approved())) == set()


class TestOtherWriters:
    def test_linearised(self):
        out = BytesIO()
        with pikepdf.open(BytesIO(forge.whole(BASE))) as pdf:
            pdf.save(out, linearize=True)
        signed = sign(out.getvalue())
        assert worst(changes(forge.document_timestamp(signed), signed)) is Modification.LTV
        assert kinds(changes(sign(signed, "second", who="other"), signed)) == {"signature"}

    def test_a_form_of_many_fields(self):
        many = {100 + n: forge.REMARK_FIELD.replace(b"remark", b"f%d" % n) % b"" for n in range(300)}
        fields = (forge.FORM % b"").replace(b"15 0 R]", b"15 0 R %b]" % b" ".join(b"%d 0 R" % n for n in many))
        told = changes(append(approved(), {8: fields} | many), approved())
        assert kinds(told) == {"structure"}
        assert len(told) < 40


WORD = re.compile(rb"\((?:[^()\\]|\\.)*\)|/[A-Za-z0-9]+|-?\d+(?: 0 R)?|true|false")
SILENT = {22, 23, 26, 27, 28, 29, 33, 34, 37, 38}  # metadata, and what nothing refers to


def mutations():
    """Every word of every object of the signed file, exchanged for another of its kind."""
    for number in sorted(set(BASE) - SILENT):
        text = body(approved(), number)
        head = text.partition(b"\nstream")[0]
        for word in WORD.finditer(head):
            before = head[: word.start()]
            if before.endswith((b"/Length ", b"/SigFlags ")) or b"/Extensions" in before:
                continue
            other = {b"(": b"(zz)", b"/": b"/Zz"}.get(word[0][:1], b"77")
            other = other if b"R" not in word[0] else b"null"
            yield number, text[: word.start()] + other + text[word.end() :]


def test_no_word_of_any_object_is_exchanged_unseen():
    for number, text in mutations():
        forged = append(approved(), {number: text})
        try:
            BoundedReader(forged)
        except Exception:  # no PDF any more
            continue
        assert worst(changes(forged, approved())) is Modification.OTHER, text


class TestLexing:
    """References found by looking through an object are those that reading it finds; else it is read."""

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            (b"<</A 1 0 R/B[2 0 R 3 5 R]>>", ((1, 0), (2, 0), (3, 5))),
            (b"<</A(1 0 R)/B<01>/C/R/D -1.5/E true>> 9 0 R", ()),
            (b"<</A\n1\r\n0\tR>>", ((1, 0),)),
            (b"<</A 1 %c\n0 R>>", None),
            (b"<</A(a(b))/C 1 0 R>>", None),
            (b"<</A 1 0 obj>>", None),
            (b"5", None),
            (b"<</A (" + b"x" * 20000 + b")>>", None),
            (b"<</A", None),
        ],
    )
    def test_references(self, text, found):
        data = b"4 0 obj\n" + text + b"\nendobj\n"
        assert lexed_references(data, 0, (4, 0)) == found
        assert lexed_references(data, 0, (5, 0)) is None
