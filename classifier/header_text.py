"""Text that can stand in an HTTP header."""

from urllib.parse import quote

__all__ = ["header_safe"]

_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_LONGEST = 1000


def header_safe(text: str) -> str:
    r"""Return a text that can stand in a header: what is not printable ASCII, and the percent sign, encoded.

    What is longer than 1,000 characters is cut.

    >>> header_safe("100 % naïve\r\nset-cookie: a")
    '100 %25 na%C3%AFve%0D%0Aset-cookie: a'
    """
    if text.isascii() and text.isprintable() and "%" not in text:
        return text[:_LONGEST]
    return quote(text[:_LONGEST].encode("utf-8", "replace"), safe=_PRINTABLE)
