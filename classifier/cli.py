"""`python -m classifier`: which tier a prompt needs, and why."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TextIO

from classifier.console import forgive_streams, run_command
from classifier.decision import Decision
from classifier.errors import ClassifierError, PromptError
from classifier.explanation import Explanation
from classifier.policies import Policy, RiskPolicy
from classifier.predictor import TierPredictor
from classifier.reading import Prompt
from classifier.tier import TIERS

__all__ = ["main"]

_EXAMPLES = """\
examples:
  python -m classifier "Prove that every finite division ring is commutative."
  python -m classifier --explain "and in French?"
  echo "What is the capital of France?" | python -m classifier - --json
  python -m classifier --messages - < conversation.json
"""
_SHOWN = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0 when all went well, 1 on an expected failure, 130 after Ctrl-C.

    Raises:
        SystemExit: code 2 for arguments that make no sense, 0 after `--help`.
    """
    forgive_streams()
    arguments = _parser().parse_args(argv)
    return run_command(lambda: _run(arguments, sys.stdin), (ClassifierError,))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m classifier",
        description="Tell which price tier a prompt needs: cheap, balanced or premium.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("prompt", help="the prompt, or - to read it from standard input")
    parser.add_argument(
        "--messages", action="store_true", help="the prompt is OpenAI messages, as a JSON list"
    )
    parser.add_argument("--model", metavar="FILE", help="model file (default: the packaged model)")
    parser.add_argument(
        "--max-risk", type=float, metavar="P", help="use this risk instead of the model's policy"
    )
    parser.add_argument("--explain", action="store_true", help="show what each feature contributes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _run(arguments: argparse.Namespace, standard_input: TextIO) -> int:
    text = standard_input.read() if arguments.prompt == "-" else arguments.prompt
    prompt = _messages(text) if arguments.messages else text
    predictor = TierPredictor.load(arguments.model) if arguments.model else TierPredictor.default()
    if arguments.max_risk is not None:
        policy: Policy = RiskPolicy(arguments.max_risk)
        predictor = predictor.with_policy(policy)
    result = predictor.explain(prompt) if arguments.explain else predictor.decide(prompt)
    print(json.dumps(result.as_dict(), indent=2, ensure_ascii=False) if arguments.json else _worded(result))
    return 0


def _messages(text: str) -> Prompt:
    try:
        messages = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PromptError(f"--messages: this is not JSON: {error}") from error
    if not isinstance(messages, list):
        raise PromptError('--messages: expected a JSON list such as [{"role": "user", "content": "..."}]')
    return messages


def _worded(result: Decision | Explanation) -> str:
    if isinstance(result, Explanation):
        return f"{_decision_lines(result.decision)}\n{_explanation_lines(result)}"
    return _decision_lines(result)


def _decision_lines(decision: Decision) -> str:
    probabilities = "  ".join(f"{tier} {decision.probabilities[tier]:.3f}" for tier in TIERS)
    return (
        f"{decision.tier}\n"
        f"  probabilities     {probabilities}\n"
        f"  risk              {decision.risk:.3f} that a higher tier is needed\n"
        f"  policy            {decision.policy}\n"
        f"  known vocabulary  {decision.known_vocabulary:.0%}\n"
        f"  model             {decision.model_version}"
    )


def _explanation_lines(explanation: Explanation) -> str:
    tier, against = explanation.decision.tier, explanation.against
    shown, rest = explanation.contributions[:_SHOWN], explanation.contributions[_SHOWN:]
    lines = [f"  comparison        {explanation.comparison}", f"  log-odds of {tier} against {against}:"]
    lines += (f"    {contribution.value:+7.3f}  {contribution.name}" for contribution in shown)
    if rest:
        lines.append(f"    {sum(c.value for c in rest):+7.3f}  {len(rest)} smaller ones together")
    return "\n".join([*lines, f"    {explanation.log_odds:+7.3f}  sum"])
