"""PDFs as people bring them to a counter: altered after sealing, or a stranger's form that was filled in later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.keys.shadow_forge import sign
from trust_registry.typesetting import typeset

LOOK = generic.pdf_name

STRANGER = """
#set document(title: "Residence")
#set page(paper: "a4", margin: 34mm)
#set text(font: ("Noto Serif SC", "Noto Sans SC"), size: 12pt, lang: "zh", region: "cn")
#align(center, text(size: 26pt, "居住证明"))
#align(center, text(size: 11pt, "CERTIFICATE OF RESIDENCE"))
#v(16mm)
兹证明下列人员居住于本辖区。
#v(8mm)
#table(columns: (36mm, 1fr), inset: 4mm, stroke: 0.4pt, [姓名], [欧阳某], [住址], [望海路 8 号], [有效期至], [])
#v(1fr)
#align(right)[望海镇人民政府 \\ 二〇二六年十一月一日]
"""


def altered(pdf: bytes) -> bytes:
    """The sealed file with another name written over the holder's, appended as an update: its seal stays whole."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    cover = b"q 1 1 1 rg 168 518 92 20 re f Q BT 0.11 g /Forged 12 Tf 176 524 Td (Zhang Wei) Tj ET"
    fonts = page["/Resources"]["/Font"]
    fonts["/Forged"] = _font()
    writer.update_container(fonts)
    contents = page["/Contents"]
    before = list(contents) if isinstance(contents, generic.ArrayObject) else [page.raw_get("/Contents")]
    page["/Contents"] = generic.ArrayObject([*before, writer.add_object(generic.StreamObject(stream_data=cover))])
    writer.update_container(page)
    return _written(writer)


@cache
def filled_later() -> bytes:
    """A form that a stranger signed with one field empty, which somebody filled in afterwards."""
    with ThreadPoolExecutor(1) as thread:  # pyHanko runs a loop of its own, and Playwright's is here already
        signed = thread.submit(sign, _form(), "first", who="Wanghai Township").result()
    return _filled(signed, "2036-12-31")


def _form() -> bytes:
    blank = typeset({"main.typ": STRANGER.encode()}, 1793500000, "a-2b")
    writer = IncrementalPdfFileWriter(BytesIO(blank))
    page_reference = writer.root["/Pages"].raw_get("/Kids")[0]
    field = _dictionary(
        Type=LOOK("/Annot"),
        Subtype=LOOK("/Widget"),
        FT=LOOK("/Tx"),
        T=generic.pdf_string("until"),
        DA=generic.pdf_string("/Helv 12 Tf 0 g"),
        F=generic.NumberObject(4),
        Rect=generic.ArrayObject([generic.NumberObject(each) for each in (206, 492, 480, 514)]),
        P=page_reference,
    )
    reference = writer.add_object(field)
    page = page_reference.get_object()
    page["/Annots"] = generic.ArrayObject([reference])
    writer.update_container(page)
    resources = _dictionary(Font=_dictionary(Helv=_font()))
    writer.root["/AcroForm"] = writer.add_object(
        _dictionary(Fields=generic.ArrayObject([reference]), DR=resources, DA=generic.pdf_string("/Helv 12 Tf 0 g"))
    )
    writer.update_root()
    return _written(writer)


def _filled(pdf: bytes, value: str) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    fields = writer.root["/AcroForm"]["/Fields"]
    field = next(each.get_object() for each in fields if each.get_object().get("/T") == "until")
    look = generic.StreamObject(
        dict_data=_dictionary(
            Type=LOOK("/XObject"),
            Subtype=LOOK("/Form"),
            BBox=generic.ArrayObject([generic.NumberObject(each) for each in (0, 0, 274, 22)]),
            Resources=_dictionary(Font=_dictionary(Helv=_font())),
        ),
        stream_data=f"/Tx BMC q BT /Helv 12 Tf 0 g 2 6 Td ({value}) Tj ET Q EMC".encode(),
    )
    field["/V"] = generic.pdf_string(value)
    field["/AP"] = _dictionary(N=writer.add_object(look))
    writer.update_container(field)
    return _written(writer)


def _font() -> generic.DictionaryObject:
    return _dictionary(Type=LOOK("/Font"), Subtype=LOOK("/Type1"), BaseFont=LOOK("/Helvetica"))


def _dictionary(**entries: Any) -> generic.DictionaryObject:
    return generic.DictionaryObject({LOOK(f"/{name}"): value for name, value in entries.items()})


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
