"""The same document written otherwise is the same document, and no other update passes as none."""

from __future__ import annotations

from io import BytesIO

import pikepdf
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.envelopes.pades import Modification
from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.changes import worst
from tests.keys import shadow_forge as forge
from tests.keys.shadow_forge import BASE, append, append_packed, changes, edit, kinds, look, sign, stream
from tests.keys.test_pdf_changes import approved, certified
from tests.keys.test_pdf_changes_lawful import with_dss


class TestPacking:
    """The same document written otherwise is the same document."""

    def test_nothing(self):
        assert changes(approved(), approved()) == ()
        assert changes(append(approved(), {}), approved()) == ()
        assert changes(approved() + b"\r\n", approved()) == ()

    def test_what_nothing_refers_to(self):
        assert changes(append(approved(), {60: b"(hello)"}), approved()) == ()

    def test_everything_written_again(self):
        same = {number: value for number, value in BASE.items() if number not in (1, 8, 22, 23, 30)}
        assert changes(append(approved(), same), approved()) == ()
        plain = {number: value for number, value in same.items() if b"stream" not in value}
        assert kinds(changes(append_packed(approved(), plain), approved())) == set()

    def test_content_cut_and_compressed_otherwise(self):
        start, _, end = forge.CONTENT.partition(b"\n")
        pieces = {61: stream(start, packed=True), 62: stream(end, packed=True)}
        moved = edit(approved(), 3, b"/Contents 5 0 R", b"/Contents[61 0 R 62 0 R]")
        assert changes(append(moved, pieces), approved()) == ()

    def test_a_copy_of_a_resource(self):
        assert changes(edit(approved(), 3, b"/F 7 0 R", b"/F 60 0 R", n60=forge.FONT), approved()) == ()

    def test_dates_and_titles(self):
        newer = {22: stream(forge.XMP % b"now", b"/Type/Metadata/Subtype/XML"), 23: b"<</ModDate(D:20261121000000Z)>>"}
        told = changes(append(certified(1), newer), certified(1))
        assert {change.detail for change in told} == {"Info", "Metadata"}
        assert worst(told) is Modification.LTV

    def test_a_newer_version_and_an_extension(self):
        told = changes(edit(approved(), 1, b"/Version", b"/Version/2.0/Old"), approved())
        assert "structure" in kinds(told)  # nobody knows /Old
        told = changes(edit(approved(), 1, b"/ESIC", b"/ADBE"), approved())
        assert worst(told) is Modification.LTV

    def test_packed_files(self):
        """Object streams and cross-reference streams, as most writers make them."""
        packed = BytesIO()
        with pikepdf.open(BytesIO(forge.whole(BASE))) as pdf:
            pdf.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        signed = sign(packed.getvalue())
        assert worst(changes(forge.document_timestamp(with_dss(signed)), signed)) is Modification.LTV
        assert kinds(changes(sign(signed, "second", who="other"), signed)) == {"signature"}

    def test_an_object_stream_replaced(self):
        """Everything inside one changes with it, though no entry of theirs does."""
        packed = append_packed(forge.whole(BASE), {5000: b"(x)", 7: forge.FONT})
        signed = sign(packed)
        head = b"5000 0 7 4 "
        other = stream(head + b"(x)\n" + BASE[29], b"/Type/ObjStm/N 2/First %d" % len(head))
        assert worst(changes(append_any(signed, {900: other}), signed)) is Modification.OTHER

    def test_a_page_that_does_not_exist(self):
        """A reference to nothing is null (7.3.10), and no page; somebody may make it one later."""
        signed = sign(forge.whole(BASE | {2: BASE[2].replace(b"4 0 R", b"4 0 R 70 0 R")}))
        assert worst(changes(with_dss(signed), signed)) is Modification.LTV
        assert kinds(changes(append(signed, {70: BASE[4]}), signed)) == {"page_added"}

    def test_not_the_same_file(self):
        assert kinds(changes(approved().replace(b"PDF-1.7", b"PDF-1.6"), approved())) == {"unreadable"}


def append_any(pdf: bytes, objects: dict[int, bytes]) -> bytes:
    out = bytearray(pdf)
    rows = {}
    for number, value in objects.items():
        rows[number] = b"\x01" + len(out).to_bytes(4, "big") + b"\0\0"
        out += b"%d 0 obj\n%b\nendobj\n" % (number, value)
    here = len(out)
    rows[6000] = b"\x01" + here.to_bytes(4, "big") + b"\0\0"
    index = b" ".join(b"%d 1" % key for key in sorted(rows))
    entries = b"/Type/XRef/W[1 4 2]/Index[%b]/Root 1 0 R/Info 23 0 R/Size 6001/Prev %d" % (index, forge.startxref(pdf))
    table = stream(b"".join(rows[key] for key in sorted(rows)), entries)
    return bytes(out + b"6000 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, here))


NUMBERS = st.sampled_from([n for n in BASE if n not in (1, 8, 30)] + [60])
BODIES = st.one_of(
    st.sampled_from([*BASE.values(), b"null", b"[]", b"<<>>", b"(x)", b"/N", b"5 0 R", b"[60 0 R]", look(b"")]),
    st.binary(max_size=40),
)


class TestAnyUpdate:
    @settings(max_examples=120, deadline=None)
    @given(st.dictionaries(NUMBERS, BODIES, max_size=3), st.lists(NUMBERS, max_size=2))
    def test_what_is_not_told_is_the_same(self, objects, freed):
        """No update of any object passes as none, unless the object says what it said or nothing uses it."""
        update = append(approved(), objects, free=tuple((number, 1) for number in freed if number not in objects))
        try:
            BoundedReader(update)
        except Exception:  # no PDF any more: refused before any comparison
            return
        told = changes(update, approved())
        unused = {22, 23, 26, 27, 28, 29, 33, 34, 37, 38, 60}
        touched = {n for n, value in objects.items() if value != BASE.get(n)} | (set(freed) - set(objects))
        if touched - unused:
            assert worst(told) not in (Modification.NONE, Modification.LTV)

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, tail):
        try:
            BoundedReader(approved() + tail)
        except Exception:
            return
        changes(approved() + tail, approved())
