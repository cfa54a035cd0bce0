"""What is wrong with a request's fields, by pydantic's error types, zh and en. No value that came in is repeated.

Spec: https://docs.pydantic.dev/latest/errors/validation_errors/ (types); RFC 9457 3.2 (`errors` is an extension).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi.exceptions import RequestValidationError

from trust_registry.model import Names
from trust_registry.wording import Phrasebook

_PLACES: Final = ("body", "query", "path", "header", "cookie")
_MOST: Final = 5  # fields that the summary names
_LONGEST: Final = 200  # characters of a field's name: the asker may have made it up
_OTHERWISE: Final = Names("内容不符合要求。", "This is not valid.")
_DATE: Final = Names("须为存在的日期（YYYY-MM-DD）。", "This must be a date that exists (YYYY-MM-DD).")
_TIME: Final = Names("须为时刻（HH:MM:SS）。", "This must be a time of day (HH:MM:SS).")
_INSTANT: Final = Names(
    "须为带时区的日期和时间，例如 2026-01-31T08:00:00Z。",
    "This must be a date and time with its zone, such as 2026-01-31T08:00:00Z.",
)
_INTEGER: Final = Names("须为整数。", "This must be a whole number.")
_NUMBER: Final = Names("须为数字。", "This must be a number.")
_TRUTH: Final = Names("须为 true 或 false。", "This must be true or false.")
_OBJECT: Final = Names("须为 JSON 对象。", "This must be a JSON object.")
_LIST: Final = Names("须为列表。", "This must be a list.")
_TEXT: Final = Names("须为文字。", "This must be text.")
_BASE64: Final = Names("须为可读取的字节。", "These bytes can't be read.")
_ADDRESS: Final = Names("须为网址。", "This must be a URL.")
_UUID: Final = Names("须为 UUID。", "This must be a UUID.")
_ONE_OF: Final = Names("不在可选值之中。", "This is not one of the options.")
_SHORT: Final = Names("太短了。", "This is too short.")
_LONG: Final = Names("太长了。", "This is too long.")
_FEW: Final = Names("项数太少。", "There are too few items.")
_MANY: Final = Names("项数太多。", "There are too many items.")
_FUTURE: Final = Names("须晚于现在。", "This must lie in the future.")
_PAST: Final = Names("须早于现在。", "This must lie in the past.")
_MISSING: Final = Names("必须填写。", "This is required.")
_UNKNOWN: Final = Names("没有这个字段。", "There is no such field.")

SENTENCES: Final[Mapping[str, Names]] = {
    "missing": _MISSING,
    "missing_argument": _MISSING,
    "missing_keyword_only_argument": _MISSING,
    "extra_forbidden": _UNKNOWN,
    "unexpected_keyword_argument": _UNKNOWN,
    "invalid_key": Names("字段名须为文字。", "A field's name must be text."),
    "json_invalid": Names("不是有效的 JSON。", "This is not JSON."),
    "json_type": Names("须为 JSON 文字。", "This must be text in JSON."),
    "recursion_loop": Names("嵌套过深。", "This is nested too deeply."),
    "recursion_depth_exceeded": Names("嵌套过深。", "This is nested too deeply."),
    "none_required": Names("须为空（null）。", "This must be null."),
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "arguments_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "too_short": _FEW,
    "too_long": _MANY,
    "greater_than": Names("须大于下限。", "This must be greater."),
    "greater_than_equal": Names("小于允许的最小值。", "This is below the smallest value allowed."),
    "less_than": Names("须小于上限。", "This must be less."),
    "less_than_equal": Names("大于允许的最大值。", "This is above the largest value allowed."),
    "multiple_of": Names("不是规定数的倍数。", "This is not a multiple of the number given."),
    "finite_number": Names("须为有限的数。", "This must be a finite number."),
    "string_type": _TEXT,
    "string_unicode": Names("须为 Unicode 文字。", "This must be Unicode text."),
    "string_not_ascii": Names("只能用 ASCII 字符。", "This must have ASCII characters only."),
    "string_too_short": _SHORT,
    "string_too_long": _LONG,
    "string_pattern_mismatch": Names("格式不符合要求。", "This does not have the form that is asked for."),
    "enum": _ONE_OF,
    "literal_error": _ONE_OF,
    "union_tag_invalid": _ONE_OF,
    "union_tag_not_found": Names("没有说明是哪一种。", "It does not say of which kind it is."),
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_parsing_size": Names("数字过大。", "This number is too large."),
    "int_from_float": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bytes_type": _BASE64,
    "bytes_too_short": _SHORT,
    "bytes_too_long": _LONG,
    "bytes_invalid_encoding": _BASE64,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "date_past": _PAST,
    "date_future": _FUTURE,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "datetime_past": _PAST,
    "datetime_future": _FUTURE,
    "timezone_naive": Names("不应带时区。", "This must have no time zone."),
    "timezone_aware": Names("须带时区，例如 Z 或 +08:00。", "This needs its time zone, such as Z or +08:00."),
    "timezone_offset": Names("时区不正确。", "The time zone is not the one that is needed."),
    "time_delta_type": Names("须为时长。", "This must be a duration."),
    "time_delta_parsing": Names("须为时长。", "This must be a duration."),
    "url_type": _ADDRESS,
    "url_parsing": _ADDRESS,
    "url_syntax_violation": _ADDRESS,
    "url_scheme": _ADDRESS,
    "url_too_long": _LONG,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "uuid_version": _UUID,
}
# What a rule allows, where the error says so: pydantic's context holds the rule, not the value.
_LIMITS: Final[Mapping[str, Names]] = {
    "max_length": Names("最多 {}", "at most {}"),
    "min_length": Names("至少 {}", "at least {}"),
    "ge": Names("最小 {}", "at least {}"),
    "gt": Names("大于 {}", "greater than {}"),
    "le": Names("最大 {}", "at most {}"),
    "lt": Names("小于 {}", "less than {}"),
    "multiple_of": Names("{}", "{}"),
    "pattern": Names("{}", "{}"),
    "expected": Names("可选 {}", "options: {}"),
}
_PHRASES: Final = Phrasebook(
    (
        "Value error, must be between the years {} and {}",
        "须在 {} 年至 {} 年之间。",
        "This must lie between the years {} and {}.",
    ),
)


def sentence(problem: Mapping[str, Any]) -> Names:
    """What is wrong with one field, from one of `RequestValidationError.errors()`."""
    kind = str(problem.get("type", ""))
    words = SENTENCES.get(kind) or _PHRASES.words(str(problem.get("msg", ""))) or _OTHERWISE
    context = problem.get("ctx")
    rules = context if isinstance(context, Mapping) and kind in SENTENCES else {}
    limit = next(((name, rules[name]) for name in _LIMITS if name in rules), None)
    if limit is None:
        return words
    template, rule = _LIMITS[limit[0]], str(limit[1]).replace(" or ", ", ")
    return Names(
        f"{words.zh.rstrip('。')}（{template.zh.replace('{}', rule.replace(', ', '、'))}）。",
        f"{words.en.rstrip('.')} ({template.en.replace('{}', rule)}).",
    )


def fields(error: RequestValidationError) -> Iterator[tuple[str, Names]]:
    """Each field that is not valid, "items.0.at", and what is wrong with it."""
    for problem in error.errors():
        where = [str(part) for part in problem["loc"]]
        inside = where[1:] if where and where[0] in _PLACES else where
        name = ".".join(inside) or (where[0] if where else "body")
        yield name[:_LONGEST], sentence(problem)


def summary(error: RequestValidationError) -> Names:
    """One sentence on the whole request: which fields are not valid."""
    names = list(dict.fromkeys(name for name, _ in fields(error)))
    zh, en = "、".join(names[:_MOST]), ", ".join(names[:_MOST])
    if len(names) > _MOST:
        return Names(
            f"请求中有 {len(names)} 个字段不正确：{zh} 等。",
            f"{len(names)} fields of the request are not valid: {en}, ...",
        )
    return Names(f"请求中不正确的字段：{zh}。", f"Not valid in this request: {en}.")
