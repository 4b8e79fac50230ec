"""What a run came to: labels, dollars, what is missing and why, and how far the judge can be trusted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier import TIERS, Tier
from serving.labelling.agreement import Agreement, agreement_of, mean_step_by_place
from serving.labelling.prompts import PromptToLabel
from serving.labelling.record import Record, Reply
from serving.labelling.rows import mean_scores
from serving.labelling.settings import LabelSettings
from serving.labelling.steps import Standing, standing_of
from serving.labelling.stopping import Stop, Why
from serving.labelling.work import Tally

__all__ = ["Report", "TierFigures", "report_of"]


@dataclass(frozen=True, slots=True)
class TierFigures:
    """The answers of a tier, over the labelled prompts.

    Attributes:
        model: who answered.
        score: mean, fraction in [0, 1].
        usd: mean US dollars of an answer.
        tokens: mean tokens in and out.
        cheapest_best: for how many prompts it is the cheapest tier with the best score.
        cut_off: how many of its answers ended at the length limit.
    """

    model: str
    score: float
    usd: float
    tokens: float
    cheapest_best: int
    cut_off: int


@dataclass(frozen=True, slots=True)
class Report:
    """What all runs of a journal came to.

    Attributes:
        settings: of the run.
        out: the outcome table.
        prompts: how many different ones there are.
        repeated: how many repetitions in the input were asked once.
        labelled: how many have scores.
        unjudged: how many have answers and no verdict, by reason; they are not asked again.
        failed: how many got no answer in this run, by reason; the next run asks again.
        not_sent: how many the redactor failed on, by reason.
        remaining: how many are not finished, the failed ones included.
        budget_usd: the cap.
        charged_usd: what counts against it, over all runs.
        unknown: how many calls are charged at their upper bound because their answer was lost.
        unknown_usd: what that comes to.
        tiers: the figures of each tier; empty without labels.
        agreement: of the judge with itself; None when nothing was judged twice.
        places: the mean grade by place of showing.
        why: why the run ended early; None when it did not.
        reason: the same in words.
    """

    settings: LabelSettings
    out: Path
    prompts: int
    repeated: int
    labelled: int
    unjudged: Mapping[str, int]
    failed: Mapping[str, int]
    not_sent: Mapping[str, int]
    remaining: int
    budget_usd: float
    charged_usd: float
    unknown: int
    unknown_usd: float
    tiers: Mapping[Tier, TierFigures]
    agreement: Agreement | None
    places: tuple[float, ...]
    why: Why | None
    reason: str

    def as_dict(self) -> dict[str, object]:
        """Return the report as JSON-able values."""
        return {
            "simulated": self.settings.simulated,
            "out": f"{self.out}",
            "upstream": self.settings.upstream,
            "judge": self.settings.judge,
            "judge_is_candidate": self.settings.judge_is_candidate,
            "prompts": self.prompts,
            "repeated": self.repeated,
            "labelled": self.labelled,
            "unjudged": dict(self.unjudged),
            "failed": dict(self.failed),
            "not_sent": dict(self.not_sent),
            "remaining": self.remaining,
            "budget_usd": self.budget_usd,
            "charged_usd": self.charged_usd,
            "charged_at_upper_bound": {"calls": self.unknown, "usd": self.unknown_usd},
            "tiers": {tier.label: _figures(each) for tier, each in self.tiers.items()},
            "agreement": None if self.agreement is None else self.agreement.as_dict(),
            "mean_grade_by_place": list(self.places),
            "stopped": None if self.why is None else {"why": self.why.value, "reason": self.reason},
        }


def report_of(
    prompts: Sequence[PromptToLabel],
    record: Record,
    settings: LabelSettings,
    tally: Tally,
    stop: Stop,
    *,
    repeated: int,
    budget_usd: float,
    out: Path,
) -> Report:
    """Sum up.

    Args:
        prompts: each once.
        record: what the journal holds now.
        settings: of the run.
        tally: what became of prompts in this run.
        stop: why it ended early, if it did.
        repeated: how many repetitions in the input were asked once.
        budget_usd: the cap.
        out: the outcome table.
    """
    standings = [standing_of(each.digest, record.of(each.digest), settings) for each in prompts]
    labelled = [each for each in standings if each.labelled]
    twice = [(each.verdicts[0], each.verdicts[1]) for each in labelled if len(each.verdicts) > 1]
    return Report(
        settings=settings,
        out=out,
        prompts=len(prompts),
        repeated=repeated,
        labelled=len(labelled),
        unjudged=Counter(each.unjudged for each in standings if each.finished and not each.labelled),
        failed=Counter(tally.failed.values()),
        not_sent=Counter(tally.not_sent.values()),
        remaining=sum(1 for each in standings if not each.finished),
        budget_usd=budget_usd,
        charged_usd=record.charged_usd,
        unknown=len(record.under_way) + record.lost,
        unknown_usd=record.under_way_usd + record.lost_usd,
        tiers={tier: _of_tier(tier, labelled, settings) for tier in TIERS} if labelled else {},
        agreement=agreement_of(twice),
        places=mean_step_by_place(verdict for each in labelled for verdict in each.verdicts),
        why=stop.why,
        reason=stop.reason,
    )


def _of_tier(tier: Tier, labelled: Sequence[Standing], settings: LabelSettings) -> TierFigures:
    answers: list[Reply] = [each.answers[tier] for each in labelled]
    scores = [mean_scores(each.verdicts) for each in labelled]
    return TierFigures(
        model=settings.models[tier],
        score=sum(each[tier] for each in scores) / len(scores),
        usd=sum(each.usd for each in answers) / len(answers),
        tokens=sum(each.tokens for each in answers) / len(answers),
        cheapest_best=sum(1 for each in scores if _cheapest_best(each) is tier),
        cut_off=sum(1 for each in answers if each.finish == "length"),
    )


def _cheapest_best(scores: Mapping[Tier, float]) -> Tier:
    best = max(scores.values())
    return min(tier for tier, score in scores.items() if score == best)


def _figures(tier: TierFigures) -> dict[str, object]:
    return {
        "model": tier.model,
        "score": tier.score,
        "usd": tier.usd,
        "tokens": tier.tokens,
        "cheapest_best": tier.cheapest_best,
        "cut_off": tier.cut_off,
    }
