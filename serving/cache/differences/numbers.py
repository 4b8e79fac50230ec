"""The value of a number, however it is written."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

__all__ = ["han_value", "spelt", "value_of"]

_EXPONENT = re.compile(r"(\d+(?:\.\d+)?)[eE]([+-]?\d{1,4})")
_POWER = re.compile(r"(\d{1,6})\^(\d{1,4})")
_GAPS = re.compile(r"(?<=\d)[_'’\u00a0\u202f](?=\d{3}(?!\d))")
_GROUPED_BY_COMMA = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_COMMA = re.compile(r"\d+,\d+")
_POINT_IS_DECIMAL = frozenset({"en", "zh", "ja", "ar"})  # the others group thousands by it
_MOST_DIGITS = 400
_MULTIPLIERS = (100, 1000, 10**6, 10**9, 10**12)
_HAN_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_HAN_GROUPS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN = frozenset({*_HAN_DIGITS, *_HAN_UNITS, *_HAN_GROUPS})


def value_of(written: str, language: str) -> str:
    """Return what a number in digits stands for: equal values, equal strings.

    What is no plain number (a date, a version, a time of day) stands for itself.

    >>> {value_of(each, "en") for each in ("1,000", "1000", "1e3", "10^3", "1_000", "1000.0")}
    {'1000'}
    >>> value_of("1.000", "de"), value_of("1.000", "en"), value_of("3,5", "de"), value_of("3.11.2", "en")
    ('1000', '1', '3.5', '3.11.2')
    """
    text = _GAPS.sub("", written)
    if text[-1:] in ("k", "K"):
        thousands = value_of(text[:-1], language)
        return _text(Decimal(thousands) * 1000) if _PLAIN.fullmatch(thousands) else written
    if found := _POWER.fullmatch(text):
        return _text(Decimal(int(found[1])), int(found[2]))
    points = language in _POINT_IS_DECIMAL
    if points and _GROUPED_BY_COMMA.fullmatch(text):
        text = text.replace(",", "")
    elif not points and _GROUPED_BY_POINT.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    elif not points and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if _PLAIN.fullmatch(text) or _EXPONENT.fullmatch(text):
        return _text(Decimal(text))
    return written


def _text(number: Decimal, power: int = 1) -> str:
    if abs(number.adjusted() * power) > _MOST_DIGITS:
        return f"{number}^{power}"
    return f"{(number**power).normalize():f}"


def spelt(values: Sequence[str]) -> str:
    """Return the value of number words that stand together, each given by its own value.

    >>> spelt(["2", "100", "50"]), spelt(["20", "5"]), spelt(["1.5", "1000000"]), spelt(["19", "84"])
    ('250', '25', '1500000', '19 84')
    """
    total, current = Decimal(0), Decimal(0)
    for text in values:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return " ".join(values)
        if number in _MULTIPLIERS and (total or current):
            current = (current or Decimal(1)) * number
            if number >= 1000:
                total, current = total + current, Decimal(0)
        elif current == 0 or _fits(current, number):
            current += number
        else:
            return " ".join(values)
    return _text(total + current)


def _fits(current: Decimal, number: Decimal) -> bool:
    """Whether a smaller number can follow, as five follows twenty."""
    if number < 10 <= current:
        return current % 10 == 0
    return number < 100 <= current and current % 100 == 0


def han_value(characters: str) -> str | None:
    """Return the value of a Chinese numeral, or None where the characters are none.

    >>> han_value("二百五十"), han_value("十二"), han_value("三万"), han_value("二〇二四"), han_value("上")
    ('250', '12', '30000', '2024', None)
    """
    if not characters or not _HAN.issuperset(characters):
        return None
    if all(sign in _HAN_DIGITS for sign in characters):
        return str(int("".join(str(_HAN_DIGITS[sign]) for sign in characters)))
    total = section = digit = 0
    for sign in characters:
        if sign in _HAN_DIGITS:
            digit = _HAN_DIGITS[sign]
        elif sign in _HAN_UNITS:
            section, digit = section + (digit or 1) * _HAN_UNITS[sign], 0
        else:
            total, section, digit = (total + section + digit or 1) * _HAN_GROUPS[sign], 0, 0
    return str(total + section + digit)
