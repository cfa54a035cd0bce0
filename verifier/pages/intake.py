"""What somebody handed in through a form: a scanned or pasted text, a PDF, or a photo of a code. Keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile

from trust_registry.model import Names
from verifier.photos import is_photo, read_code

NOTHING = Names("还没有内容：请扫描、上传或粘贴。", "Nothing yet: scan, upload or paste.")
NO_CODE = Names(
    "照片里没有找到二维码。请靠近、对正、避免反光，再拍一张；或上传原始 PDF。",
    "No QR code was found in the photo. Come closer, hold it straight, avoid glare; or upload the original PDF.",
)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The form: `text` or `file` is the evidence, `fields` are the other texts."""

    text: str
    file: bytes
    fields: Mapping[str, str]

    def evidence(self) -> bytes | str | Names:
        """What is to be judged, or what to tell the person when there is nothing to judge."""
        if self.text:
            return self.text
        if not self.file:
            return NOTHING
        if not is_photo(self.file):
            return self.file
        return read_code(self.file) or NO_CODE


async def handed_in(request: Request) -> HandedIn:
    """The posted form; its size is bounded by the server."""
    async with request.form(max_files=2, max_fields=20, max_part_size=4 * 1024 * 1024) as form:
        text, upload = form.get("evidence"), form.get("file")
        file = await upload.read() if isinstance(upload, UploadFile) else b""
        fields = {name: value for name, value in form.items() if isinstance(value, str) and name != "evidence"}
    return HandedIn(text.strip() if isinstance(text, str) else "", file, fields)
