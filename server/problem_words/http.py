"""Titles and details of what the web framework refuses before any room is asked. Unknown details are not repeated."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException

from trust_registry.model import Names
from trust_registry.wording import Phrasebook

TITLES: Final[Mapping[int, Names]] = {
    400: Names("请求不正确", "The request is not valid"),
    401: Names("请先登录", "Please sign in"),
    403: Names("您的账户没有此项权限", "Your account may not do this"),
    404: Names("没有找到这个页面", "There is nothing at this address"),
    405: Names("此地址不支持该操作", "This address does not do that"),
    406: Names("没有所要求的格式", "What was asked for is not offered in this form"),
    413: Names("文件过大", "The file is too large"),
    415: Names("不支持的内容类型", "This type of content is not supported"),
    416: Names("请求的范围不存在", "The file has no such range"),
    422: Names("请求内容不正确", "The request is not valid"),
    429: Names("尝试次数过多，请稍后再试", "Too many tries, please wait a moment"),
}
_OTHERWISE: Final = Names("请求未被接受", "The request was refused")
_BROKEN: Final = Names("服务暂不可用，请稍后再试", "The service is not available, please try again")
_PHRASES: Final = Phrasebook(
    ("request bodies are limited to {} bytes", "请求体最大 {} 字节。", "A request body may have at most {} bytes."),
    ("There was an error parsing the body", "请求体无法解析。", "The request's body can't be parsed."),
    (
        "Too many fields. Maximum number of fields is {}.",
        "表单字段过多，最多 {} 个。",
        "A form may have at most {} fields.",
    ),
    ("Too many files. Maximum number of files is {}.", "文件过多，最多 {} 个。", "A form may have at most {} files."),
    ("Part exceeded maximum size of {}.", "表单的一部分过大，上限 {}。", "A part of the form is larger than {}."),
    ("Missing boundary in multipart.", "multipart 表单没有 boundary。", "The multipart form has no boundary."),
)
_DETAILS: Final[Mapping[int, Names]] = {
    403: Names("这个账户的身份不能使用此功能。", "This account's role does not include this."),
    404: Names("此地址没有内容，或内容已经移走。", "Nothing is kept at this address, or it has moved."),
    405: Names("可用的请求方法见 Allow 响应头。", "The header Allow names the methods that this address takes."),
}


def title(status: int) -> Names:
    """The title for a status that comes without a class of refusal."""
    return TITLES.get(status, _OTHERWISE if status < HTTPStatus.INTERNAL_SERVER_ERROR else _BROKEN)


def detail(error: HTTPException) -> Names | None:
    """The framework's own detail in both languages, else a sentence for the status, else None."""
    known = _PHRASES.words(error.detail) if isinstance(error.detail, str) else None
    return known or _DETAILS.get(error.status_code)
