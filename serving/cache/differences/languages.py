"""The language of a text, told by its script and its commonest words."""

from collections import Counter
from collections.abc import Iterable
from functools import cache

from serving.cache.differences.lexicon import lexicon_of

__all__ = ["language_of"]

_LATIN = ("en", "de", "fr", "es")
_LETTERS = {  # beyond a to z, which a text in that language may hold
    "en": frozenset("éèêïöñçàâîôüä"),  # in loan words and names
    "de": frozenset("äöüßé"),
    "fr": frozenset("àâæçéèêëîïôœùûüÿ"),
    "es": frozenset("áéíñóúü"),
    "ru": frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    "ar": frozenset("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيـًٌٍَُِّْ"),
}
_BLOCKS = (
    ("kana", 0x3040, 0x30FF),
    ("han", 0x3400, 0x4DBF),
    ("han", 0x4E00, 0x9FFF),
    ("cyrillic", 0x0400, 0x04FF),
    ("arabic", 0x0600, 0x06FF),
    ("latin", 0x0041, 0x024F),
)
_HOLD_TOGETHER = ("light", "preposition", "direction", "negation", "tense", "question", "modal")
_LEAST_SHARE = 0.15  # of words that a language must know to be the one


def language_of(words: Iterable[str]) -> str | None:
    """Return the code of the language that words are in, or None where it is none that we can judge.

    Args:
        words: of a text, without numbers, quotations and code.

    >>> language_of("Wie alt ist der Mann".split()), language_of("jak to zrobić".split())
    ('de', None)
    """
    words = [word.lower() for word in words]
    letters = Counter(letter for word in words for letter in word if letter.isalpha())
    scripts = Counter[str]()
    for letter, count in letters.items():
        scripts[_script(letter)] += count
    if not scripts:
        return None
    if scripts["kana"]:
        return "ja"
    script = scripts.most_common(1)[0][0]
    if scripts["han"] and scripts["han"] * 2 >= scripts["latin"]:
        return "zh"
    if script == "cyrillic":
        return _if_spelt("ru", letters, script)
    if script == "arabic":
        return _if_spelt("ar", letters, script)
    return _latin(words, letters) if script == "latin" else None


def _script(letter: str) -> str:
    code = ord(letter)
    return next((name for name, first, last in _BLOCKS if first <= code <= last), "other")


def _if_spelt(language: str, letters: Iterable[str], script: str) -> str | None:
    own = [letter for letter in letters if _script(letter) == script]
    return language if _LETTERS[language].issuperset(own) else None


def _latin(words: list[str], letters: Iterable[str]) -> str | None:
    beyond = {letter for letter in letters if not letter.isascii()}
    share = {
        language: sum(word in _known(language) for word in words) / len(words)
        for language in _LATIN
        if beyond <= _LETTERS[language]
    }
    best = max(share, key=lambda language: share[language], default=None)
    return best if best is not None and share[best] >= _LEAST_SHARE else None


@cache
def _known(language: str) -> frozenset[str]:
    """Return the words of a lexicon that hold sentences together."""
    lexicon = lexicon_of(language)
    concepts = {} if lexicon is None else lexicon.concepts
    return frozenset(phrase for phrase, concept in concepts.items() if concept.kind in _HOLD_TOGETHER)
