"""Take out what agent frameworks inject into the human's turn.

Editors and agents wrap notes to the model in tags such as `<system-reminder>` and send them inside the
user message. They say nothing about what the human asks, so they are cut out before anything is judged.
"""

import re

__all__ = ["strip_injected"]

_NAMES = (
    r"(?:system|developer)[-_](?:reminder|message|note|info|prompt)"
    r"|reminder"
    r"|(?:env|environment)[-_](?:details|context|info)"
    r"|(?:tool|function)[-_](?:result|results|output|outputs|call|calls|use|schema|schemas|response)"
    r"|(?:command|local-command|local_command)[-_](?:name|message|args|contents|stdout|stderr|caveat)"
    r"|(?:ide|editor|workspace|project)[-_](?:context|selection|info|diagnostics|opened_file|state)"
    r"|additional[-_](?:context|data)"
)
_TAG = rf"(?i)<(/?)({_NAMES})(?:\s[^<>]{{0,500}})?>"  # compiled by `re` when a text first has a tag


def strip_injected(text: str) -> tuple[str, int]:
    """Return the text without injected blocks, and how many blocks were cut out.

    A block runs from its opening tag to the next closing tag of the same name; an opening tag that is never
    closed is left as it is. Takes time linear in the text.

    >>> strip_injected("<system-reminder>be kind</system-reminder>What time is it?")
    ('What time is it?', 1)
    >>> strip_injected("a < b </ c")
    ('a < b </ c', 0)
    """
    if "</" not in text:
        return text, 0
    kept: list[str] = []
    position = 0
    for start, end in _blocks(text):
        kept.append(text[position:start])
        position = end
    return "".join([*kept, text[position:]]), len(kept)


def _blocks(text: str) -> list[tuple[int, int]]:
    """Where the blocks begin and end, in order; a block inside another belongs to it."""
    opened: dict[str, int] = {}
    closed: list[tuple[int, int]] = []
    for tag in re.finditer(_TAG, text):
        name = tag[2].lower()
        if not tag[1]:
            opened.setdefault(name, tag.start())
        elif name in opened:
            start = opened[name]
            while closed and closed[-1][0] > start:
                closed.pop()
            closed.append((start, tag.end()))
            opened = {other: place for other, place in opened.items() if place < start}
    return closed
