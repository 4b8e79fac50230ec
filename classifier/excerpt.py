"""Which parts of a text are read: both ends of it, and in them the lines where people put their ask.

Whoever pastes a log, an article or a table writes what they want above it, below it, or both. So the lines at
the top and at the bottom count in full, and what stands between them counts less.
"""

__all__ = ["ask_and_middle", "both_ends"]


def both_ends(text: str, window: int) -> str:
    r"""Return the first and the last `window` characters, or all of a text that is no longer than both.

    >>> both_ends("abcdefgh", 2)
    'ab\ngh'
    """
    return text if len(text) <= 2 * window else f"{text[:window]}\n{text[-window:]}"


def ask_and_middle(text: str, enough: int) -> tuple[str, str]:
    r"""Split a text into its ask and what stands in the middle of it.

    The ask is whole lines from the top until they hold `enough` characters, and likewise from the bottom;
    blank lines are passed over. Where the two ends meet, the middle is empty.

    >>> ask_and_middle("Fix the typo:\n\nteh cat\nsat on teh mat\n\nThanks!", 6)
    ('Fix the typo:\nThanks!', 'teh cat\nsat on teh mat')
    """
    if "\n" not in text:
        return text, ""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    top = _lines_holding(enough, lines)
    bottom = max(top, len(lines) - _lines_holding(enough, lines[::-1]))
    return "\n".join(lines[:top] + lines[bottom:]), "\n".join(lines[top:bottom])


def _lines_holding(enough: int, lines: list[str]) -> int:
    held = 0
    for count, line in enumerate(lines):
        if held >= enough:
            return count
        held += len(line)
    return len(lines)
