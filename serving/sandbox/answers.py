"""What the simulated models say: deterministic, plausible in length, and open about being simulated."""

import hashlib
import re
from dataclasses import dataclass

_PIECE = re.compile(r"\s?\S{1,7}|\s")
_SENTENCES = (
    "The first thing to settle is what the request asks for and what it leaves open.",
    "A short answer comes first, and the reasons follow it.",
    "Each step below rests on the one before, so a reader can stop where it is enough.",
    "Where two readings are possible, the more common one is taken and named.",
    "The figures are placeholders that stand where a real model would put its own.",
    "Edge cases are listed after the main line so that they do not hide it.",
    "A check at the end compares the result with what was asked.",
    "Nothing here was looked up, reasoned about or computed.",
    "The length of this text follows the model that was named in the request.",
    "An example closes the explanation and shows it at work.",
    "Two alternatives were possible, and their costs differ more than their results.",
    "What remains uncertain is said plainly instead of being smoothed over.",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How a simulated model writes.

    Attributes:
        sentences: how many sentences its usual answer has.
        pace: how much slower it is than the quickest one (multiplies the sandbox's latency).
    """

    sentences: int
    pace: float


_QUICK = Profile(sentences=3, pace=1.0)
_SOLID = Profile(sentences=6, pace=1.6)
_STRONG = Profile(sentences=12, pace=3.0)
_SOLID_SIZE = re.compile(r"\b(?:[2-9]\d|1\d\d)b\b", re.IGNORECASE)


def profile_of(model: str) -> Profile:
    """Return the profile for a model's name: Pro models write most, models of 20-199 billion parameters less.

    >>> profile_of("Pro/deepseek-ai/DeepSeek-V3.2").pace > profile_of("Qwen/Qwen3-32B").pace
    True
    """
    if model.startswith("Pro/"):
        return _STRONG
    return _SOLID if _SOLID_SIZE.search(model) else _QUICK


def simulated_answer(model: str, prompt: str, variant: int = 0) -> str:
    """Return what a simulated model answers: the same for the same model, prompt and variant."""
    draw = fingerprint(f"{model}\n{variant}\n{prompt}")
    usual = profile_of(model).sentences
    count = max(1, usual + draw[0] % (usual + 1) - usual // 2)
    chosen = (_SENTENCES[(draw[1] + i) % len(_SENTENCES)] for i in range(count))
    asked = " ".join(prompt[:400].split())[:60]
    return f'(Simulated answer of {model}; no model was called.) To "{asked}": {" ".join(chosen)}'


def fingerprint(text: str) -> bytes:
    """Return 32 bytes that depend on the text alone (lone surrogates are allowed)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def pieces(text: str) -> tuple[str, ...]:
    """Cut a text into what the sandbox counts and streams as tokens: joined, they give the text again.

    >>> pieces("Hello, big world")
    ('Hello,', ' big', ' world')
    """
    return tuple(_PIECE.findall(text))


def count_tokens(text: str) -> int:
    """Return about how many tokens a text has: four characters each, at least one for any text at all."""
    return (len(text) + 3) // 4
