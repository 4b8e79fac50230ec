"""A dozen numbers about a prompt that its vocabulary does not tell: how long, how dense, how code-like.

Counts of characters are counts of UTF-8 bytes by class, taken with one `bytes.translate`: linear, in C, and
the same for every text, lone surrogates included. Shares are of all bytes.
"""

from dataclasses import dataclass
from math import log1p

__all__ = ["STATISTICS", "Statistic", "measure"]


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number about a prompt, and how an explanation words a large and a small value of it."""

    name: str
    large: str
    small: str


STATISTICS: tuple[Statistic, ...] = (
    Statistic("log_characters", "long prompt", "short prompt"),
    Statistic("log_words", "many words", "few words"),
    Statistic("log_lines", "many lines", "few lines"),
    Statistic("log_questions", "many question marks", "few question marks"),
    Statistic("log_exclamations", "many exclamation marks", "few exclamation marks"),
    Statistic("digit_share", "many digits", "few digits"),
    Statistic("capital_share", "many capitals", "few capitals"),
    Statistic("symbol_share", "many symbols", "few symbols"),
    Statistic("code_share", "many brackets and operators", "few brackets and operators"),
    Statistic("non_ascii_share", "much text beyond ASCII", "little text beyond ASCII"),
    Statistic("distinct_share", "few repeated words", "many repeated words"),
    Statistic("log_word_length", "long words", "short words"),
)
"""What `measure` returns, in its order."""

_OTHER, _DIGIT, _CAPITAL, _SYMBOL, _CODE, _QUESTION, _EXCLAMATION, _LINE, _SPACE, _BEYOND = b"odcskqeln8"


def _byte_class(byte: int) -> int:
    character = chr(byte)
    if byte >= 0x80:
        return _BEYOND
    if character in "?!\n ":
        return {"?": _QUESTION, "!": _EXCLAMATION, "\n": _LINE, " ": _SPACE}[character]
    if character in "()[]{}<>=;":
        return _CODE
    if character.isdigit():
        return _DIGIT
    if character.isupper():
        return _CAPITAL
    return _SYMBOL if 33 <= byte < 127 and not character.isalnum() else _OTHER


_CLASSES = bytes(map(_byte_class, range(256)))


def measure(sample: str, characters: int) -> tuple[float, ...]:
    """Return the statistics of a prompt.

    Args:
        sample: the prompt, or both ends of a long one.
        characters: length of the whole prompt in characters.

    Returns:
        One finite number for each of `STATISTICS`, in that order: natural logarithms of one plus a count
        or mean (the length of a word in UTF-8 bytes), and shares in [0, 1].
    """
    raw = sample.encode("utf-8", "surrogatepass")
    count = raw.translate(_CLASSES).count
    size = len(raw) or 1
    words = sample.split()
    number = len(words) or 1
    questions, exclamations, code = count(_QUESTION), count(_EXCLAMATION), count(_CODE)
    spaces, lines = count(_SPACE), count(_LINE)
    return (
        log1p(characters),
        log1p(len(words)),
        log1p(lines),
        log1p(questions),
        log1p(exclamations),
        count(_DIGIT) / size,
        count(_CAPITAL) / size,
        (count(_SYMBOL) + code + questions + exclamations) / size,
        code / size,
        count(_BEYOND) / size,
        len(set(words)) / number,
        log1p((len(raw) - spaces - lines) / number),
    )
