"""`python -m serving label`: from a file of prompts to an outcome table, composed."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from classifier.atomic_file import write_whole
from classifier.console import EXIT_INTERRUPTED, complain
from serving.async_router import AsyncTierRouter
from serving.config import RouterConfig
from serving.errors import KeyMissingError, LabellingError
from serving.keys import Keys
from serving.labelling.asking import Asker
from serving.labelling.budget import Budget
from serving.labelling.errors import JournalError, NotConfirmed
from serving.labelling.journal import Journal, journal_path
from serving.labelling.plan import Plan, plan_run
from serving.labelling.progress import Bar
from serving.labelling.prompts import PromptToLabel
from serving.labelling.redaction import Redactor
from serving.labelling.report import Report, report_of
from serving.labelling.report_text import go_on, next_budget, report_lines, verdict
from serving.labelling.rows import outcome_lines
from serving.labelling.settings import LabelSettings
from serving.labelling.stopping import Pause, Stop, Times, Why
from serving.labelling.work import Labeller, Tally
from serving.wording import usd

__all__ = ["Job", "Surroundings", "default_out", "label"]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be labelled, and how.

    Attributes:
        prompts: each once.
        repeated: how many repetitions were left out.
        out: where the outcome table goes; the journal stands beside it.
        settings: of the labelling.
        budget_usd: the cap for all runs of the journal together.
        redactor: reads every text before it is sent.
        concurrency: how many prompts are worked on at a time; each has one call under way at most.
        confirmed: whether the prompts may be sent without asking.
        as_json: whether the report is wanted as JSON.
        arguments: of the command, for telling how to go on.
    """

    prompts: Sequence[PromptToLabel]
    repeated: int
    out: Path
    settings: LabelSettings
    budget_usd: float
    redactor: Redactor
    concurrency: int
    confirmed: bool
    as_json: bool
    arguments: Sequence[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a job is done with.

    Attributes:
        config: of the router.
        environ: where the keys are.
        client_options: further ones for the router.
        times: the clocks.
        stdin: where the answer to the question comes from.
        stdout: where the report goes.
        stderr: where the progress bar goes.
    """

    config: RouterConfig
    environ: Mapping[str, str]
    client_options: Mapping[str, Any]
    times: Times
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO


def default_out(prompts: Path, *, simulated: bool) -> Path:
    """Return where the outcome table goes when nobody says: beside the prompts.

    >>> default_out(Path("log/asks.csv"), simulated=False).as_posix()
    'log/asks.outcomes.jsonl'
    """
    return prompts.with_name(f"{prompts.stem}.{'simulated' if simulated else 'outcomes'}.jsonl")


def label(job: Job, around: Surroundings) -> int:
    """Label prompts, or go on with labelling them, and write what is labelled so far.

    Returns:
        The exit code: 0 when every prompt is finished, 1 when some remain, 130 after Ctrl-C.

    Raises:
        JournalError: the journal, or what stands in the output's place, is not of this job.
        KeyMissingError: a model's channel has no key.
        NotConfirmed: nobody said that the prompts may be sent.
        LabellingError: the budget does not cover one prompt.
        OSError: a file cannot be written.
    """
    _check_keys(job.settings, around.environ)
    _check_out(job.out)
    tally, stop = Tally(), Stop()
    with Journal.open(journal_path(job.out), job.settings) as journal:
        plan = plan_run(job.prompts, journal.record, job.settings, around.config, job.budget_usd)
        if plan.calls:
            _confirm(plan, job, around)
            _work(plan, job, around, journal, tally, stop)
        return _conclude(job, around, journal, tally, stop)


def _check_keys(settings: LabelSettings, environ: Mapping[str, str]) -> None:
    keys = Keys.from_environ(environ)
    for channel, model in settings.channels.items():
        if keys.of(channel) is None:
            raise KeyMissingError(
                f"{channel.variable} is not set, and {model} needs the {channel} channel: "
                "set it, or name other models (--config, --judge)"
            )


def _check_out(out: Path) -> None:
    if out.is_dir():
        raise JournalError(f"{out}: is a folder: --out must name a file")
    if not out.parent.is_dir():
        raise JournalError(f"{out}: there is no folder {out.parent}: make it, or choose another --out")
    if out.exists() and not journal_path(out).exists():
        raise JournalError(
            f"{out}: exists, and without {journal_path(out).name} beside it nobody knows whose it is: "
            "choose another --out, or move it away"
        )


def _confirm(plan: Plan, job: Job, around: Surroundings) -> None:
    _check_budget(plan)
    out = around.stderr if job.as_json else around.stdout
    print("\n".join(plan.lines()), file=out, flush=True)
    if job.confirmed or job.settings.simulated:
        return
    if not around.stdin.isatty():
        raise NotConfirmed("nothing was sent: add --yes to confirm what stands above")
    print("Send them? [y/N] ", end="", file=out, flush=True)
    if around.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotConfirmed("not confirmed: nothing was sent")


def _check_budget(plan: Plan) -> None:
    left = plan.budget_usd - plan.charged_usd
    if plan.next_usd <= left:
        return
    before = f", of which {usd(plan.charged_usd)} were charged before," if plan.charged_usd else ""
    enough = next_budget(plan.charged_usd, plan.expected_usd, plan.next_usd)
    raise LabellingError(
        f"the budget of {usd(plan.budget_usd)}{before} does not cover the next prompt, whose calls can cost "
        f"{usd(plan.next_usd)}: --budget-usd {enough:g} should do for all {len(plan.needs):,} prompts; "
        "a lower --max-tokens makes each cheaper"
    )


def _work(plan: Plan, job: Job, around: Surroundings, journal: Journal, tally: Tally, stop: Stop) -> None:
    budget = Budget(job.budget_usd, journal.record.charged_usd)
    with ExitStack() as stack:
        bar = stack.enter_context(
            Bar(len(plan.needs), journal.record.charged_usd, job.budget_usd, around.stderr)
        )
        try:
            asyncio.run(_label_all(job, around, journal, _State(budget, tally, stop, bar)))
        except KeyboardInterrupt:
            stop.now(Why.INTERRUPTED, "interrupted")


@dataclass(frozen=True, slots=True)
class _State:
    """The state of a run, which outlives its event loop."""

    budget: Budget
    tally: Tally
    stop: Stop
    bar: Bar


async def _label_all(job: Job, around: Surroundings, journal: Journal, state: _State) -> None:
    options = {"environ": around.environ, **around.client_options}
    async with AsyncTierRouter(_patient(around.config), **options) as router:
        pause = Pause(around.times, state.stop)
        asker = Asker(router, job.settings, journal, around.times, state.stop, pause)
        labeller = Labeller(asker, state.budget, job.redactor, state.stop, state.bar, state.tally)
        await labeller.run(job.prompts, job.concurrency)


def _patient(config: RouterConfig) -> RouterConfig:
    """Return the configuration less what leaves models alone: every one is to answer, and is waited for."""
    limits = config.limits.model_copy(update={"longest_retry_after_seconds": 0.0})
    breaker = config.breaker.model_copy(update={"enabled": False})
    return config.model_copy(update={"breaker": breaker, "limits": limits})


def _conclude(job: Job, around: Surroundings, journal: Journal, tally: Tally, stop: Stop) -> int:
    report = report_of(
        job.prompts,
        journal.record,
        job.settings,
        tally,
        stop,
        repeated=job.repeated,
        budget_usd=job.budget_usd,
        out=job.out,
    )
    if report.labelled:
        write_whole(job.out, outcome_lines(job.prompts, journal.record, job.settings))
    command = _how_to_go_on(job, around, journal, report)
    if job.as_json:
        print(json.dumps({**report.as_dict(), "go_on": command or None}, indent=2), file=around.stdout)
    else:
        ending = [f"go on with  {command}"] if command else []
        print("\n".join([*report_lines(report), *ending]), file=around.stdout)
    return _exit_code(report)


def _how_to_go_on(job: Job, around: Surroundings, journal: Journal, report: Report) -> str:
    if not report.remaining:
        return ""
    if report.why is not Why.BUDGET:
        return go_on(job.arguments)
    left = plan_run(job.prompts, journal.record, job.settings, around.config, job.budget_usd)
    return go_on(job.arguments, next_budget(left.charged_usd, left.expected_usd, left.next_usd))


def _exit_code(report: Report) -> int:
    if report.why is Why.INTERRUPTED:
        return EXIT_INTERRUPTED
    problem = verdict(report)
    return complain(problem) if problem else 0
