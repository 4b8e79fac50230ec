"""An ask as the list of what its answer depends on: concepts, words, numbers, names, in their order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from serving.cache.differences.kinds import Kind
from serving.cache.differences.lexicon import Concept, Lexicon
from serving.cache.differences.numbers import han_value, spelt, value_of
from serving.cache.differences.tokens import Form, Token

__all__ = ["UNSPACED", "Item", "items_of"]

UNSPACED = frozenset({"zh", "ja"})

_PARTS = frozenset({"preposition", "direction"})
_KINDS = {
    "negation": Kind.NEGATION,
    "tense": Kind.TENSE,
    "opposite": Kind.OPPOSITE,
    "question": Kind.QUESTION,
    "modal": Kind.MODAL,
    "unit": Kind.UNIT,
    "language": Kind.LANGUAGE,
    "number": Kind.NUMBER,
    "direction": Kind.DIRECTION,
}
_OF = Concept("preposition", "of")
_POSSESSIVE = Concept("possessive", "s")
_EN_PLURALS = ("ss", "us", "is", "'s")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that an answer depends on.

    Attributes:
        kind: of difference that it makes where the other ask does not hold it.
        key: equal for what means the same.
        text: as it stood there.
        part: the preposition that governs it, as kind and name, or None.
        negated: whether a negation stands right before it.
    """

    kind: Kind
    key: str
    text: str
    part: Concept | None = None
    negated: bool = False


def items_of(tokens: Sequence[Token], lexicon: Lexicon) -> list[Item]:
    """Return the items of an ask in order; light words and punctuation leave none."""
    shouted = all(token.text.isupper() for token in tokens if token.form is Form.WORD)
    items: list[Item] = []
    part: Concept | None = None
    negated = False
    for found, text in _numbers_joined(_found(tokens, lexicon, shouted=shouted)):
        if found == _POSSESSIVE:
            items[-1:] = [replace(item, part=_OF) for item in items[-1:]]
            continue
        if isinstance(found, Concept) and found.kind in _PARTS:
            part = found
            if found.kind == "direction":
                items.append(Item(Kind.DIRECTION, f"direction {found.name}", text))
            continue
        if found is None:
            part = None
        elif isinstance(found, Concept) and found.kind != "light":
            item = Item(_KINDS.get(found.kind, Kind.WORDING), f"{found.kind} {found.name}", text)
            items.append(replace(item, part=part, negated=negated and found.kind != "negation"))
            negated = found.kind == "negation"
            part = None if found.kind != "negation" else part
        elif isinstance(found, Item):
            items.append(replace(found, part=part, negated=negated))
            part, negated = None, False
    return items


def _found(
    tokens: Sequence[Token], lexicon: Lexicon, *, shouted: bool
) -> Iterator[tuple[Concept | Item | None, str]]:
    """Yield what stands there, longest phrases first; None at the end of a phrase."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        taken, found, text = 1, _alone(token, lexicon.language), token.text
        if token.form in (Form.WORD, Form.SIGN, Form.CHARACTER):
            taken, concept, text = _longest(tokens, place, lexicon, shouted=shouted)
            numeral = _numeral(tokens, place) if token.form is Form.CHARACTER else ""
            if len(numeral) >= max(taken, 1 if concept is None else 2) and han_value(numeral) is not None:
                taken, text = len(numeral), numeral
                found = Item(Kind.NUMBER, f"number {han_value(numeral)}", numeral)
            elif concept is not None:
                found = None
                yield concept, text
        if found is not None or token.form is Form.BREAK:
            yield found, text
        place += taken


def _longest(
    tokens: Sequence[Token], place: int, lexicon: Lexicon, *, shouted: bool
) -> tuple[int, Concept | None, str]:
    """Return how many tokens the longest phrase from a place has, and what it stands for."""
    glue = "" if tokens[place].form is Form.CHARACTER else " "
    run = _run(tokens, place, lexicon.longest)
    for taken in range(len(run), 0, -1):
        phrase = glue.join(token.text for token in run[:taken])
        concept = lexicon.concept(phrase)
        if concept is None and taken == 1:
            concept = _of_singular(phrase, lexicon)
        if concept is not None and not (taken == 1 and not shouted and _is_acronym(phrase, concept, lexicon)):
            return taken, concept, phrase
    return 1, None, tokens[place].text


def _run(tokens: Sequence[Token], place: int, longest: int) -> list[Token]:
    unspaced = tokens[place].form is Form.CHARACTER
    run: list[Token] = []
    for token in tokens[place : place + longest]:
        fits = token.form is Form.CHARACTER if unspaced else token.form in (Form.WORD, Form.SIGN, Form.NUMBER)
        if not fits:
            break
        run.append(token)
    return run


def _is_acronym(text: str, concept: Concept, lexicon: Lexicon) -> bool:
    """Whether capitals make another word of it: "US", "IT" and "WHO" are none of ours."""
    return (
        len(text) > 1
        and text.isupper()
        and text not in lexicon.concepts
        and concept.kind not in ("unit", "same")
    )


def _of_singular(word: str, lexicon: Lexicon) -> Concept | None:
    stem = _stem(word, lexicon.language)
    concept = None if stem == word.lower() else lexicon.concept(stem)
    return concept if concept is not None and concept.kind in ("same", "unit") else None


def _numeral(tokens: Sequence[Token], place: int) -> str:
    run = ""
    for token in tokens[place : place + 12]:
        if token.form is not Form.CHARACTER or han_value(token.text) is None:
            break
        run += token.text
    return run


def _alone(token: Token, language: str) -> Item | None:
    match token.form:
        case Form.BREAK:
            return None
        case Form.NUMBER:
            return Item(Kind.NUMBER, f"number {value_of(token.text, language)}", token.text)
        case Form.QUOTED | Form.CODE:
            return Item(Kind.NAME, f"{token.form.value} {token.text}", token.text)
    kind = Kind.NAME if _looks_like_a_name(token, language) else Kind.WORDING
    return Item(kind, f"word {_stem(token.text, language)}", token.text)


def _looks_like_a_name(token: Token, language: str) -> bool:
    if token.text.isupper() and len(token.text) > 1:
        return True
    return token.text[:1].isupper() and not token.begins and language != "de"


def _stem(word: str, language: str) -> str:
    """Return a word without the endings that change nothing but its number; with care rather than success."""
    word = word.lower().replace("ё", "е")
    if language == "en":
        return _english_stem(word)
    if language == "de":
        return _without(word.replace("ß", "ss"), ("en", "n", "e"), 4)
    if language in ("fr", "es"):
        return _without(word, ("s", "x"), 3)
    if language == "ar":
        return word.removeprefix("ال") if len(word) > 4 else word
    return word


def _english_stem(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(_EN_PLURALS) and len(word) > 3:
        word = word[:-1]
    elif word.endswith("ing") and len(word) > 5:
        word = word[:-3]
        if word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]
    elif word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    return word.removesuffix("e") if len(word) > 3 else word


def _without(word: str, endings: Sequence[str], least: int) -> str:
    ending = next((each for each in endings if word.endswith(each) and len(word) - len(each) >= least), "")
    return word.removesuffix(ending)


def _numbers_joined(
    found: Iterator[tuple[Concept | Item | None, str]],
) -> Iterator[tuple[Concept | Item | None, str]]:
    """Yield numbers that stand together as one: "two hundred", "1.5 million"."""
    values: list[str] = []
    texts: list[str] = []
    for each, text in found:
        value = _value(each)
        if value is not None:
            values.append(value)
            texts.append(text)
            continue
        if values:
            yield Item(Kind.NUMBER, f"number {spelt(values)}", " ".join(texts)), " ".join(texts)
            values, texts = [], []
        yield each, text
    if values:
        yield Item(Kind.NUMBER, f"number {spelt(values)}", " ".join(texts)), " ".join(texts)


def _value(found: Concept | Item | None) -> str | None:
    if isinstance(found, Concept):
        return found.name if found.kind == "number" else None
    if isinstance(found, Item) and found.kind is Kind.NUMBER:
        return found.key.removeprefix("number ")
    return None
