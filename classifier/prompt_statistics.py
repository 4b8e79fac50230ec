"""Numbers about a prompt that its vocabulary does not tell: how long, how dense, how code-like.

Counts of characters are counts of UTF-8 bytes by class, taken with one `bytes.translate`: linear, in C, and
the same for every text, lone surrogates included. Shares are of all bytes.
"""

from math import log1p

__all__ = ["measure"]


_OTHER, _DIGIT, _CAPITAL, _SYMBOL, _CODE, _QUESTION, _LINE, _SPACE, _BEYOND = b"odcskqln8"


def _byte_class(byte: int) -> int:
    character = chr(byte)
    if byte >= 0x80:
        return _BEYOND
    if character in "?\n ":
        return {"?": _QUESTION, "\n": _LINE, " ": _SPACE}[character]
    if character in "()[]{}<>=;":
        return _CODE
    if character.isdigit():
        return _DIGIT
    if character.isupper():
        return _CAPITAL
    return _SYMBOL if 33 <= byte < 127 and not character.isalnum() else _OTHER


_CLASSES = bytes(map(_byte_class, range(256)))


def measure(sample: str, tokens: int, distinct: int) -> tuple[float, ...]:
    """Return the statistics of a prompt.

    Args:
        sample: the prompt, or both ends of a long one.
        tokens: how many tokens its ask has.
        distinct: how many different ones.

    Returns:
        One finite number for each of `STATISTICS`, in that order: natural logarithms of one plus a count, and
        shares in [0, 1]. Words are counted by the white space between them.
    """
    raw = sample.encode("utf-8", "surrogatepass")
    count = raw.translate(_CLASSES).count
    size = len(raw) or 1
    questions, code, lines = count(_QUESTION), count(_CODE), count(_LINE)
    return (
        log1p(count(_SPACE) + lines),
        log1p(lines),
        log1p(questions),
        count(_DIGIT) / size,
        count(_CAPITAL) / size,
        (count(_SYMBOL) + code + questions) / size,
        code / size,
        count(_BEYOND) / size,
        distinct / (tokens or 1),
    )
