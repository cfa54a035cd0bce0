"""Each attack on a signed PDF has a name, and each lawful update is none: what the comparison says of every kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from keys.envelopes.pades import Modification
from keys.envelopes.pades.changes import worst
from keys.envelopes.pades.model import ChangeKind
from tests.keys import shadow_forge as forge
from tests.keys.shadow_forge import (
    BASE,
    CONTENT,
    FIRST_PAGE,
    append,
    body,
    changes,
    edit,
    kinds,
    look,
    stream,
    text_look,
)


@cache
def approved() -> bytes:
    return forge.sign(forge.whole(BASE))


@cache
def certified(level: int) -> bytes:
    return forge.sign(forge.whole(BASE), certify=level)


def note(entries: bytes = b"") -> bytes:
    return b"<</Type/Annot/Subtype/FreeText/Rect[60 690 100 710]/F 4/Contents(999)/AP<</N 61 0 R>>%b>>" % entries


def page_with(*numbers: int) -> bytes:
    return FIRST_PAGE.replace(b"18 0 R]", b"18 0 R %b]" % b" ".join(b"%d 0 R" % number for number in numbers))


def filled(text: bytes = b"Wang Wu", shown: bytes | None = None) -> Callable[[bytes], bytes]:
    field = forge.NAME_FIELD % (text, 60, b"")
    return lambda pdf: append(pdf, {9: field, 60: text_look(text if shown is None else shown)})


# name, update, kinds that must be told, kinds that may be told as well
ATTACKS = [
    # replace: what is shown is exchanged under what was signed
    ("content of a page", lambda p: append(p, {5: BASE[27]}), {"page_content"}, set()),
    ("content of a page, new stream", lambda p: edit(p, 3, b"/Contents 5 0 R", b"/Contents 60 0 R", n60=BASE[27]),
     {"page_content"}, set()),
    ("a font redefined", lambda p: append(p, {7: BASE[29]}), {"page_content"},
     {"signature_changed", "annotation", "structure", "hidden"}),
    ("a font's encoding", lambda p: append(p, {7: forge.FONT.replace(b">>", b"/Encoding<</Differences[49/nine]>>>>")}),
     {"page_content"}, {"signature_changed", "annotation", "structure", "hidden"}),
    ("an appearance without the value, in place", lambda p: append(p, {10: text_look(b"Wang Wu")}),
     {"page_content"}, set()),
    ("an appearance without the value, new stream",
     lambda p: append(p, {9: forge.NAME_FIELD % (b"Li Ming", 60, b""), 60: text_look(b"Wang Wu")}),
     {"page_content"}, set()),
    ("an appearance of another value", filled(b"Wang Wu", b"Zhao Liu"), {"page_content", "form_value"}, set()),
    ("a picture for a value", lambda p: append(p, {9: forge.NAME_FIELD % (b"Wang Wu", 60, b""),
     60: look(b"q /Im Do Q", b"/XObject<</Im 19 0 R>>")}), {"page_content", "form_value"}, set()),
    ("a value under the appearance that was signed",
     lambda p: append(p, {9: forge.NAME_FIELD % (b"Wang Wu", 10, b"")}), {"form_value"}, set()),
    ("a state that is not the value", lambda p: append(p, {12: forge.AGREE_FIELD % (b"Off", b"Yes", 13)}),
     {"page_content"}, set()),
    ("a button's picture", lambda p: append(p, {13: look(b"1 0 0 rg 0 0 99 99 re f")}), {"page_content"}, set()),
    ("a field moved", lambda p: edit(p, 9, b"[10 600", b"[200 600"), {"page_content"}, {"structure"}),
    ("a field hidden", lambda p: edit(p, 9, b"/F 4", b"/F 2"), {"page_content"}, {"structure"}),
    ("values drawn anew by the viewer", lambda p: append(p, {8: forge.FORM % b"/NeedAppearances true"}),
     {"page_content"}, set()),
    ("a form in XML", lambda p: append(p, {8: forge.FORM % b"/XFA 60 0 R", 60: stream(b"<xdp/>")}),
     {"page_content"}, set()),
    ("an image", lambda p: append(p, {19: BASE[19].replace(b"\xff", b"\x00")}), {"page_content", "hidden"}, set()),
    ("a box of a page", lambda p: edit(p, 3, b"/Type/Page", b"/Type/Page/CropBox[0 0 600 100]"),
     {"page_content"}, set()),
    ("an inherited box", lambda p: edit(p, 2, b"600 800", b"600 500"), {"page_content"}, set()),
    ("a page turned", lambda p: edit(p, 2, b"/Count 2", b"/Count 2/Rotate 180"), {"page_content"}, set()),
    ("the note under its number", lambda p: append(p, {16: BASE[16].replace(b"(note)", b"(else)")}),
     {"annotation"}, set()),
    # hide: what covered the content is taken away
    ("an overlay removed", lambda p: append(p, {3: FIRST_PAGE.replace(b"16 0 R", b"")}),
     {"annotation", "hidden"}, set()),
    ("an overlay moved", lambda p: edit(p, 16, b"[50 690", b"[50 708"), {"annotation", "hidden"}, set()),
    ("an overlay hidden", lambda p: edit(p, 16, b"/F 4", b"/F 2"), {"annotation", "hidden"}, set()),
    ("an overlay emptied", lambda p: append(p, {17: look(b"")}), {"annotation", "hidden"}, set()),
    ("an overlay freed", lambda p: append(p, {}, free=((16, 1),)), {"hidden", "structure"}, {"annotation"}),
    ("an overlay freed for good", lambda p: append(p, {}, free=((16, 65535),)), {"hidden", "structure"},
     {"annotation"}),
    ("an image freed", lambda p: append(p, {}, free=((19, 1),)), {"page_content", "hidden", "structure"}, set()),
    ("an image freed for good", lambda p: append(p, {}, free=((19, 65535),)),
     {"page_content", "hidden", "structure"}, set()),
    ("an image taken from the content", lambda p: append(p, {5: stream(CONTENT.replace(b"/Im Do", b""))}),
     {"page_content", "hidden"}, set()),
    ("a layer switched on", lambda p: edit(p, 1, b"[ 21 0 R ]" if b"[ 21 0 R ]" in body(p, 1) else b"[21 0 R]", b"[]"),
     {"page_content", "hidden"}, set()),
    # hide and replace: what lay unused in the signed bytes is used
    ("an unused page", lambda p: edit(p, 2, b"3 0 R", b"26 0 R"), {"page_content", "hidden"},
     {"annotation", "signature_changed", "structure"}),
    ("an unused page added", lambda p: edit(p, 2, b"3 0 R", b"26 0 R 3 0 R"), {"page_added", "hidden"}, set()),
    ("unused content", lambda p: edit(p, 3, b"/Contents 5 0 R", b"/Contents 27 0 R"),
     {"page_content", "hidden"}, set()),
    ("an unused appearance", lambda p: append(p, {9: forge.NAME_FIELD % (b"Li Ming", 28, b"")}),
     {"page_content", "hidden"}, set()),
    ("an unused appearance with its value", lambda p: append(p, {9: forge.NAME_FIELD % (b"Wang Wu", 28, b"")}),
     {"form_value", "hidden"}, set()),
    ("an unused stamp", lambda p: append(p, {3: page_with(33)}), {"annotation", "hidden"}, set()),
    ("an unused font", lambda p: edit(p, 3, b"/Font<</F 7 0 R>>", b"/Font<</F 29 0 R>>"),
     {"page_content", "hidden"}, set()),
    ("an unused catalogue", lambda p: append(p, {}, trailer=b"/Root 37 0 R"), {"page_added", "page_removed", "hidden"},
     {"structure", "signature_changed"}),
    ("an unused object written anew", lambda p: edit(p, 3, b"/Contents 5 0 R", b"/Contents 27 0 R", n27=BASE[27]),
     {"page_content", "structure"}, set()),
    # pages
    ("a page added", lambda p: edit(p, 2, b"4 0 R", b"4 0 R 60 0 R", n60=BASE[26]), {"page_added"}, {"hidden"}),
    ("a page removed", lambda p: edit(p, 2, b"4 0 R", b""), {"page_removed"}, set()),
    ("pages exchanged", lambda p: edit(p, 2, b"3 0 R 4 0 R", b"4 0 R 3 0 R"), {"page_order"}, set()),
    ("a page shown twice", lambda p: edit(p, 2, b"3 0 R 4 0 R", b"3 0 R 4 0 R 3 0 R"), {"page_added"}, set()),
    ("pages that are no tree", lambda p: edit(p, 2, b"[3 0 R 4 0 R]", b"[2 0 R]"), {"unreadable"}, set()),
    ("no pages", lambda p: edit(p, 2, b"/Kids[3 0 R 4 0 R]", b""),
     {"page_added", "page_removed"}, {"structure", "signature_changed"}),
    # actions, attachments, the catalogue
    ("a script on opening", lambda p: edit(p, 1, b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>"),
     {"action"}, set()),
    ("a script by name",
     lambda p: edit(p, 1, b"/EmbeddedFiles", b"/JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>/EmbeddedFiles"),
     {"action"}, set()),
    ("a script of a page", lambda p: edit(p, 4, b"/Type/Page", b"/Type/Page/AA<</O<</S/JavaScript/JS(1)>>>>"),
     {"action"}, set()),
    ("a script of a field", lambda p: edit(p, 9, b"/T(name)", b"/T(name)/AA<</F<</S/JavaScript/JS(1)>>>>"),
     {"action"}, set()),
    ("an attachment exchanged", lambda p: append(p, {32: stream(b'{"forged":1}', b"/Type/EmbeddedFile")}),
     {"attachment"}, set()),
    ("an attachment added", lambda p: edit(p, 31, b"/F 32 0 R", b"/F 32 0 R/UF 60 0 R", n60=stream(b"x")),
     {"attachment"}, set()),
    ("bookmarks", lambda p: append(p, {25: BASE[25].replace(b"One", b"Two")}), {"structure"}, set()),
    ("how it opens", lambda p: edit(p, 1, b"/Catalog", b"/Catalog/ViewerPreferences<</HideToolbar true>>"),
     {"structure"}, set()),
    ("what nobody knows", lambda p: append(p, {35: b"[(other) 7 0 R]"}), {"structure"}, set()),
    ("metadata that are none", lambda p: append(p, {22: stream(b"bogus")}), {"structure"}, set()),
    ("metadata removed", lambda p: append(p, {22: b"null"}), {"structure"}, set()),
    # fields and signatures
    ("a text field added", lambda p: append(p, {8: forge.FORM.replace(b"15 0 R]", b"15 0 R 60 0 R]") % b"",
     60: forge.REMARK_FIELD.replace(b"remark", b"more") % b""}), {"structure"}, set()),
    ("a field removed", lambda p: append(p, {8: forge.FORM.replace(b"11 0 R", b"") % b""}), {"structure"}, set()),
    ("a field renamed", lambda p: edit(p, 11, b"remark", b"amount"), {"structure"}, {"annotation"}),
    ("a field of another type", lambda p: edit(p, 11, b"/FT/Tx", b"/FT/Sig"), {"structure"}, set()),
    ("kids that are none", lambda p: edit(p, 11, b"/FT/Tx", b"/FT/Tx/Kids[]"), {"structure"}, set()),
    ("the signature's own box", lambda p: edit(p, 30, b"/Rect", b"/Rect [0 0 600 800]/Old"),
     {"signature_changed"}, set()),
    ("the signature's own look", lambda p: edit(p, 30, b"/T", b"/AP<</N 34 0 R>>/T"), {"signature_changed"},
     {"hidden"}),
    ("the signature removed", lambda p: append(p, {30: BASE[30]}), {"signature_changed"}, set()),
    ("the signature's widget removed", lambda p: append(p, {3: FIRST_PAGE.replace(b"30 0 R ", b"")}),
     {"signature_changed"}, set()),
    ("an empty signature's look", lambda p: append(p, {36: look(b"1 0 0 rg 0 0 100 20 re f")}),
     {"signature_changed"}, set()),
    ("an empty signature moved", lambda p: edit(p, 15, b"[300 100", b"[100 100"), {"signature_changed"}, set()),
    ("a script in a DSS", lambda p: edit(p, 1, b"/Catalog", b"/Catalog/DSS<</JS(app.alert(1))>>"),
     {"structure"}, set()),
    ("a DSS of something else", lambda p: edit(p, 1, b"/Catalog", b"/Catalog/DSS 5 0 R"), {"structure"}, set()),
    # the file itself
    ("bytes after the end", lambda p: p + b"\n%PDF-1.7 hello\n", {"structure"}, set()),
    ("an update that goes back to the unsigned file",
     lambda p: p + b"\nstartxref\n%d\n%%%%EOF\n" % forge.startxref(forge.whole(BASE)),
     {"signature_changed", "structure"},
     {"metadata"}),
    ("an update that hangs on nothing",
     lambda p: append(p, {11: BASE[11]}, trailer=b"/Prev %d" % forge.startxref(forge.whole(BASE))), {"structure"},
     {"signature_changed", "metadata"}),
    ("an object stream of everything", lambda p: forge.append_packed(p, {9: forge.NAME_FIELD % (b"Li Ming", 28, b"")}),
     {"page_content", "hidden"}, set()),
    ("an unknown thing in the trailer", lambda p: append(p, {}, trailer=b"/FooBar 5 0 R"), {"structure"}, set()),
]  # fmt: skip


class TestAttacks:
    @pytest.mark.parametrize(
        ("update", "must", "may"), [case[1:] for case in ATTACKS], ids=[case[0] for case in ATTACKS]
    )
    def test_is_named(self, update, must, may):
        told = changes(update(approved()), approved())
        assert must <= kinds(told) <= must | may
        if kinds(told) != {"annotation"}:
            assert worst(told) is Modification.OTHER

    @pytest.mark.parametrize("update", [case[1] for case in ATTACKS[:30]], ids=[case[0] for case in ATTACKS[:30]])
    def test_is_not_permitted_after_any_certification(self, update):
        assert worst(changes(update(certified(2)), certified(2))) is Modification.OTHER

    def test_pages_are_numbered_as_they_are_now(self):
        (told,) = changes(append(approved(), {6: BASE[27]}), approved())
        assert (told.kind, told.pages, told.permitted) == (ChangeKind.PAGE_CONTENT, (2,), False)


class TestOverlays:
    """What is laid over the page after signing: permitted by level 3 alone, told always."""

    @pytest.mark.parametrize(("level", "permitted"), [(None, True), (1, False), (2, False), (3, True)])
    def test_a_note(self, level, permitted):
        signed = approved() if level is None else certified(level)
        (told,) = changes(append(signed, {3: page_with(60), 60: note(), 61: text_look(b"999")}), signed)
        assert (told.kind, told.pages, told.permitted) == (ChangeKind.ANNOTATION, (1,), permitted)
        assert worst((told,)) is Modification.OTHER

    def test_a_widget_of_no_field(self):
        widget = note().replace(b"FreeText", b"Widget")
        told = changes(append(approved(), {3: page_with(60), 60: widget, 61: text_look(b"999")}), approved())
        assert kinds(told) == {"annotation"}

    def test_notes_in_another_order(self):
        """What is drawn later lies above (12.5.2)."""
        told = changes(append(approved(), {3: FIRST_PAGE.replace(b"16 0 R 18 0 R", b"18 0 R 16 0 R")}), approved())
        assert kinds(told) == {"page_content"}


class TestFilling:
    @pytest.mark.parametrize(("level", "permitted"), [(None, True), (1, False), (2, True), (3, True)])
    def test_by_certification(self, level, permitted):
        """ISO 32000-2 table 257."""
        signed = approved() if level is None else certified(level)
        (told,) = changes(filled()(signed), signed)
        assert (told.kind, told.permitted, told.detail, told.pages) == (ChangeKind.FORM_VALUE, permitted, "name", (1,))
        assert worst((told,)) is (Modification.FORM if permitted else Modification.OTHER)

    def test_an_empty_field(self):
        field = forge.REMARK_FIELD % b"/V(fine)/AP<</N 60 0 R>>"
        (told,) = changes(append(approved(), {11: field, 60: text_look(b"fine")}), approved())
        assert (told.kind, told.permitted) == (ChangeKind.FORM_VALUE, True)

    def test_a_field_without_a_look_gets_a_value(self):
        (told,) = changes(append(approved(), {11: forge.REMARK_FIELD % b"/V(fine)"}), approved())
        assert (told.kind, told.permitted) == (ChangeKind.FORM_VALUE, True)

    def test_a_box_ticked(self):
        (told,) = changes(append(approved(), {12: forge.AGREE_FIELD % (b"Yes", b"Yes", 13)}), approved())
        assert (told.kind, told.permitted) == (ChangeKind.FORM_VALUE, True)

    def test_a_value_in_hexadecimal_and_in_pieces(self):
        field = forge.NAME_FIELD % (b"Wang Wu", 60, b"")
        shown = b"/Tx BMC BT /F 10 Tf [<57616E>-10(\\147 Wu)] TJ ET EMC"
        (told,) = changes(append(approved(), {9: field, 60: look(shown)}), approved())
        assert told.permitted

    def test_an_appearance_of_other_pages_fonts_may_agree(self):
        """What is written in codes of its own can't be read; the value is told, the clerk sees both."""
        font = b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[7 0 R]>>"
        shown = look(b"BT /G 9 Tf <00010002> Tj ET", b"/Font<</G 61 0 R>>")
        field = forge.NAME_FIELD % (b"Wang Wu", 60, b"")
        (told,) = changes(append(approved(), {9: field, 60: shown, 61: font}), approved())
        assert told.permitted

    def test_read_only_may_be_set_with_the_value(self):
        field = forge.NAME_FIELD % (b"Wang Wu", 60, b"/Ff 1")
        (told,) = changes(append(approved(), {9: field, 60: text_look(b"Wang Wu")}), approved())
        assert told.permitted
        field = forge.NAME_FIELD % (b"Wang Wu", 60, b"/Ff 8192")
        told = changes(append(approved(), {9: field, 60: text_look(b"Wang Wu")}), approved())
        assert worst(told) is Modification.OTHER
