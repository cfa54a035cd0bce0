"""Reading a bulk file: CSV in UTF-8 or GB 18030 to requests, row by row. Issues nothing.

Columns are claims, by name or by their Chinese or English label; the holder is whoever the type's identifying claims
name, unless the columns `holder_number` and `holder_name` say otherwise. `valid_from` (a date) is optional.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from issuer.core import CIVIL_TIME, holder_kind
from issuer.errors import BulkFileRefused
from issuer.explaining import explain_cell
from issuer.model import BulkRow, HolderIdentity, IssueRequest, RowError
from trust_registry.edges import AccountId
from trust_registry.model import CertificateType, IssuerId, SealId

MAX_SIZE = 64 * 1024 * 1024
HOLDER_NUMBER, HOLDER_NAME, VALID_FROM = "holder_number", "holder_name", "valid_from"


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What all rows of a bulk file have in common."""

    type: CertificateType
    seal_id: SealId
    requested_by: AccountId
    issuer_id: IssuerId | None = None


class _Cell(Exception):
    """A cell that can't be read; says which column and why, never what stood in it."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(column, message)
        self.column = column
        self.message = message


def read_rows(data: bytes, order: BulkOrder) -> Iterator[BulkRow]:
    """The rows of a bulk file in order; a row that can't be read carries its error and no request.

    Idempotency keys are made of the file's digest and the row's line, so that running the same file again issues what
    is missing and nothing twice. Blank lines are skipped.
    Raises: BulkFileRefused for the file as a whole, at once; or in between, when a quote is never closed.
    """
    if len(data) > MAX_SIZE:
        raise BulkFileRefused(f"a bulk file has at most {MAX_SIZE // 2**20} MiB")
    reader = csv.reader(io.StringIO(_decode(data), newline=""), strict=True)
    header = _next(reader)
    if header is None:
        raise BulkFileRefused("the file is empty")
    columns = _columns(header, order.type)
    return _rows(reader, header, columns, order, sha256(data).hexdigest()[:40])


def template(type: CertificateType) -> bytes:
    """An empty bulk file for `type`: UTF-8 with BOM, as spreadsheets want it, one column for each claim."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow([claim.name for claim in type.claims])
    return text.getvalue().encode("utf-8-sig")


def only_lines(data: bytes, lines: Collection[int]) -> bytes:
    """A bulk file of the same header with these rows of `data` only: what was refused, to be corrected and run.

    Raises: BulkFileRefused.
    """
    reader = csv.reader(io.StringIO(_decode(data), newline=""), strict=True)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_next(reader) or [])
    while (cells := _next(reader)) is not None:
        if reader.line_num in lines:
            writer.writerow(cells)
    return text.getvalue().encode("utf-8-sig")


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BulkFileRefused("the text is neither UTF-8 nor GB 18030")


def _next(reader: Any) -> list[str] | None:
    """The next row that is not blank, None at the end."""
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                return list(row)
    except csv.Error as err:
        raise BulkFileRefused(
            "not CSV from here on: a quote is not closed, or a cell is too long", reader.line_num
        ) from err
    return None


def _columns(header: Sequence[str], type: CertificateType) -> list[str]:
    """The claim or holder field of each column."""
    by_label = {HOLDER_NUMBER: HOLDER_NUMBER, HOLDER_NAME: HOLDER_NAME, VALID_FROM: VALID_FROM}
    for claim in type.claims:
        by_label.update({claim.names.en.casefold(): claim.name, claim.names.zh: claim.name})
    by_label.update({claim.name: claim.name for claim in type.claims})
    columns = []
    for position, label in enumerate(header, start=1):
        field = by_label.get(label.strip()) or by_label.get(label.strip().casefold())
        if field is None:
            raise BulkFileRefused(f"column {position} is not a claim of {type.id}", 1)
        if field in columns:
            raise BulkFileRefused(f"column {position} is there twice", 1)
        columns.append(field)
    missing = [name for name in type.schema.get("required", ()) if name not in columns]
    if missing:
        raise BulkFileRefused(f"columns are missing: {', '.join(missing)}", 1)
    return columns


def _rows(
    reader: Any, header: Sequence[str], columns: Sequence[str], order: BulkOrder, digest: str
) -> Iterator[BulkRow]:
    labels = dict(zip(columns, (label.strip() for label in header), strict=True))
    while True:
        cells = _next(reader)
        if cells is None:
            return
        line = reader.line_num  # of the row's last line, where it has several
        try:
            request = _request(_fields(columns, cells), order, f"bulk:{digest}:{line}")
            yield BulkRow(line, request)
        except _Cell as err:
            column = labels.get(err.column, err.column) or None
            yield BulkRow(line, None, RowError(line, column, "RowUnreadable", explain_cell(err.message)))


def _fields(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise _Cell("", "the row has more cells than the header")
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}


def _request(fields: Mapping[str, str], order: BulkOrder, key: str) -> IssueRequest:
    definitions = order.type.claims
    properties = order.type.schema.get("properties", {})
    claims = {
        c.name: _value(c.name, fields[c.name], properties.get(c.name, {})) for c in definitions if c.name in fields
    }
    number = _holder_field(fields, HOLDER_NUMBER, [c.name for c in definitions if c.holder_identifier])
    name = _holder_field(fields, HOLDER_NAME, [c.name for c in definitions if c.holder_name])
    return IssueRequest(
        type_id=order.type.id,
        holder=HolderIdentity(holder_kind(number), number, name),
        claims=claims,
        seal_id=order.seal_id,
        requested_by=order.requested_by,
        idempotency_key=key,
        valid_from=_valid_from(fields.get(VALID_FROM)),
        issuer_id=order.issuer_id,
    )


def _holder_field(fields: Mapping[str, str], column: str, claims: Sequence[str]) -> str:
    for name in (column, *claims):
        if name in fields:
            return fields[name]
    raise _Cell(claims[0] if claims else column, "is empty, so the row names no holder")


def _value(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    """A cell as the JSON value that the schema asks for; text unless it asks for something else."""
    if schema.get("type", "string") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _Cell(name, f"is not JSON of type {schema['type']}") from None


def _valid_from(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _Cell(VALID_FROM, "is not a date (YYYY-MM-DD)") from None
    return datetime(day.year, day.month, day.day, tzinfo=CIVIL_TIME)
