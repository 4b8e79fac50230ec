"""Whether the answer to one ask can be the answer to another, told from their words alone.

The rule is strict, because a miss costs cents and a wrong answer trust: two asks pass only where everything
that either of them holds, beside words that carry nothing ("please", "how do I", "the"), is found in the
other one, as the same word, an inflection of it or a listed synonym; where shared words stand in the same
order, or play the same parts ("from A to B" is "to B from A", and not "from B to A"); and where negations
stand before the same words. So a difference is refused whether or not a list knows it; the lists say which
kind it is, and which words differ without a difference. Where the language has no list, the asks must be the
same but for case, spaces and punctuation.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from serving.cache.differences.items import UNSPACED, Item, items_of
from serving.cache.differences.kinds import Difference, Kind
from serving.cache.differences.languages import language_of
from serving.cache.differences.lexicon import lexicon_of
from serving.cache.differences.tokens import Form, Token, tokens_of

__all__ = ["LONGEST", "difference"]

LONGEST = 2000  # characters of an ask that is judged

_COUNTED = frozenset({Kind.NEGATION, Kind.NUMBER})  # of which twice is not once
_ORDER = list(Kind)
_TOLD = 6  # words of a difference


def difference(first: str, second: str) -> Difference | None:
    """Return why one ask's answer must not be given to the other, or None where nothing speaks against it.

    Args:
        first: an ask.
        second: another one.

    >>> difference("How do I enable dark mode?", "Please tell me how to turn on dark mode") is None
    True
    >>> difference("How do I enable dark mode?", "How do I disable dark mode?").kind
    <Kind.OPPOSITE: 'opposite'>
    """
    if max(len(first), len(second)) > LONGEST:
        return None if first == second else Difference(Kind.UNJUDGED, ("too long",))
    one, other = tokens_of(first), tokens_of(second)
    if _plain(one) == _plain(other):
        return None
    languages = _language(one), _language(other)
    if languages[0] != languages[1]:
        return Difference(Kind.LANGUAGE, tuple(each or "unknown" for each in languages))
    lexicon = None if languages[0] is None else lexicon_of(languages[0])
    if lexicon is None:
        return Difference(Kind.UNJUDGED, ("a language without a list",))
    return _compared(items_of(one, lexicon), items_of(other, lexicon), lexicon.language)


def _plain(tokens: Sequence[Token]) -> list[str]:
    """Return what is left where only spaces, punctuation and the case of words do not count."""
    return [
        token.text.casefold() if token.form is Form.WORD else token.text
        for token in tokens
        if token.form is not Form.BREAK
    ]


def _language(tokens: Sequence[Token]) -> str | None:
    return language_of(token.text for token in tokens if token.form in (Form.WORD, Form.CHARACTER))


def _compared(one: Sequence[Item], other: Sequence[Item], language: str) -> Difference | None:
    lacking = [*_lacking(one, other), *_lacking(other, one)]
    if lacking:
        kind = min((item.kind for item in lacking), key=_ORDER.index)
        return Difference(kind, tuple(item.text for item in lacking if item.kind is kind)[:_TOLD])
    if language in UNSPACED:
        return _same_sequence(one, other)
    return _same_parts(one, other) or _same_order(one, other)


def _lacking(one: Sequence[Item], other: Sequence[Item]) -> Iterator[Item]:
    """Yield what one ask holds and the other does not."""
    there = Counter(item.key for item in other)
    kinds = {item.kind for item in other}
    here = Counter[str]()
    for item in one:
        here[item.key] += 1
        enough = here[item.key] <= there[item.key] if item.kind in _COUNTED else item.key in there
        if not enough and not _is_idle(item, kinds):
            yield item


def _is_idle(item: Item, others: set[Kind]) -> bool:
    """Whether an item says nothing where the other ask holds none of its kind: "can I", "now", "to"."""
    if item.key in ("direction to", "direction object"):
        return True
    return (item.kind is Kind.MODAL or item.key == "tense today") and item.kind not in others


def _same_sequence(one: Sequence[Item], other: Sequence[Item]) -> Difference | None:
    sequences = [[item.key for item in items if not _is_idle(item, set())] for items in (one, other)]
    if sequences[0] == sequences[1]:
        return None
    return Difference(Kind.DIRECTION, ("another order",))


def _same_parts(one: Sequence[Item], other: Sequence[Item]) -> Difference | None:
    """Return the first word that plays another part in the other ask."""
    for item, twin in _twins(one, other):
        if item.negated != twin.negated:
            return Difference(Kind.NEGATION, (item.text,))
        parts = {item.part, twin.part}
        directions = {part for part in parts if part is not None and part.kind == "direction"}
        only_to = {part.name for part in directions} == {"to"}
        if len(parts) == 2 and directions and not only_to:
            return Difference(Kind.DIRECTION, (item.text,))
    return None


def _same_order(one: Sequence[Item], other: Sequence[Item]) -> Difference | None:
    """Return two words that changed places without a preposition that still says which is which."""
    twins = [(item, twin, place) for place, (item, twin) in enumerate(_twins(one, other))]
    places = {id(twin): place for place, twin in enumerate(other)}
    for (first, its_twin, _), (second, second_twin, _) in combinations(twins, 2):
        turned = places[id(its_twin)] > places[id(second_twin)]
        if turned and not _keeps_part(first, its_twin) and not _keeps_part(second, second_twin):
            return Difference(Kind.DIRECTION, (first.text, second.text))
    return None


def _keeps_part(item: Item, twin: Item) -> bool:
    return item.part is not None and item.part == twin.part


def _twins(one: Sequence[Item], other: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Yield the items that stand in both, in the order of the first: the first with the first, and so on."""
    left: dict[str, list[Item]] = {}
    for item in reversed(other):
        left.setdefault(item.key, []).append(item)
    for item in one:
        if item.kind is not Kind.DIRECTION and item.kind is not Kind.NEGATION and left.get(item.key):
            yield item, left[item.key].pop()
