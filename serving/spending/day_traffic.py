"""A day of traffic to try pacing on: when prompts come, what they need and what premium costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from math import exp
from random import Random

from classifier import Policy, Tier
from serving.spending.call_size import call_size
from serving.spending.traffic_profile import HOURS, Day, TrafficProfile

__all__ = ["Arrival", "Burst", "Judged", "Traffic", "draw_day"]

_PREMIUM_PRICE = 2.5  # micro-dollars a token, as the configuration's own
_MOST_OUTPUT = 4096  # tokens, as the proxy's default_max_tokens
_BYTES_PER_TOKEN = 4  # a bound counts bytes
_FIRST_TOKEN, _PER_TOKEN = 1.0, 0.02  # seconds of an answer


@dataclass(frozen=True, slots=True)
class Judged:
    """A prompt as the model sees it, and the truth.

    Attributes:
        probabilities: P(needs this tier), Tier order.
        needed: the tier that it needs.
        known_vocabulary: share in [0, 1], as the policy reads it.
    """

    probabilities: tuple[float, float, float]
    needed: Tier
    known_vocabulary: float = 1.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A prompt that the policy wants to send to premium.

    Attributes:
        at: when it comes, seconds since the epoch.
        score: its P(premium needed).
        needs: whether it does need premium.
        cost: of a premium answer, micro-dollars.
        bound: what is reserved for it, micro-dollars, at least `cost`.
        seconds: how long the answer takes.
        size: how dear the call looks beforehand against a usual one, by the length of its prompt.
    """

    at: float
    score: float
    needs: bool
    cost: int
    bound: int
    seconds: float
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Traffic many times as dense as usual, for an hour.

    Attributes:
        times: how dense.
        hour: when it begins, local hour; None for any.
    """

    times: float = 6.0
    hour: int | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a day is like.

    Attributes:
        prompts: how many come on a usual day, on average.
        profile: how they are spread over the day.
        burst: an hour out of the ordinary, or None.
    """

    prompts: int
    profile: TrafficProfile
    burst: Burst | None = None

    def today(self, random: Random) -> "Traffic":
        """Return a day without bursts, whose burst stands in profile and number."""
        if self.burst is None:
            return self
        hour = random.randrange(HOURS) if self.burst.hour is None else self.burst.hour
        weights = list(self.profile.weights)
        more = weights[hour] * (self.burst.times - 1)
        share = more / sum(weights)
        weights[hour] += more
        return Traffic(round(self.prompts * (1 + share)), TrafficProfile(tuple(weights)))


def draw_day(
    traffic: Traffic,
    pool: Sequence[Judged],
    policy: Policy,
    random: Random,
    *,
    zone: tzinfo = UTC,
    midnight: float = 1_795_305_600.0,
) -> list[Arrival]:
    """Return the prompts of a day that the policy wants to send to premium, in order of time.

    Prompts are drawn with replacement. Sizes are lognormal, so heavy-tailed (medians of 300 tokens in and 400
    out, the longest hundredth sixteen and ten times that), and independent of what a prompt needs.

    Args:
        traffic: of the day.
        pool: prompts to draw from.
        policy: without pacing.
        random: of everything.
        zone: of the profile's hours.
        midnight: any moment of the day, seconds since the epoch.
    """
    today = traffic.today(random)
    day = Day(midnight, zone, today.profile)
    count = _poisson(today.prompts, random)
    moments = sorted(day.at(random.random()) for _ in range(count))
    judged = random.choices(pool, k=count)
    return [
        _arrival(at, each, random)
        for at, each in zip(moments, judged, strict=True)
        if policy.choose(each.probabilities, each.known_vocabulary) is Tier.PREMIUM
    ]


def _arrival(at: float, judged: Judged, random: Random) -> Arrival:
    read = max(1, round(300 * exp(random.gauss(0.0, 1.2))))
    written = max(1, min(_MOST_OUTPUT, round(400 * exp(random.gauss(0.0, 1.0)))))
    return Arrival(
        at=at,
        score=judged.probabilities[Tier.PREMIUM],
        needs=judged.needed is Tier.PREMIUM,
        cost=round((read + written) * _PREMIUM_PRICE),
        bound=round((read * _BYTES_PER_TOKEN + _MOST_OUTPUT) * _PREMIUM_PRICE),
        seconds=_FIRST_TOKEN + written * _PER_TOKEN,
        size=call_size(read),
    )


def _poisson(mean: float, random: Random) -> int:
    """Return a Poisson number by its normal approximation: days have hundreds of prompts."""
    return max(0, round(random.gauss(mean, mean**0.5)))
