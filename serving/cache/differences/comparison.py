"""Whether the answer to one ask can be the answer to another, told from their words alone.

The rule is strict, because a miss costs cents and a wrong answer trust: two asks pass only where everything
that either of them holds, beside words that carry nothing ("please", "how do I", "the"), is found in the
other one, as the same word, an inflection of it or a listed synonym; where shared words stand in the same
order, or play the same parts ("from A to B" is "to B from A", and not "from B to A"); and where negations
stand before the same words. So a difference is refused whether or not a list knows it; the lists say which
kind it is, and which words differ without a difference. Where the language has no list, the asks must be the
same but for case, spaces and how they end.

What was tried and left: to let asks pass that share most of what they are about in other words, and leave the
rest to similarity. On the calibration pairs, and those that follow from them, that gave five paraphrases for
every four look-alikes, because a word that stands for another may be its opposite as well as its synonym.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from serving.cache.differences.items import UNSPACED, Item, items_of
from serving.cache.differences.kinds import Difference, Kind
from serving.cache.differences.languages import language_of
from serving.cache.differences.lexicon import Concept, lexicon_of
from serving.cache.differences.tokens import Form, Token, tokens_of

__all__ = ["LONGEST", "difference"]

LONGEST = 2000  # characters of an ask that is judged

_COUNTED = frozenset({Kind.NEGATION, Kind.NUMBER})  # of which twice is not once
_ORDER = list(Kind)
_PLACES = frozenset({"in", "on", "at", "of"})
_STOPS = ".!?;…。！？؟ "
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
        if _indents(first) != _indents(second):
            return Difference(Kind.WORDING, ("indented otherwise",))
        return _same_marks(one, other)
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


def _indents(text: str) -> list[int]:
    """Return how far the indented lines of a text are; code may depend on it."""
    return [
        indent for line in text.splitlines()[1:] if (indent := len(line) - len(line.lstrip())) < len(line)
    ]


def _same_marks(one: Sequence[Token], other: Sequence[Token]) -> Difference | None:
    """Return the mark or the capital by which two asks of the same words differ; not how they end."""
    marks = list(_inner_marks(one)), list(_inner_marks(other))
    if marks[0] != marks[1]:
        return Difference(Kind.WORDING, tuple(text for _, text in {*marks[0]} ^ {*marks[1]})[:_TOLD])
    both = _has_capitals(one) and _has_capitals(other)  # some people never write any
    words = [[token for token in tokens if token.form is not Form.BREAK] for tokens in (one, other)]
    for token, twin in zip(*words, strict=True):
        skip = 1 if token.begins or twin.begins else 0
        matters = both or (len(token.text) == 1 and token.text not in "iI")
        if matters and token.text[skip:] != twin.text[skip:]:
            return Difference(Kind.NAME, (token.text, twin.text))
    return None


def _inner_marks(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Yield the marks between words: after how many, and which; ends of lines and last stops are none."""
    words = 0
    last = max((place for place, token in enumerate(tokens) if token.form is not Form.BREAK), default=-1)
    for place, token in enumerate(tokens):
        text = token.text.replace("\n", "")
        if token.form is not Form.BREAK:
            words += 1
        elif place < last or text.strip(_STOPS):
            yield words, text


def _has_capitals(tokens: Sequence[Token]) -> bool:
    return any(token.text != token.text.lower() for token in tokens)


def _language(tokens: Sequence[Token]) -> str | None:
    return language_of(token.text for token in tokens if token.form in (Form.WORD, Form.CHARACTER))


def _compared(one: Sequence[Item], other: Sequence[Item], language: str) -> Difference | None:
    lacking = [*_lacking(one, other), *_lacking(other, one)]
    if lacking:
        return _worst(lacking)
    if language in UNSPACED:
        return _same_sequence(one, other)
    return _same_parts(one, other) or _same_order(one, other)


def _worst(lacking: Sequence[Item]) -> Difference:
    kind = min((item.kind for item in lacking), key=_ORDER.index)
    return Difference(kind, tuple(item.text for item in lacking if item.kind is kind)[:_TOLD])


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
        if item.part != twin.part and not _are_parts_alike(item.part, twin.part):
            return Difference(Kind.DIRECTION, (item.text,))
    return None


def _are_parts_alike(one: Concept | None, other: Concept | None) -> bool:
    """Whether two prepositions may say the same; "to" is also in front of verbs, and "of" goes unsaid."""
    if one is None or other is None:
        there = one or other
        return there is None or there.kind == "preposition" or there.name == "to"
    names = {one.name, other.name}
    return {one.kind, other.kind} == {"preposition"} and (names <= _PLACES or names == {"of", "for"})


def _same_order(one: Sequence[Item], other: Sequence[Item]) -> Difference | None:
    """Return two words that changed places without a preposition that still says which is which."""
    places = {id(item): place for items in (one, other) for place, item in enumerate(items)}
    twins = [(item, twin) for item, twin in _twins(one, other) if not _asks_anywhere(item)]
    for (first, its_twin), (second, second_twin) in combinations(twins, 2):
        steps = places[id(second)] - places[id(first)], places[id(second_twin)] - places[id(its_twin)]
        if steps[1] > 0 or _told_apart(first, its_twin, second, second_twin):
            continue
        if steps == (1, -1) and (
            _is_compound(second, second_twin, first, its_twin)
            or _is_compound(its_twin, first, second_twin, second)
        ):
            continue
        return Difference(Kind.DIRECTION, (first.text, second.text))
    return None


def _asks_anywhere(item: Item) -> bool:
    """Whether a word says the same wherever it stands, as "why" and "how many" do."""
    return item.kind is Kind.QUESTION or item.key == "opposite cause"


def _is_compound(governed: Item, plain: Item, head: Item, its_twin: Item) -> bool:
    """Whether "recipe for pancakes" became "pancake recipe"; not whether "A for B" became "B for A"."""
    part = governed.part
    compound = part is not None and part.name in ("of", "for") and plain.part is None
    return compound and head.part == its_twin.part


def _told_apart(first: Item, its_twin: Item, second: Item, second_twin: Item) -> bool:
    """Whether prepositions say which word is which, in both asks alike."""
    first_keeps = first.part is not None and first.part == its_twin.part
    second_keeps = second.part is not None and second.part == second_twin.part
    return first.part != second.part and (first_keeps or second_keeps)


def _twins(one: Sequence[Item], other: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Yield the items that stand in both, in the order of the first: the first with the first, and so on."""
    left: dict[str, list[Item]] = {}
    for item in reversed(other):
        left.setdefault(item.key, []).append(item)
    for item in one:
        if item.kind is not Kind.DIRECTION and item.kind is not Kind.NEGATION and left.get(item.key):
            yield item, left[item.key].pop()
