"""What it costs to leave the provider that has a conversation's prompt in its cache; pure arithmetic.

Staying with model A, the tokens of the last prompt are billed at A's cached price, and only what came since
at its full one. Moving to B, which has nothing cached, the whole prompt is billed in full once; from the next
turn on B has it cached as well. Further turns are taken to be as long as the present one. Where no cached
price is configured it is the input's: then nothing is known to be lost, and the cheaper model is cheaper.

Providers cache from a least length on (1,024 tokens with some), and in blocks; the model leaves that out: on
prompts so short the difference is a small part of a cent.
"""

from dataclasses import dataclass

from serving.cost import Price, Tokens

__all__ = ["TurnSize", "usd_of_turns"]


@dataclass(frozen=True, slots=True)
class TurnSize:
    """The tokens of a turn.

    Attributes:
        cached: of its prompt, that the provider of the last answer has cached.
        fresh: of its prompt, that came since: that answer, and the new turn.
        answer: that is expected.
    """

    cached: int
    fresh: int
    answer: int


def usd_of_turns(price: Price, size: TurnSize, *, turns_ahead: int, is_cached: bool) -> float:
    """Return the US dollars of a turn and of so many further ones like it, all with one model.

    Args:
        price: of the model.
        size: of the turn.
        turns_ahead: how many more come after it.
        is_cached: whether the model's provider has the prompt of the last turn cached.

    With input at $2, cached input at $0.20 and output at $4 a million tokens, 10,000 tokens cached, 500 fresh
    and an answer of 250, staying costs 10,000 x 0.20 + 500 x 2 + 250 x 4 = 4,000 millionths of a dollar:

    >>> price, size = Price(2, 4, cached_input=0.2), TurnSize(cached=10_000, fresh=500, answer=250)
    >>> round(usd_of_turns(price, size, turns_ahead=0, is_cached=True) * 1e6)
    4000

    Moving there costs 10,500 x 2 + 250 x 4 = 22,000; a further turn, with those 10,500 cached, costs
    10,500 x 0.20 + 500 x 2 + 250 x 4 = 4,100 more:

    >>> round(usd_of_turns(price, size, turns_ahead=0, is_cached=False) * 1e6)
    22000
    >>> round(usd_of_turns(price, size, turns_ahead=1, is_cached=False) * 1e6)
    26100

    With the mission's prices, were cached tokens billed at a tenth: leaving premium for cheap saves 1,687.5
    millionths, leaving balanced for cheap costs 2,197.5 more than it saves.

    >>> premium, balanced = Price(2.5, 2.5, cached_input=0.25), Price(0.28, 0.28, cached_input=0.028)
    >>> cheap = Price(0.25, 0.25, cached_input=0.025)
    >>> stay = [usd_of_turns(each, size, turns_ahead=0, is_cached=True) for each in (premium, balanced)]
    >>> [round((each - usd_of_turns(cheap, size, turns_ahead=0, is_cached=False)) * 1e6, 1) for each in stay]
    [1687.5, -2197.5]
    """
    prompt, cached = size.cached + size.fresh, size.cached if is_cached else 0
    usd = price.of(Tokens(prompt, size.answer, cached=cached))
    for _ in range(turns_ahead):
        cached, prompt = prompt, prompt + size.fresh
        usd += price.of(Tokens(prompt, size.answer, cached=cached))
    return usd
