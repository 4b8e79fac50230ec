"""Time classifiers against each other on the same prompts, in turns."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.peers import Worker
from tests.benchmarks.row import Unavailable

__all__ = ["Contender", "Result", "run_contest"]


@dataclass(frozen=True, slots=True)
class Contender:
    """A classifier that takes part.

    Attributes:
        name: for people.
        start: starts its process.
        repeats: calls on each prompt in each round, of which the fastest counts; slow ones need fewer.
    """

    name: str
    start: Callable[[], Worker]
    repeats: int


@dataclass(slots=True)
class Result:
    """What a contender did.

    Attributes:
        tiers: the tier that it gave each prompt; empty when it could not take part.
        nanoseconds: the fastest call on each prompt so far.
        problem: why it could not take part; empty when it did.
    """

    tiers: list[int] = field(default_factory=list)
    nanoseconds: list[int] = field(default_factory=list)
    problem: str = ""

    @property
    def microseconds(self) -> float:
        """The median over the prompts, each at its fastest.

        >>> Result(nanoseconds=[1000, 4000, 2000]).microseconds
        2.0
        """
        return median(self.nanoseconds) / 1000

    def improve(self, nanoseconds: Sequence[int]) -> None:
        """Keep the faster of both for each prompt."""
        before = self.nanoseconds or nanoseconds
        self.nanoseconds = [min(pair) for pair in zip(before, nanoseconds, strict=True)]


def run_contest(
    contenders: Sequence[Contender],
    prompts: Sequence[str],
    train: Sequence[tuple[str, int]],
    rounds: int,
    say: Callable[[str], None],
) -> Mapping[str, Result]:
    """Let the contenders take turns on all prompts, so that a busy machine slows all alike.

    Args:
        contenders: who takes part; one that cannot is left out, and its result says why.
        prompts: what is classified.
        train: texts and tiers for those that learn.
        rounds: how many turns each gets.
        say: told of the progress.
    """
    results = {contender.name: Result() for contender in contenders}
    with ExitStack() as stack:
        running = []
        for contender in contenders:
            say(f"preparing {contender.name}")
            try:
                worker = stack.enter_context(contender.start())
                results[contender.name].tiers = worker.ask({"prompts": prompts, "train": train})
            except Unavailable as reason:
                results[contender.name].problem = str(reason)
            else:
                running.append((contender, worker))
        for turn in range(1, rounds + 1):
            say(f"timing {len(running)} classifiers on {len(prompts)} prompts, round {turn} of {rounds}")
            for contender, worker in running:
                results[contender.name].improve(worker.ask({"repeats": contender.repeats}))
    return results
