"""An ask as the list of what its answer depends on: concepts, words, numbers, names, in their order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from serving.cache.differences.kinds import Kind
from serving.cache.differences.lexicon import Concept, Lexicon
from serving.cache.differences.numbers import han_value, spelt, value_of
from serving.cache.differences.tokens import Form, Token

__all__ = ["UNSPACED", "Item", "items_of"]

UNSPACED = frozenset({"zh", "ja"})

_NAMES_TOO = frozenset({"light", "modal", "tense", "question", "person", "preposition", "direction"})
_LETTERED = frozenset(
    {
        "branch",
        "cell",
        "class",
        "column",
        "file",
        "grade",
        "group",
        "hepatitis",
        "list",
        "option",
        "part",
        "plan",
    }
    | {"point", "row", "section", "set", "step", "table", "team", "type", "variable", "vitamin"}
)
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
    "person": Kind.DIRECTION,
}
_OF = Concept("preposition", "of")
_POSSESSIVE = Concept("possessive", "s")
_NO_PLURALS = frozenset({"news", "goods", "customs", "glasses", "arms", "means", "times", "always", "plus"})
_ENDS_IN_E = re.compile(r"[vcu]$|[^aeiou]at$|[^aeiou][ai]k$|[iy]z$|n[cg]$")
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
    token = tokens[place]
    glue = "" if token.form is Form.CHARACTER else " "
    run = _run(tokens, place, lexicon.longest.get(token.text.lower(), 1))
    for taken in range(len(run), 1, -1):
        phrase = glue.join(each.text for each in run[:taken])
        concept = lexicon.concept(phrase)
        if concept is not None:
            return taken, concept, phrase
    concept = lexicon.concept(token.text) or _of_singular(token.text, lexicon)
    around = tokens[max(0, place - 1) : place], tokens[place + 1 : place + 2]
    if concept is None or (not shouted and _is_a_name(token, around, concept, lexicon)):
        return 1, None, token.text
    return 1, concept, token.text


def _run(tokens: Sequence[Token], place: int, longest: int) -> list[Token]:
    unspaced = tokens[place].form is Form.CHARACTER
    run: list[Token] = []
    for token in tokens[place : place + longest]:
        fits = token.form is Form.CHARACTER if unspaced else token.form in (Form.WORD, Form.SIGN, Form.NUMBER)
        if not fits:
            break
        run.append(token)
    return run


def _is_a_name(
    token: Token, around: tuple[Sequence[Token], Sequence[Token]], concept: Concept, lexicon: Lexicon
) -> bool:
    """Whether capitals make another word of it: "US", "WHO", "in May" and "column A" are none of ours."""
    text = token.text
    if text == "a" and lexicon.language == "en" and not _is_an_article(*around, lexicon):
        return True
    if text == "I" or text in lexicon.concepts or not text[:1].isupper():
        return False
    if len(text) > 1 and text.isupper():
        return concept.kind not in ("unit", "same", "language")
    return not token.begins and lexicon.language != "de" and concept.kind in _NAMES_TOO


def _is_an_article(before: Sequence[Token], after: Sequence[Token], lexicon: Lexicon) -> bool:
    """Whether "a" is one: a word follows, and not one like "to" or "and"; and it is no "column a"."""
    if before and before[0].text.lower() in _LETTERED:
        return False
    if not after or after[0].form in (Form.BREAK, Form.SIGN):
        return False
    concept = lexicon.concept(after[0].text)
    return concept is None or (concept.kind not in _PARTS and after[0].text.lower() not in ("and", "or"))


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
        case Form.QUOTED if token.text.isalpha() and token.text.islower() and len(token.text) > 1:
            return Item(Kind.NAME, f"word {_stem(token.text, language)}", token.text)
        case Form.QUOTED | Form.CODE:
            return Item(Kind.NAME, f"{token.form.value} {token.text}", token.text)
    if len(token.text) == 1 and not token.begins:  # the case of a variable's name counts
        return Item(_kind(token, language), f"word {token.text}", token.text)
    if _looks_like_a_name(token, language):  # names have no plural: "Marks" is not "Mark"
        return Item(Kind.NAME, f"word {token.text.lower()}", token.text)
    return Item(Kind.WORDING, f"word {_stem(token.text, language)}", token.text)


def _kind(token: Token, language: str) -> Kind:
    return Kind.NAME if _looks_like_a_name(token, language) else Kind.WORDING


def _looks_like_a_name(token: Token, language: str) -> bool:
    if token.text.isupper() and (len(token.text) > 1 or not token.begins):
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
    """Return the singular of a noun and the bare form of a verb in -ing, where the spelling tells it."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(_EN_PLURALS) and len(word) > 3 and word not in _NO_PLURALS:
        return word[:-1]
    if not word.endswith("ing") or len(word) < 6:
        return word
    stem = word[:-3]
    if stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    return f"{stem}e" if _ENDS_IN_E.search(stem) else stem


def _without(word: str, endings: Sequence[str], least: int) -> str:
    ending = next((each for each in endings if word.endswith(each) and len(word) - len(each) >= least), "")
    return word.removesuffix(ending)


def _numbers_joined(
    found: Iterator[tuple[Concept | Item | None, str]],
) -> Iterator[tuple[Concept | Item | None, str]]:
    """Yield numbers that stand together as one: "two hundred", "1.5 million"."""
    values: list[tuple[str, str]] = []
    for each, text in found:
        value = _value(each)
        if value is None:
            yield from _as_numbers(values)
            values = []
            yield each, text
        else:
            values.append((value, text))
    yield from _as_numbers(values)


def _as_numbers(values: Sequence[tuple[str, str]]) -> Iterator[tuple[Item, str]]:
    whole = spelt([value for value, _ in values])
    if len(values) > 1 and " " not in whole:
        values = [(whole, " ".join(text for _, text in values))]
    for value, text in values:
        yield Item(Kind.NUMBER, f"number {value}", text), text


def _value(found: Concept | Item | None) -> str | None:
    if isinstance(found, Concept):
        return found.name if found.kind == "number" else None
    if isinstance(found, Item) and found.kind is Kind.NUMBER:
        return found.key.removeprefix("number ")
    return None
