"""`promote`: make a registered version the champion, if it is better."""

import argparse
import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from classifier import TierPredictor
from classifier.model_file import parse_model
from training.champions import CHAMPION, Reign, move_champion, reign_of
from training.commands.inputs import print_result, read_data
from training.commands.options import add_json, add_seed, share
from training.commands.parts import rows_of_part
from training.errors import PromotionError
from training.labelled import LabelledData
from training.predictors import route_rows
from training.promotion import Terms, judge
from training.promotion_history import Change
from training.promotion_record import Decision, EvaluationSet, changed_set, looks_of, looks_tag
from training.promotion_text import decision_text
from training.promotion_wording import reasons
from training.slices import slice_labels
from training.tracking import (
    RegisteredVersion,
    Registry,
    open_registry,
    parse_model_reference,
    tracking_uri,
)
from training.unseen_rows import fitted_parts, unseen_part

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "promote"
HELP = "make a registered model the champion, if it is better than the present one"
EXAMPLES = """\
The candidate has to be better than @champion on a frozen evaluation set: the accuracy of its most
probable tier (or, with --poor-answer-usd, the expected cost of its policy's choice) by a paired
bootstrap, and no slice of language or domain may fall by more than --margin. Why goes to the tags
of the model version, whether it was promoted or refused. Refused is exit code 1.

examples:
  python -m training promote 0f3c9a...e1 --data evaluation.jsonl
  python -m training promote models:/tierwise/4 --data data/ --margin 0.03
  python -m training promote models:/tierwise/4 --data data/ --poor-answer-usd 0.01 --json
"""
ROLLED_BACK: Final = "rolled_back_at"


@dataclass(frozen=True, slots=True)
class _Contender:
    """A registered version with its model, loaded and so checked."""

    version: RegisteredVersion
    predictor: TierPredictor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "candidate", metavar="RUN", help="the run that registered the candidate, or models:/NAME/VERSION"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DATA",
        help="the evaluation set: labelled rows, or what `outcomes` wrote; frozen once it made a champion",
    )
    parser.add_argument(
        "--new-evaluation-set",
        action="store_true",
        help="decide by another set than the champion was decided by; the tags say so",
    )
    terms = Terms()
    parser.add_argument(
        "--margin",
        type=share,
        default=terms.margin,
        metavar="SHARE",
        help="the fall of a slice that is still borne, as a fraction in [0, 1] (%(default)s)",
    )
    parser.add_argument(
        "--poor-answer-usd",
        type=_dollars,
        metavar="USD",
        help="decide by expected cost: what an under-routed answer costs; without it, by accuracy",
    )
    parser.add_argument(
        "--despite-rollback",
        action="store_true",
        help="promote a version that was champion once and was rolled back",
    )
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave bad rows of DATA out, list them")
    add_seed(parser, "the bootstrap")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decide, write down why, and move the alias where the candidate won."""
    reference = parse_model_reference(arguments.candidate)
    data = read_data(arguments)
    uri = tracking_uri(os.environ, Path.cwd())
    with open_registry(uri, os.environ) as registry:
        candidate = registry.version(reference)
        reign = reign_of(registry, candidate.name)
        _check(candidate, reign, despite_rollback=arguments.despite_rollback)
        decision = _decide(registry, candidate, reign, data, arguments)
        _write_down(registry, reign, decision)
    print_result(arguments.json, decision.as_dict, lambda: decision_text(decision))
    return 0 if decision.promoted else 1


def _check(candidate: RegisteredVersion, reign: Reign, *, despite_rollback: bool) -> None:
    if reign.number == candidate.number:
        raise PromotionError(f"{candidate.reference} is @{CHAMPION} already: there is nothing to decide")
    when = candidate.tags.get(ROLLED_BACK)
    if when and not despite_rollback:
        why = candidate.tags.get("rollback_reason") or "no reason given"
        raise PromotionError(
            f"{candidate.reference} was champion and was rolled back at {when} ({why}):"
            " give --despite-rollback to promote it again"
        )


def _decide(
    registry: Registry,
    candidate: RegisteredVersion,
    reign: Reign,
    data: LabelledData,
    arguments: argparse.Namespace,
) -> Decision:
    champion = reign.champion
    replaces = changed_set(
        champion.tags if champion else {}, data.digest, allowed=arguments.new_evaluation_set
    )
    ours = _contender(registry, candidate)
    theirs = _contender(registry, champion) if champion else None
    contenders = [ours, theirs] if theirs else [ours]
    part = unseen_part(fitted_parts([each.predictor.provenance for each in contenders], {data.digest}))
    rows = rows_of_part(data, part)
    judgement = judge(
        route_rows(ours.predictor, rows),
        route_rows(theirs.predictor, rows) if theirs else None,
        slice_labels(rows.frame),
        Terms(margin=arguments.margin, poor_answer_usd=arguments.poor_answer_usd, seed=arguments.seed),
        names=(ours.predictor.version, theirs.predictor.version if theirs else None),
    )
    looks = looks_of(registry.tags(candidate.name), data.digest) + 1
    source = str(arguments.data)
    evaluation = EvaluationSet(data.digest, source, part, len(rows), looks, replaces)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return Decision(candidate.name, candidate.number, reign.number, judgement, evaluation, at)


def _contender(registry: Registry, version: RegisteredVersion) -> _Contender:
    name, content = registry.model_file(version.reference)
    file = parse_model(content, f"{version.reference}, {name}")
    return _Contender(version, TierPredictor(file.model, file.version))


def _write_down(registry: Registry, reign: Reign, decision: Decision) -> None:
    """Count the look first: it was taken, whatever becomes of the rest. The alias moves last."""
    evaluation = decision.evaluation
    registry.tag(decision.name, {looks_tag(evaluation.digest): str(evaluation.looks)})
    tags = decision.tags()
    if decision.promoted:
        tags[ROLLED_BACK] = ""
    registry.tag(decision.name, tags, version=decision.version)
    if decision.promoted:
        why = reasons(decision.judgement)[0]
        move_champion(registry, reign, Change("promoted", decision.at, reign.number, decision.version, why))


def _dollars(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no price: give US dollars above 0")
    return number
