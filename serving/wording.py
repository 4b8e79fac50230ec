"""Money, times and texts as the commands print them."""

import unicodedata

__all__ = [
    "compared",
    "counted",
    "duration",
    "fit",
    "one_line",
    "printable",
    "share",
    "usd",
    "width",
    "wrapped",
]


def usd(amount: float | None) -> str:
    """Return US dollars with six decimals, a dash when nobody knows.

    >>> usd(0.0000213), usd(None)
    ('$0.000021', '-')
    """
    return "-" if amount is None else f"${amount:.6f}"


def duration(seconds: float | None) -> str:
    """Return a time in milliseconds below ten seconds, else in seconds.

    >>> duration(0.4123), duration(0.0031), duration(12.34), duration(None)
    ('412 ms', '3.1 ms', '12.3 s', '-')
    """
    if seconds is None:
        return "-"
    if seconds >= 10:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def share(fraction: float) -> str:
    """Return a fraction as a whole percentage, right-aligned in four columns.

    >>> share(0.071)
    '  7%'
    """
    return f"{fraction:4.0%}"


def compared(cost: float, other: float) -> str:
    """Say how much less, or how many times as much, a cost is than another.

    >>> compared(1.0, 4.0), compared(3.0, 2.0), compared(1.0, 1.0), compared(1.1, 1.0), compared(1.0, 0.0)
    ('75 % less', '1.5 times as much', 'the same', '10 % more', 'not comparable')
    """
    if other <= 0:
        return "the same" if cost == other else "not comparable"
    ratio = cost / other
    if ratio >= 1.495:
        return f"{ratio:.1f} times as much"
    percent = round(abs(1 - ratio) * 100)
    return "the same" if percent == 0 else f"{percent} % {'less' if ratio < 1 else 'more'}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless there is one.

    >>> counted(1, "prompt"), counted(2000, "prompt")
    ('1 prompt', '2,000 prompts')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def one_line(text: str) -> str:
    r"""Return a text without line breaks, control characters or lone surrogates: fit for any terminal.

    >>> one_line("two\nlines\x1b[31m")
    'two lines?[31m'
    """
    joined = " ".join(text.split())
    return "".join("?" if unicodedata.category(char) in ("Cc", "Cs") else char for char in joined)


def printable(text: str) -> str:
    r"""Return a text without the control characters that could steer a terminal; line breaks and tabs stay.

    >>> printable("a\tb\x1b[2J")
    'a\tb?[2J'
    """
    return "".join(char if char in "\n\t" or unicodedata.category(char) != "Cc" else "?" for char in text)


def width(text: str) -> int:
    r"""Return how many columns of a terminal a text takes: two for wide characters, none for combining ones.

    >>> width("abc"), width("日本"), width("e\u0301")
    (3, 4, 1)
    """
    return sum(_columns(char) for char in text)


def fit(text: str, columns: int) -> str:
    """Return a text cut to at most so many columns, with an ellipsis where something is missing.

    >>> fit("a long story", 6), fit("short", 6)
    ('a lon…', 'short')
    """
    if width(text) <= columns:
        return text
    used, kept = 0, []
    for char in text:
        used += _columns(char)
        if used > columns - 1:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def wrapped(text: str, columns: int, indent: str) -> list[str]:
    """Return a text in lines of at most so many columns, each of them indented; long words are cut.

    >>> wrapped("one two three", 8, " ")
    [' one two', ' three']
    """
    room = columns - width(indent)
    lines = [""]
    for word in text.split():
        for piece in _cut(word, room):
            longer = f"{lines[-1]} {piece}" if lines[-1] else piece
            if width(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(piece)
    return [indent + line for line in lines]


def _cut(word: str, columns: int) -> list[str]:
    pieces = [""]
    for char in word:
        if width(pieces[-1]) + _columns(char) > columns:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
