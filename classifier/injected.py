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
_OPENING = re.compile(rf"<({_NAMES})(?:\s[^<>]{{0,500}})?>", re.IGNORECASE)


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
    blocks = position = 0
    never_closed: set[str] = set()
    for opening in _OPENING.finditer(text):
        if opening.start() < position:
            continue
        end = _end_of_block(text, opening, never_closed)
        if end:
            kept.append(text[position : opening.start()])
            position = end
            blocks += 1
    return "".join([*kept, text[position:]]), blocks


def _end_of_block(text: str, opening: re.Match[str], never_closed: set[str]) -> int:
    """Where the block ends, or 0; a name found unclosed once is not looked for again, to stay linear."""
    name = opening[1]
    if name in never_closed:
        return 0
    closing = f"</{name}>"
    start = text.find(closing, opening.end())
    if start < 0:
        never_closed.add(name)
        return 0
    return start + len(closing)
