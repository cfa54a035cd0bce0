"""What may follow a signature and must not alarm, and where what may follow ends: validation data, time-stamps,
further signatures, packing; locks, certification levels, and signatures that are no signatures.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils import generic
from pyhanko.sign import fields
from pyhanko.sign.validation.dss import DocumentSecurityStore

from keys.envelopes.pades import Modification
from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.changes import FieldLock, certification_level, changes_since, field_locks, worst
from keys.envelopes.pades.model import Change, ChangeKind
from tests.keys import pdf_files
from tests.keys import shadow_forge as forge
from tests.keys.shadow_forge import (
    BASE,
    append,
    body,
    changes,
    edit,
    kinds,
    sign,
)
from tests.keys.test_pdf_changes import approved, certified, filled

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "pdf"
MDP = fields.FieldMDPAction


def with_dss(pdf: bytes, vri: str = "AB" * 20) -> bytes:
    longer = BytesIO(pdf)
    certificate = x509.Certificate.load(pdf_files.CA.der)
    DocumentSecurityStore.add_dss(longer, vri.encode(), certs=[certificate])
    return longer.getvalue()


@cache
def archived(level: int | None = None) -> bytes:
    """B-LTA twice: store, time-stamp, store again, time-stamp again."""
    signed = approved() if level is None else certified(level)
    once = forge.document_timestamp(with_dss(signed))
    return forge.document_timestamp(with_dss(once, "CD" * 20))


def only(told: tuple[Change, ...]) -> Change:
    """The one change besides the dates that pyHanko writes."""
    (change,) = (change for change in told if change.kind is not ChangeKind.METADATA)
    return change


class TestLongTerm:
    """ETSI EN 319 142-1 clause 5.4, ISO 32000-2 clause 12.8.4.3: augmenting changes nothing that was signed."""

    @pytest.mark.parametrize("level", [None, 1, 2, 3])
    def test_validation_data_and_time_stamps(self, level):
        signed = approved() if level is None else certified(level)
        told = changes(archived(level), signed)
        assert kinds(told) == {"validation_data", "document_timestamp"}
        assert worst(told) is Modification.LTV

    def test_our_own_files(self):
        longer = with_dss(pdf_files.SIGNED)
        assert kinds(changes(longer, pdf_files.SIGNED, "seal")) == {"validation_data"}
        told = changes(forge.document_timestamp(longer), pdf_files.SIGNED, "seal")
        assert worst(told) is Modification.LTV

    def test_a_time_stamp_sees_what_came_after_it(self):
        once = forge.document_timestamp(with_dss(approved()))
        (name,) = {change.detail for change in changes(once, approved()) if change.kind.value == "document_timestamp"}
        assert worst(changes(with_dss(once, "EF" * 20), once, name)) is Modification.LTV
        assert worst(changes(append(once, {5: BASE[27]}), once, name)) is Modification.OTHER

    def test_a_store_written_anew_with_other_entries(self):
        """Whoever augments again may write the entries of a signature again (pyHanko calls that suspicious)."""
        longer = with_dss(approved())
        number = BoundedReader(longer).root.raw_get("/DSS").idnum
        certs = BoundedReader(longer).root["/DSS"]["/Certs"].raw_get(0).idnum
        store = b"<</VRI<</%b<</Cert[%d 0 R]/TU(D:20261201000000Z)>>>>/Certs[%d 0 R]>>" % (b"AB" * 20, certs, certs)
        assert worst(changes(append(longer, {number: store}), longer)) is Modification.LTV

    @pytest.mark.parametrize(
        "store",
        [b"null", b"<<>>", b"(x)", b"<</Certs null>>", b"<</Certs[5]>>", b"<</VRI 5>>", b"<</VRI<</Bleh null>>>>",
         b"<</VRI<</%b null>>>>" % (b"A" * 40), b"<</VRI<</%b<</Bleh null>>>>>>" % (b"A" * 40),
         b"<</VRI<</%b<</OCSP null>>>>>>" % (b"A" * 40)],
    )  # fmt: skip
    def test_a_store_that_is_none_or_is_emptied(self, store):
        longer = with_dss(approved())
        number = BoundedReader(longer).root.raw_get("/DSS").idnum
        assert kinds(changes(append(longer, {number: store}), longer)) == {"structure"}


class TestFurtherSignatures:
    def test_in_a_field_that_was_there(self):
        told = only(changes(sign(approved(), "second", who="other"), approved()))
        assert (told.kind, told.pages, told.permitted, told.detail) == (ChangeKind.SIGNATURE, (), True, "second")
        assert worst((told,)) is Modification.FORM

    @pytest.mark.parametrize(("level", "permitted"), [(1, False), (2, True), (3, True)])
    def test_in_a_field_that_was_there_by_certification(self, level, permitted):
        told = only(changes(sign(certified(level), "second", who="other"), certified(level)))
        assert (told.kind, told.permitted) == (ChangeKind.SIGNATURE, permitted)

    @pytest.mark.parametrize(("level", "permitted"), [(None, True), (1, False), (2, True), (3, True)])
    def test_in_a_new_field_that_is_not_seen(self, level, permitted):
        signed = approved() if level is None else certified(level)
        told = only(changes(sign(signed, "third", who="other"), signed))
        assert (told.kind, told.permitted) == (ChangeKind.SIGNATURE, permitted)

    @pytest.mark.parametrize(("level", "permitted"), [(None, True), (1, False), (2, False), (3, False)])
    def test_in_a_new_field_that_is_seen(self, level, permitted):
        """After a certification a box of one's own is an overlay (the sneaky signature attack)."""
        signed = approved() if level is None else certified(level)
        told = only(changes(sign(signed, "third", box=(300, 300, 400, 350), page=1, who="other"), signed))
        assert (told.kind, told.permitted, told.pages) == (ChangeKind.SIGNATURE, permitted, (2,))

    @pytest.mark.parametrize("box", [(0, 0, 600, 800), (0, 400, 600, 800), (290, 90, 410, 160), (0, 590, 20, 630)])
    def test_a_box_over_the_page_or_over_others(self, box):
        told = only(changes(sign(approved(), "third", box=box, who="other"), approved()))
        assert (told.kind, told.permitted) == (ChangeKind.SIGNATURE, False)

    def test_a_box_of_the_usual_size_on_a_small_page(self):
        small = sign(forge.whole(BASE | {2: BASE[2].replace(b"600 800", b"300 144"), 15: forge.REMARK_FIELD % b""}))
        assert only(changes(sign(small, "third", box=(10, 10, 290, 70), who="other"), small)).permitted
        assert not only(changes(sign(small, "third", box=(0, 0, 300, 144), who="other"), small)).permitted

    def test_in_a_field_whose_look_was_none(self):
        wrong = sign(forge.whole(BASE | {15: BASE[15].replace(b"/AP<</N 36 0 R>>", b"/AP/None")}))
        assert only(changes(sign(wrong, "second", who="other"), wrong)).permitted
        nothing = edit(sign(wrong, "second", who="other"), 15, b"/AP", b"/AP null/Was")
        assert "signature_changed" in kinds(changes(nothing, wrong))

    @pytest.mark.parametrize(("kind", "permitted"), [(b"/Annot", True), (b"/Foo", False)])
    def test_in_a_field_that_gets_a_type(self, kind, permitted):
        bare = sign(forge.whole(BASE | {15: BASE[15].replace(b"/Type/Annot", b"")}))
        typed = sign(bare, "second", who="other")
        told = only(changes(edit(typed, 15, b"/FT", b"/Type%b/FT" % kind), bare))
        assert told.permitted is permitted

    def test_with_fonts_for_the_form(self):
        """Writers give a form its resources and its text with the first signature that shows a text."""
        bare = sign(forge.whole(BASE | {8: (forge.FORM % b"").replace(b"/DA(/F 10 Tf)", b"")}))
        more = edit(bare, 8, b"/F 7 0 R", b"/F 7 0 R/Helv 60 0 R", n60=forge.FONT)
        more = edit(more, 8, b"/DR", b"/DA(/Helv 9 Tf)/DR")
        assert kinds(changes(sign(more, "second", who="other"), bare)) == {"signature"}

    def test_with_its_widget_apart_and_deep_in_the_form(self):
        writer = forge.with_writer(
            approved(),
            lambda w: fields.append_signature_field(
                w, fields.SigFieldSpec("third", box=(300, 300, 400, 350), combine_annotation=False)
            ),
        )
        assert kinds(changes(sign(writer, "third", who="other"), approved())) == {"signature"}
        assert only(changes(sign(approved(), "more.third", who="other"), approved())).permitted

    def test_with_validation_data_and_archived(self):
        longer = forge.document_timestamp(with_dss(sign(approved(), "second", who="other")))
        told = changes(longer, approved())
        assert kinds(told) == {"signature", "validation_data", "document_timestamp"}
        assert worst(told) is Modification.FORM

    def test_an_empty_field_for_somebody(self):
        longer = forge.with_writer(
            approved(),
            lambda w: fields.append_signature_field(w, fields.SigFieldSpec("third", box=(300, 300, 400, 350))),
        )
        assert only(changes(longer, approved())).permitted

    def test_a_look_from_the_signed_bytes(self):
        told = changes(edit(approved(), 15, b"36 0 R", b"28 0 R"), approved())
        assert {"hidden", "signature_changed"} == kinds(told)

    def test_a_signature_shown_in_another_place(self):
        """A value that the signed document already used signs nothing new."""
        value = BoundedReader(approved()).root["/AcroForm"]["/Fields"][0].raw_get("/V").idnum
        twice = edit(approved(), 15, b"/T(second)", b"/T(second)/V %d 0 R" % value)
        assert "signature_changed" in kinds(changes(twice, approved()))

    def test_a_time_stamp_that_is_seen_is_an_overlay_like_any_other(self):
        stamped = forge.document_timestamp(certified(1))
        number = max(n for n in range(1, 80) if b"/FT /Sig" in stamped.rpartition(b"%d 0 obj" % n)[2][:40])
        seen = edit(stamped, number, body(stamped, number)[:2], b"<</Rect[0 0 600 800]/Old 1")
        seen = seen.replace(b"/Rect [ 0 0 0 0 ]", b"/RecT [ 0 0 0 0 ]")
        assert worst(changes(seen, certified(1))) is Modification.OTHER

    @pytest.mark.parametrize("key", [b"/Contents", b"/ByteRange", b"/SubFilter", b"/Filter"])
    def test_a_signature_whose_dictionary_is_rewritten(self, key):
        """Universal signature forgery: what there is to verify is taken away or exchanged."""
        value = BoundedReader(approved()).root["/AcroForm"]["/Fields"][0].raw_get("/V").idnum
        told = changes(edit(approved(), value, key, b"/Was"), approved())
        assert kinds(told) == {"signature_changed"}
        assert worst(told) is Modification.OTHER


class TestLocks:
    """ISO 32000-2 clause 12.8.2.4 and tables 236, 259: fields that a signer locked."""

    @pytest.mark.parametrize(
        ("action", "names", "permitted"),
        [
            (MDP.ALL, None, False), (MDP.INCLUDE, ["name"], False), (MDP.INCLUDE, ["remark"], True),
            (MDP.EXCLUDE, ["name"], True), (MDP.EXCLUDE, ["remark"], False),
        ],
    )  # fmt: skip
    def test_a_field_locked_is_not_filled_in(self, action, names, permitted):
        lock = fields.FieldMDPSpec(action, fields=names)
        signed = sign(forge.whole(BASE), "mine", lock=lock)
        told = only(changes(filled()(signed), signed, "mine"))
        assert (told.kind, told.permitted) == (ChangeKind.FORM_VALUE, permitted)

    def test_a_lock_leaves_time_stamps_and_validation_data_alone(self):
        signed = sign(
            forge.whole(BASE), "mine", lock=fields.FieldMDPSpec(MDP.ALL), lock_level=fields.MDPPerm.NO_CHANGES
        )
        told = changes(forge.document_timestamp(with_dss(signed)), signed, "mine")
        assert worst(told) is Modification.LTV
        assert not only(changes(sign(signed, "second", who="other"), signed, "mine")).permitted

    def test_a_lock_of_a_signature_before_counts(self):
        signed = sign(forge.whole(BASE), "mine", lock=fields.FieldMDPSpec(MDP.INCLUDE, fields=["name"]))
        twice = sign(signed, "second", who="other")
        assert not only(changes(filled()(twice), twice, "second")).permitted

    def test_locks_given_count_too(self):
        told = changes_since(
            BoundedReader(filled()(approved())), BoundedReader(approved()), own_field="first", certification=None,
            locks=[FieldLock("Include", ("name",))],
        )  # fmt: skip
        assert not only(told).permitted

    def test_fields_below_a_locked_one_are_locked(self):
        assert FieldLock("Include", ("a",)).covers("a.b")
        assert not FieldLock("Include", ("a",)).covers("ab")
        assert FieldLock("Exclude", ("a",)).covers("b")
        assert not FieldLock("Exclude", ("a",)).covers("a.b")

    @pytest.mark.parametrize(
        ("text", "level"),
        [
            (b"<<>>", None), (b"<</Reference 1>>", None), (b"<</Reference[1]>>", None),
            (b"<</Reference[<</TransformMethod/DocMDP>>]>>", 2),
            (b"<</Reference[<</TransformMethod/DocMDP/TransformParams<</P 3>>>>]>>", 3),
            (b"<</Reference[<</TransformMethod/DocMDP/TransformParams<</P 9>>>>]>>", 1),
            (b"<</Reference[<</TransformMethod/FieldMDP>>]>>", None),
        ],
    )  # fmt: skip
    def test_the_level_that_a_signature_states(self, text, level):
        assert certification_level(read(text)) == level

    @pytest.mark.parametrize(
        ("text", "locks"),
        [
            (b"<<>>", ()), (b"<</V 1>>", ()), (b"<</Lock 1>>", (FieldLock("All"),)),
            (b"<</Lock<</Action/Some>>>>", (FieldLock("All"),)),
            (b"<</Lock<</Action/Exclude/Fields[(a)]/P 1>>>>", (FieldLock("Exclude", ("a",), 1),)),
            (b"<</V<</Reference[<</TransformMethod/FieldMDP>>]>>>>", (FieldLock("All"),)),
        ],
    )  # fmt: skip
    def test_the_locks_that_a_field_states(self, text, locks):
        assert field_locks(read(text)) == locks


def read(text: bytes) -> generic.DictionaryObject:
    return BoundedReader(forge.whole({1: b"<</Type/Catalog/X %b>>" % text})).root["/X"]


class TestSharedAppearances:
    """An appearance that the signed document also uses elsewhere is not replaced with a signature's."""

    def base(self, extra: bytes = b"", trailer: bytes = b"") -> bytes:
        objects = BASE | {
            1: forge.CATALOGUE % extra,
            15: BASE[15].replace(b"/AP<</N 36 0 R>>", b"/AP 40 0 R"),
            40: b"<</N 36 0 R>>",
        }
        return sign(append(forge.whole(objects), {}, trailer=trailer) if trailer else forge.whole(objects))

    def test_used_once(self):
        signed = self.base()
        assert kinds(changes(sign(signed, "second", who="other"), signed)) == {"signature"}

    @pytest.mark.parametrize(("extra", "trailer"), [(b"/FooBar 40 0 R", b""), (b"", b"/FooBar 40 0 R")])
    def test_used_elsewhere(self, extra, trailer):
        signed = self.base(extra, trailer)
        assert worst(changes(sign(signed, "second", who="other"), signed)) is Modification.OTHER


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not there")
class TestVectors:
    @pytest.mark.parametrize(
        ("name", "field", "expected"),
        [
            ("form-update-override-appearance-stream", "Sig1", Modification.FORM),
            ("form-update-override-appearance-stream-sneaky", "Sig1", Modification.OTHER),
            ("form-update-ap-indirect-sneaky-trailer", "Sig1", Modification.OTHER),
            ("minimal-two-fields-signed-twice", "Sig2", Modification.FORM),
            ("pades-lta-dss-indirect-arrs-test", "Sig1", Modification.LTV),
        ],
    )
    def test_is_what_it_is(self, name, field, expected):
        data = (VECTORS / f"{name}.pdf").read_bytes()
        assert worst(changes(data, data[: forge.byte_range_end(data, field)], field)) is expected
