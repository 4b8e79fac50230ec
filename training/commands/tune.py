"""`tune`: choose a model's policy by what one wants of it."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from classifier import BoundedPolicy, Policy, Tier, TierPredictor
from classifier.model_file import write_model
from training.abstention import AbstentionRule
from training.abstention_effect import abstention_effect
from training.commands.inputs import load_predictor, print_result, refuse_overwriting, refuse_unwritable
from training.commands.options import PARTS, add_json, add_model, add_seed, share
from training.commands.outcome_options import add_outcome_columns
from training.commands.tuning_inputs import TuningData, read_tuning_data
from training.costs import TIER_USD_PER_MILLION, CostModel
from training.errors import EvaluationError
from training.policy_targets import PremiumShare, Quality, Target, UsdPer1000
from training.tuning import families_for, tune
from training.tuning_record import policy_record
from training.tuning_text import tuning_text
from training.under_routing_promise import MaxUnderRouting

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "tune"
HELP = "set a model's policy by a target: a share, a budget, a quality, or a promise on under-routing"
EXAMPLES = """\
examples:
  python -m training tune default prompts.jsonl --max-under-routing 0.05 --out tuned.tierwise
  python -m training tune model.tierwise outcomes.csv --usd-per-1k 0.9 --out model.tierwise
  python -m training tune model.tierwise outcomes.parquet --cheap small --balanced medium \\
      --premium large --quality 0.95 --abstain-below-known 0.2 --out tuned.tierwise

DATA is split in two by a hash of each prompt: one half chooses the setting, the other judges it.
Only --max-under-routing promises anything of prompts to come, and that only of prompts like these.

Abstaining is insurance rather than a saving. At equal dollars, on the project's data with sources
held out and on six public outcome tables, sending doubtful prompts to balanced moved the quality
of the risk policy by -0.1 to +0.9 points and that of the expected-cost policy by -0.5 to +0.2;
sending them to premium by -2.4 to +0.1. Prompts with unknown words were no harder than others. The
report shows what it does on DATA.
"""
FAMILIES = ("risk", "expected-cost")
_USAGE = """\
%(prog)s MODEL DATA --out FILE [options]
           (--max-under-routing A | --premium-share S | --usd-per-1k USD | --quality Q)"""
"""argparse would not break the choice of targets, and print a line of 107 columns."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.usage = _USAGE
    add_model(parser)
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="labelled rows, or a table of outcomes (see below)"
    )
    _add_targets(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the model file to write; it may be MODEL"
    )
    parser.add_argument(
        "--policy",
        choices=(*FAMILIES, "best"),
        help="the kind of policy; best (the default): the one that does better on the calibration prompts; "
        "--on-average allows no such choice and takes expected-cost",
    )
    _add_abstention(parser)
    parser.add_argument(
        "--part",
        choices=PARTS,
        default="auto",
        help="the part of DATA to use; auto: all, or a part that the model was not fitted on",
    )
    parser.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="leave bad rows out, count and list them, instead of stopping",
    )
    parser.add_argument(
        "--usd-per-million",
        type=float,
        nargs=3,
        default=TIER_USD_PER_MILLION,
        metavar=("CHEAP", "BALANCED", "PREMIUM"),
        help="US dollars per million tokens, used where DATA has no dollars of its own (0.25 0.28 2.50)",
    )
    add_seed(parser, "the bootstrap")
    add_json(parser)
    add_outcome_columns(parser)
    parser.add_argument(
        "--tolerance",
        type=share,
        default=0.0,
        metavar="T",
        help="of outcomes: how much below the best score an answer may be and yet do (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Tune, write the model file, and report."""
    target, rule = _target(arguments), _rule(arguments)
    refuse_unwritable(arguments.out)
    refuse_overwriting(arguments.out, arguments.data)
    predictor, costs = load_predictor(arguments.model), CostModel(tuple(arguments.usd_per_million))
    data = read_tuning_data(arguments, predictor, costs)
    families = families_for(target, data.rows, costs, _families(arguments))
    tuned = tune(data.rows, target, families, abstention=rule, seed=arguments.seed)
    effect = None if rule is None else abstention_effect(data.rows, tuned, families, rule)
    record = policy_record(tuned, effect, digest=data.digest, part=data.part)
    facts = {**predictor.provenance, "policy_chosen_for": record}
    policy = _of_known_tiers(tuned.best.policy, predictor)
    write_model(replace(predictor.model, policy=policy, provenance=facts), arguments.out)
    version = TierPredictor.load(arguments.out).version
    print_result(
        arguments.json,
        lambda: {
            **record,
            "policy": policy.as_dict(),
            "written": str(arguments.out),
            "version": version,
        },
        lambda: tuning_text(
            tuned,
            effect,
            model=f"{arguments.model} (version {predictor.version})",
            data=_described(arguments.data, data),
            written=arguments.out,
            version=version,
        ),
    )
    return 0


def _of_known_tiers(policy: Policy, predictor: TierPredictor) -> Policy:
    """The policy, kept from a cheap tier that the model was never trained on."""
    trained_on = predictor.provenance.get("tiers", [Tier.CHEAP.label])
    return policy if Tier.CHEAP.label in trained_on else BoundedPolicy(policy, floor=Tier.BALANCED)


def _add_targets(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument(
        "--max-under-routing",
        type=share,
        metavar="A",
        help="a promise that holds in finite samples: at most this share of prompts gets too low a tier",
    )
    group.add_argument(
        "--premium-share", type=share, metavar="S", help="at most this share of prompts goes to premium"
    )
    group.add_argument(
        "--usd-per-1k", type=float, metavar="USD", help="at most so many US dollars per 1,000 prompts"
    )
    group.add_argument(
        "--quality", type=share, metavar="Q", help="at least this fraction of always-premium's mean quality"
    )
    parser.add_argument(
        "--confidence",
        type=float,
        metavar="P",
        help="with --max-under-routing: the promise holds in this share of calibration draws (0.9)",
    )
    parser.add_argument(
        "--on-average",
        action="store_true",
        help="with --max-under-routing: promise it on average over draws instead (conformal risk control)",
    )


def _add_abstention(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--abstain-below-known",
        type=share,
        default=0.0,
        metavar="K",
        help="send prompts to the safe tier of whose words the model knows less than this share",
    )
    parser.add_argument(
        "--abstain-below-top",
        type=share,
        default=0.0,
        metavar="P",
        help="send prompts to the safe tier whose highest probability is below this",
    )
    parser.add_argument(
        "--safe-tier",
        choices=[tier.label for tier in Tier],
        help=f"where they go ({Tier.BALANCED})",
    )


def _target(arguments: argparse.Namespace) -> Target:
    if arguments.max_under_routing is not None:
        return MaxUnderRouting(arguments.max_under_routing, _confidence(arguments))
    if arguments.on_average or arguments.confidence is not None:
        raise EvaluationError("--confidence and --on-average belong to --max-under-routing: drop them")
    if arguments.premium_share is not None:
        return PremiumShare(arguments.premium_share)
    if arguments.usd_per_1k is not None:
        return UsdPer1000(arguments.usd_per_1k)
    return Quality(arguments.quality)


def _confidence(arguments: argparse.Namespace) -> float | None:
    if not arguments.on_average:
        return 0.9 if arguments.confidence is None else float(arguments.confidence)
    if arguments.confidence is not None:
        raise EvaluationError("--on-average has no --confidence: give one of them")
    return None


def _families(arguments: argparse.Namespace) -> Sequence[str]:
    if arguments.policy in FAMILIES:
        return (arguments.policy,)
    if not arguments.on_average:
        return FAMILIES
    if arguments.policy == "best":
        raise EvaluationError(
            "--on-average holds for a family settled beforehand: give --policy risk or --policy expected-cost"
        )
    return ("expected-cost",)


def _rule(arguments: argparse.Namespace) -> AbstentionRule | None:
    if not (arguments.abstain_below_known or arguments.abstain_below_top):
        if arguments.safe_tier:
            raise EvaluationError(
                "--safe-tier needs --abstain-below-known or --abstain-below-top, which send prompts there"
            )
        return None
    safe = Tier.parse(arguments.safe_tier) if arguments.safe_tier else Tier.BALANCED
    return AbstentionRule(safe, arguments.abstain_below_known, arguments.abstain_below_top)


def _described(path: Path, data: TuningData) -> str:
    part = "" if data.part == "all" else f", {data.part} rows"
    return f"{path} ({data.kind}{part}; digest {data.digest[:12]})"
