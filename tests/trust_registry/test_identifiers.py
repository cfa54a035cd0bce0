"""Identifiers seen in the field, and what is wrong with those that are not right. Errors never repeat a number."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from trust_registry.errors import InvalidIdentifier
from trust_registry.identifiers import (
    check_certificate_id,
    check_citizen_number,
    check_uscc,
    make_certificate_id,
    mask,
)


@pytest.mark.parametrize(
    "identifier",
    [
        "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
        "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    ],
)
def test_certificate_identifiers_in_use_are_right(identifier: str) -> None:
    """GB/T 36904; check character ISO 7064 MOD 37,36."""
    assert check_certificate_id(identifier) == identifier


@pytest.mark.parametrize(
    "code", ["91350100M000100Y43", "91320115MA202UKD7X", "11100000000013338W", "12100000000018032A"]
)
def test_social_credit_codes_in_use_are_right(code: str) -> None:
    assert check_uscc(code) == code


@pytest.mark.parametrize("number", ["11010519491231002X", "990100199001011235", "440524188001010014"])
def test_citizen_numbers_are_checked_but_regions_are_not_looked_up(number: str) -> None:
    """GB 11643's own example, a fictional region, and the standard's second example."""
    from stdnum.iso7064 import mod_11_2

    number = number[:17] + mod_11_2.calc_check_digit(number[:17])
    assert check_citizen_number(number) == number


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("110105194912310021", "check character"),
        ("11010519491331002X", "not a date"),
        ("11010519490230002X", "not a date"),
        ("1101051949123100", "18 characters"),
        ("01010519491231002X", "18 characters"),
        ("11010519491231002x", "18 characters"),
        ("１１０１０５１９４９１２３１００２X", "18 characters"),
    ],
)
def test_wrong_citizen_numbers_say_why_and_not_which(number: str, reason: str) -> None:
    with pytest.raises(InvalidIdentifier, match=reason) as refusal:
        check_citizen_number(number)
    assert number not in str(refusal.value)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("91350100M000100Y44", "check character"),
        ("91350100m000100y43", "upper-case"),
        ("91350100M000100Y4", "18 digits"),
        ("91350100I000100Y43", "form"),
        (" 91350100M000100Y4", "form"),
    ],
)
def test_wrong_social_credit_codes_say_why(code: str, reason: str) -> None:
    with pytest.raises(InvalidIdentifier, match=reason) as refusal:
        check_uscc(code)
    assert code not in str(refusal.value)


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ("1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.G", "check character"),
        ("1.2.156.3005.3.11100000000013338W032.11220000013544541J.2430599.001.F", "form"),
        ("1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001", "form"),
        ("1.2.156.3005.2.11100000000013338W032.11220000013544541J.243059.001.F", "serial"),
        ("1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.1.F", "version"),
        ("1.2.156.3005.2.11100000000013338W03X.11220000013544541J.2430599.001.F", "type"),
        ("1.2.156.3005.2.11100000000013338W032.1122.2430599.001.F", "issuer"),
        ("1.2.156.3005.2.11100000000013338W032.112200000135.2430599.001.F", "issuer"),
        ("1.2.156.3005.2.11100000000013338W032.11220000013544541K.2430599.001.F", "social credit"),
        ("1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.f", "check character"),
        ("1.2.156.3005.2.11100000000013338w032.11220000013544541J.2430599.001.F", "type"),
    ],
)
def test_wrong_certificate_identifiers_say_what_is_wrong(identifier: str, reason: str) -> None:
    with pytest.raises(InvalidIdentifier, match=reason):
        check_certificate_id(identifier)


ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@given(serial=st.text(ALPHABET, min_size=7, max_size=32), version=st.integers(1, 999), place=st.data())
def test_a_made_identifier_is_right_and_any_one_wrong_character_shows(
    serial: str, version: int, place: st.DataObject
) -> None:
    """ISO 7064: all single substitution errors are found."""
    identifier = make_certificate_id("11990000MB0000001M001", "11990100MB0000002X", serial, version)
    assert check_certificate_id(identifier) == identifier
    body = identifier.removeprefix("1.2.156.3005.2.")
    index = place.draw(st.sampled_from([i for i, c in enumerate(body) if c != "."]))
    other = place.draw(st.sampled_from([c for c in ALPHABET if c != body[index]]))
    with pytest.raises(InvalidIdentifier):
        check_certificate_id(f"1.2.156.3005.2.{body[:index]}{other}{body[index + 1 :]}")


def test_an_identifier_needs_a_right_issuer() -> None:
    with pytest.raises(InvalidIdentifier, match="social credit"):
        make_certificate_id("11990000MB0000001M001", "11990100MB0000002Y", "0000001")
    with pytest.raises(InvalidIdentifier, match="version"):
        make_certificate_id("11990000MB0000001M001", "11990100MB0000002X", "0000001", 1000)


@given(st.text())
def test_any_text_is_an_identifier_or_one_error(text: str) -> None:
    for check in (check_citizen_number, check_uscc, check_certificate_id):
        try:
            assert check(text) == text
        except InvalidIdentifier:
            pass


@settings(deadline=None)
@given(st.from_regex(r"[0-9]{7}[0-9A][0-9A-Za-z]{8}", fullmatch=True), st.booleans(), st.characters(codec="ascii"))
def test_our_sums_are_those_of_stdnum(body: str, right: bool, last: str) -> None:
    """GB 32100-2015: the usual code is summed here, whoever is wrong is judged there."""
    body = body[:9] + "Y" + body[9:]
    try:
        code = body + (uscc.calc_check_digit(body) if right else last)
    except ValueError:  # I, O, S, V, Z are not of its alphabet
        code = body + last
    try:
        check_uscc(code)
        accepted = True
    except InvalidIdentifier:
        accepted = False
    assert accepted is (uscc.is_valid(code) and uscc.compact(code) == code)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("", ""),
        ("张", "*"),
        ("张三", "张*"),
        ("张三丰", "张*丰"),
        ("欧阳雨桐", "欧**桐"),
        ("990100199001011235", "990***********1235"),
    ],
)
def test_masking_keeps_the_length_and_hides_the_middle(value: str, masked: str) -> None:
    assert mask(value) == masked
