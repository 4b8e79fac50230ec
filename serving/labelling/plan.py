"""What a run is going to send, to whom, and what it will cost: told before anything is sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifier import TIERS, Tier
from serving.config import RouterConfig
from serving.cost import Price
from serving.labelling.asks import BYTES_PER_TOKEN, Ask, answer_ask, judge_ask, shown_to_judge
from serving.labelling.judge import MOST_JUDGEMENTS
from serving.labelling.prompts import PromptToLabel
from serving.labelling.record import Record
from serving.labelling.settings import LabelSettings
from serving.labelling.steps import Standing, standing_of
from serving.wording import counted, usd

__all__ = ["JUDGE", "Need", "Plan", "admission", "needs_of", "plan_run"]

JUDGE = "judge"

_ANSWER_TOKENS = 400  # assumed of an answer, and of a verdict, for the estimate alone
_VERDICT_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Need:
    """A call that is still to be made.

    Attributes:
        role: a tier's name, or "judge".
        expected_usd: about what it will cost.
        most_usd: what it can cost at most.
    """

    role: str
    expected_usd: float
    most_usd: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do.

    Attributes:
        settings: of the run.
        needs: the calls of each unfinished prompt, in the order of the prompts.
        finished: how many prompts have nothing left to ask.
        budget_usd: the cap.
        charged_usd: what earlier runs have been charged of it.
    """

    settings: LabelSettings
    needs: tuple[tuple[Need, ...], ...]
    finished: int
    budget_usd: float
    charged_usd: float

    @property
    def calls(self) -> int:
        """How many calls are to be made, when all goes well."""
        return sum(map(len, self.needs))

    @property
    def expected_usd(self) -> float:
        """About what they will cost."""
        return sum(need.expected_usd for needs in self.needs for need in needs)

    @property
    def most_usd(self) -> float:
        """What they can cost at most, the judge asked twice for each verdict; the budget not considered."""
        return sum(_most(need) for needs in self.needs for need in needs)

    @property
    def next_usd(self) -> float:
        """What has to be free in the budget for the next prompt to be begun; 0 when none is left."""
        return admission(self.needs[0]) if self.needs else 0.0

    def lines(self) -> list[str]:
        """Return the plan as a person reads it."""
        settings = self.settings
        head = (
            "Simulated: the prompts stay on this machine, no model is called, nothing is paid."
            if settings.simulated
            else f"The prompts will be sent to {settings.upstream}, where these models read them:"
        )
        rows = [self._row(role, model) for role, model in _named(settings).items()]
        return [head, *rows, *self._notes(), *self._dollars()]

    def _row(self, role: str, model: str) -> str:
        needs = [need for needs in self.needs for need in needs if need.role == role]
        expected = usd(sum(need.expected_usd for need in needs))
        what = "judges the answers" if role == JUDGE else "answers"
        return f"  {role:<9} {model:<34} {len(needs):>6,} calls  about {expected}  {what}"

    def _notes(self) -> list[str]:
        settings = self.settings
        how = f"by {settings.redaction}" if settings.redaction else "none: texts are sent as they are"
        notes = [f"redaction  {how}"]
        if settings.judge_is_candidate:
            notes += [
                f"warning    the judge, {settings.judge}, also answers, and models tend",
                "           to prefer their own answers; --judge names another",
            ]
        return notes

    def _dollars(self) -> list[str]:
        before = f", {self.finished:,} finished before" if self.finished else ""
        prompts = counted(len(self.needs), "prompt") + before
        left = max(0.0, self.budget_usd - self.charged_usd)
        spent = f", {usd(self.charged_usd)} of it charged before" if self.charged_usd else ""
        most = min(self.most_usd, left)
        return [
            f"work       {prompts}; {counted(self.calls, 'call')}",
            f"cost       about {usd(self.expected_usd)} (answers of {self._answer_tokens} tokens assumed), "
            f"at most {usd(most)}",
            f"budget     {usd(self.budget_usd)}{spent}; "
            f"with every answer as long as allowed it would take {usd(self.most_usd)}",
        ]

    @property
    def _answer_tokens(self) -> int:
        return min(_ANSWER_TOKENS, self.settings.max_tokens)


def plan_run(
    prompts: Iterable[PromptToLabel],
    record: Record,
    settings: LabelSettings,
    config: RouterConfig,
    budget_usd: float,
) -> Plan:
    """Return what is left to do.

    Args:
        prompts: each once.
        record: what the journal holds.
        settings: of the run.
        config: of the router, for the prices.
        budget_usd: the cap for all runs of the journal together.

    Raises:
        ConfigError: a model has no price.
    """
    needs = [needs_of(prompt, record, settings, config) for prompt in prompts]
    left = tuple(each for each in needs if each)
    return Plan(settings, left, len(needs) - len(left), budget_usd, record.charged_usd)


def admission(needs: Sequence[Need]) -> float:
    """Return what must be free for a prompt to be begun: each of its calls at its longest, once."""
    return sum(need.most_usd for need in needs)


def needs_of(
    prompt: PromptToLabel, record: Record, settings: LabelSettings, config: RouterConfig
) -> tuple[Need, ...]:
    """Return the calls that a prompt still needs.

    Raises:
        ConfigError: a model has no price.
    """
    digest, messages = prompt.digest, prompt.messages
    standing = standing_of(digest, record.of(digest), settings)
    needs = []
    for tier in standing.tiers:
        ask = answer_ask(digest, messages, tier, settings)
        needs.append(_need(tier.label, ask, ask, _ANSWER_TOKENS, settings.price_of(config, ask.model)))
    for judging in standing.judgings:
        usual, longest = (
            judge_ask(digest, messages, _assumed(standing, size), judging, settings)
            for size in (4 * min(_ANSWER_TOKENS, settings.max_tokens), BYTES_PER_TOKEN * settings.max_tokens)
        )
        price = settings.price_of(config, settings.judge)
        needs.append(_need(JUDGE, usual, longest, _VERDICT_TOKENS, price))
    return tuple(needs)


def _need(role: str, usual: Ask, longest: Ask, output: int, price: Price) -> Need:
    return Need(role, price.of(usual.expected(output)), longest.bound_usd(price))


def _assumed(standing: Standing, size: int) -> dict[Tier, str]:
    assumed = "x" * size
    return {
        tier: shown_to_judge(standing.answers[tier]) if tier in standing.answers else assumed
        for tier in TIERS
    }


def _most(need: Need) -> float:
    return need.most_usd * (MOST_JUDGEMENTS if need.role == JUDGE else 1)


def _named(settings: LabelSettings) -> dict[str, str]:
    return {**{tier.label: settings.models[tier] for tier in TIERS}, JUDGE: settings.judge}
