"""Attacks on the comparison itself, made up by a reviewer: what passes quietly is where somebody will hide."""

from __future__ import annotations

from functools import cache

import pytest

from keys.envelopes.pades import Modification
from keys.envelopes.pades.changes import worst
from tests.keys import shadow_forge as forge
from tests.keys.shadow_forge import BASE, CATALOGUE, FIRST_PAGE, FORM, PAGE, append, changes, kinds, look, stream
from tests.keys.test_pdf_changes import approved, page_with

WHITE = look(b"1 1 1 rg 0 0 999 999 re f")
SIGNATURE = (
    b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/Contents<00>/ByteRange[0 0 0 0]/Name(somebody)>>"
)


@cache
def prepared(*objects: tuple[int, bytes]) -> bytes:
    """A signed file in which some objects are what the attacker prepared."""
    return forge.sign(forge.whole(BASE | dict(objects)))


def form(*numbers: int, more: bytes = b"") -> bytes:
    return FORM.replace(b"15 0 R]", b"15 0 R %b]" % b" ".join(b"%d 0 R" % number for number in numbers)) % more


def widget(box: bytes, flags: int = 4, more: bytes = b"/AP<</N 61 0 R>>/V 62 0 R", name: bytes = b"x") -> bytes:
    return b"<</Type/Annot/Subtype/Widget/FT/Sig/T(%b)/P 3 0 R/Rect[%b]/F %d%b>>" % (name, box, flags, more)


def added(*fields: bytes, **more: bytes) -> bytes:
    """An update that adds these signature fields to the first page."""
    numbers = range(70, 70 + len(fields))
    objects = {3: page_with(*numbers), 8: form(*numbers), 61: WHITE, 62: SIGNATURE}
    return append(
        approved(),
        objects | dict(zip(numbers, fields, strict=True)) | {int(key[1:]): value for key, value in more.items()},
    )


def alarms(pdf: bytes, signed: bytes) -> bool:
    return worst(changes(pdf, signed)) is Modification.OTHER


class TestSignatureFieldsAsOverlays:
    """A further signature is told and does not alarm: whoever paints will call it a signature."""

    FREE = b"300 300 400 350"

    def test_a_plain_one_does_not_alarm(self):
        assert kinds(changes(added(widget(self.FREE)), approved())) == {"signature"}
        assert not alarms(added(widget(self.FREE)), approved())

    def test_a_box_that_is_only_printed_counts(self):
        assert alarms(added(widget(b"0 0 600 800", 32 | 4)), approved())

    def test_a_box_that_is_seen_under_the_pointer_counts(self):
        assert alarms(added(widget(b"0 0 600 800", 32 | 256)), approved())

    def test_a_box_that_is_not_printed_and_not_viewed_does_not_count(self):
        assert not alarms(added(widget(b"0 0 600 800", 32)), approved())

    def test_a_box_of_five_numbers_may_be_one(self):
        assert alarms(added(widget(b"0 0 600 800 1")), approved())

    def test_many_small_boxes_are_one_large(self):
        tiles = [widget(b"20 %d 580 %d" % (y, y + 60), name=b"x%d" % y) for y in range(170, 510, 70)]
        assert not alarms(added(*tiles[:2]), approved())
        assert alarms(added(*tiles), approved())

    def test_nobody_signs_in_an_empty_field_that_paints(self):
        told = changes(added(widget(self.FREE, more=b"/AP<</N 61 0 R>>")), approved())
        assert kinds(told) == {"signature", "annotation"}
        told = changes(added(widget(self.FREE, more=b"/MK<</BG[1 1 1]>>")), approved())
        assert kinds(told) == {"signature", "annotation"}
        assert kinds(changes(added(widget(self.FREE, more=b"/AP<</N 61 0 R>>"), n61=look(b" ")), approved())) == {
            "signature"
        }

    @pytest.mark.parametrize("more", [b"/AA<</PO<</S/SetOCGState/State[/ON 21 0 R]>>>>", b"/A<</S/JavaScript/JS(1)>>"])
    def test_an_action_comes_with_the_signature(self, more):
        assert "action" in kinds(changes(added(widget(b"0 0 0 0", more=more)), approved()))

    def test_an_action_comes_with_the_node_above_it(self):
        above = b"<</T(x)/FT/Sig/Kids[63 0 R]/AA<</PO<</S/JavaScript/JS(1)>>>>>>"
        pdf = append(approved(), {8: form(60), 60: above, 62: SIGNATURE, 63: b"<</T(y)/Parent 60 0 R/V 62 0 R>>"})
        assert "action" in kinds(changes(pdf, approved()))

    def test_the_node_above_it_paints(self):
        above = widget(b"0 0 600 800", more=b"/Kids[63 0 R]/AP<</N 61 0 R>>")
        assert alarms(added(above, n63=b"<</T(y)/Parent 70 0 R/V 62 0 R>>"), approved())

    def test_small_on_the_first_page_that_shows_it_and_whole_on_the_next(self):
        page = FIRST_PAGE.replace(b"/Type/Page", b"/Type/Page/MediaBox[0 0 6000 8000]")
        signed = prepared((3, page))
        pdf = append(
            signed,
            {
                3: page.replace(b"18 0 R]", b"18 0 R 60 0 R]"),
                4: PAGE % (6, b"60 0 R", b""),
                8: form(60),
                60: widget(b"1000 1000 1600 1800"),
                61: WHITE,
                62: SIGNATURE,
            },
        )
        assert alarms(pdf, signed)

    def test_a_hidden_box_over_the_whole_page_was_prepared(self):
        signed = prepared((3, page_with(40)), (40, widget(b"0 0 600 800", 2, b"")), (8, form(40)))
        assert alarms(append(signed, {40: widget(b"0 0 600 800"), 61: WHITE, 62: SIGNATURE}), signed)


class TestResourcesThatAreFieldsToo:
    """What is compared as a field, in its own place, where other words count."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b"/FT/Sig/T(z)/M 41 0 R", b"/FT/Sig/T(z)/M 61 0 R/V 62 0 R"),
            (b"/FT/Tx/T(z)", b"/FT/Tx/T(z)/P 61 0 R"),
            (b"/FT/Tx/T(z)/P 41 0 R", b"/FT/Tx/T(z)/P 61 0 R"),
        ],
    )
    def test_an_image_named_like_an_entry_of_a_field(self, before, after):
        page = FIRST_PAGE.replace(b"/XObject<</Im 19 0 R>>", b"/XObject 40 0 R")
        signed = prepared((3, page), (40, b"<</Im 19 0 R%b>>" % before), (41, look(b"")), (8, form(40)))
        told = changes(append(signed, {40: b"<</Im 19 0 R%b>>" % after, 61: WHITE, 62: SIGNATURE}), signed)
        assert "page_content" in kinds(told)

    def test_in_what_a_note_is_drawn_with(self):
        resources = stream(b"/M Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject 40 0 R>>")
        objects = ((17, resources), (40, b"<</FT/Sig/T(z)/M 41 0 R>>"), (41, look(b"")), (8, form(40)))
        signed = prepared(*objects)
        told = changes(append(signed, {40: b"<</FT/Sig/T(z)/M 61 0 R/V 62 0 R>>", 61: WHITE, 62: SIGNATURE}), signed)
        assert {"annotation", "hidden"} <= kinds(told)

    def test_an_image_named_like_the_page_of_a_note(self):
        page = FIRST_PAGE.replace(b"/XObject<</Im 19 0 R>>", b"/XObject 40 0 R").replace(b"18 0 R]", b"18 0 R 40 0 R]")
        link = b"<</Im 19 0 R/Type/Annot/Subtype/Link/Rect[0 0 0 0]%b>>"
        signed = prepared((3, page), (40, link % b""))
        assert alarms(append(signed, {40: link % b"/P 61 0 R", 61: WHITE}), signed)

    def test_the_settings_of_layers(self):
        catalogue = (CATALOGUE % b"").replace(b"/D<</OFF[21 0 R]>>", b"/D 40 0 R")
        layer = b"<</Type/OCG/Name(B)/Usage<</View<</ViewState/ON>>>>>>"
        signed = prepared((1, catalogue), (40, b"<</OFF[21 0 R]/FT/Sig/T(z)>>"), (8, form(40)), (21, layer))
        usage = b"<</OFF[21 0 R]/FT/Sig/T(z)/AS[<</Event/View/OCGs[21 0 R]/Category[/View]>>]/V 62 0 R>>"
        assert alarms(append(signed, {40: usage, 62: SIGNATURE}), signed)

    def test_what_happens_on_opening(self):
        """The file to launch has the name that a field's flags have."""
        action = b"<</S/Launch/FT/Sig/T(z)%b>>"
        signed = prepared((1, CATALOGUE % b"/OpenAction 40 0 R"), (40, action % b""), (8, form(40)))
        assert alarms(append(signed, {40: action % b"/F(evil.exe)/V 62 0 R", 62: SIGNATURE}), signed)


class TestDrawnOtherwise:
    def test_a_note_listed_again_is_drawn_over_what_covered_it(self):
        cover = b"<</Type/Annot/Subtype/FreeText/Rect[40 640 200 720]/F 4/AP<</N 17 0 R>>/P 3 0 R>>"
        signed = prepared((3, page_with(40)), (40, cover))
        told = changes(append(signed, {3: page_with(40, 16)}), signed)
        assert kinds(told) == {"annotation"}

    def test_a_field_listed_again_is_drawn_over_what_covered_it(self):
        assert alarms(append(approved(), {3: page_with(9)}), approved())

    def test_colours_that_are_the_same_only_as_text(self):
        """A table of colours is bytes: as a string of another encoding it is another table."""
        image = b"/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace[/Indexed/DeviceRGB 0 %b]"
        signed = prepared((19, stream(b"\0", image % b"<414141>")))
        assert alarms(append(signed, {19: stream(b"\0", image % b"<FEFF004100410041>")}), signed)

    def test_a_filter_with_parameters_that_we_may_read_as_nobody_else_does(self):
        """A predictor whose parameters stand in an array of too many: what it means is up to the reader."""
        content = stream(forge.CONTENT, packed=True).replace(b"/Filter/FlateDecode", b"/Filter[/FlateDecode]")
        odd = content.replace(b"/Filter", b"/DecodeParms[null <</Predictor 12/Columns 4>>]/Filter")
        signed = prepared((5, stream(forge.CONTENT)))
        assert alarms(append(signed, {5: odd}), signed)

    @pytest.mark.parametrize("beside", [b"<<>>", b"[]", b"(x)"])
    def test_content_beside_what_is_no_content(self, beside):
        """What can't be read is not the same as anything else that can't be read."""
        page = PAGE.replace(b"%d 0 R/Resources", b"[%d 0 R 40 0 R]/Resources") % (6, b"", b"")
        signed = prepared((4, page), (40, beside))
        assert "page_content" in kinds(changes(append(signed, {6: BASE[27]}), signed))

    def test_content_coded_oddly_before_and_after(self):
        odd = b"/Filter/ASCIIHexDecode"
        signed = prepared((6, stream(b"42 54>", odd)))
        assert "page_content" in kinds(changes(append(signed, {6: stream(b"45 54>", odd)}), signed))

    @pytest.mark.parametrize(("font", "alarming"), [(b"Foo", True), (b"Bar", False)])
    def test_a_font_that_fields_were_waiting_for(self, font, alarming):
        """A field without a look is drawn by the viewer, with the font of that name."""
        waiting = forge.REMARK_FIELD.replace(b"(/F 10 Tf)", b"(/Foo 10 Tf)") % b"/V(100)"
        signed = prepared((11, waiting))
        pdf = forge.edit(signed, 8, b"/F 7 0 R", b"/F 7 0 R/%b 60 0 R" % font, n60=BASE[29])
        assert alarms(pdf, signed) is alarming

    def test_a_time_stamp_that_is_seen_is_a_note(self):
        stamp = SIGNATURE.replace(b"/Type/Sig", b"/Type/DocTimeStamp")
        told = changes(added(widget(b"300 300 400 350"), n62=stamp), approved())
        assert kinds(told) == {"signature", "annotation"}


class TestBrokenOnPurpose:
    """Viewers that find cross-references broken look for objects themselves, and take the last of a number."""

    def test_an_object_that_nothing_lists(self):
        pdf = approved() + b"5 0 obj\n%b\nendobj\n" % BASE[27]
        assert alarms(append(pdf, {60: b"<<>>"}, trailer=b"/Prev %d" % forge.startxref(approved())), approved())

    def test_objects_that_are_listed(self):
        assert changes(append(approved(), {60: b"<<>>"}), approved()) == ()
        assert changes(forge.append_packed(approved(), {60: b"<<>>"}), approved()) == ()
