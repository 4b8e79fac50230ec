"""The work: some prompts at a time, each from its first answer to its last verdict."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from classifier import TIERS, Tier
from serving.labelling.asking import Asker
from serving.labelling.asks import Ask, answer_ask, judge_ask, shown_to_judge
from serving.labelling.budget import Allotment, Budget
from serving.labelling.errors import (
    BudgetUsedUp,
    CallFailed,
    HaltError,
    Interrupted,
    RedactionError,
    RequestRefused,
)
from serving.labelling.judge_form import JudgeForm
from serving.labelling.plan import admission, needs_of
from serving.labelling.prompts import PromptToLabel
from serving.labelling.record import judge_step
from serving.labelling.redaction import Redactor
from serving.labelling.rubric import Form
from serving.labelling.steps import Standing, standing_of
from serving.labelling.stopping import Stop, Why
from serving.wording import usd

__all__ = ["Labeller", "Progress", "Tally"]

_MOST_FAILURES = 5


class Progress(Protocol):
    """Shows how far the work has come."""

    def moved(self, finished: int, charged_usd: float) -> None:
        """Take in how many prompts have been finished in this run, and what the budget has been charged."""

    def stopping(self) -> None:
        """Say that the calls under way are being waited for."""


@dataclass(slots=True)
class Tally:
    """What became of prompts in this run that the journal does not tell.

    Attributes:
        failed: why a call of theirs got no answer, by digest.
        not_sent: why the redactor let nothing of them out, by digest.
        finished: how many were finished.
        failures_in_a_row: how many of the last ones failed or stayed unjudged, since one was labelled.
    """

    failed: dict[str, str] = field(default_factory=dict)
    not_sent: dict[str, str] = field(default_factory=dict)
    finished: int = 0
    failures_in_a_row: int = 0


class Labeller:
    """Labels prompts until they, the budget or the patience end."""

    def __init__(
        self,
        asker: Asker,
        budget: Budget,
        redactor: Redactor,
        stop: Stop,
        progress: Progress,
        tally: Tally,
    ) -> None:
        """Take what the work is done with.

        Args:
            asker: sends requests, and keeps the journal.
            budget: the cap.
            redactor: reads every text before it is sent.
            stop: told why the work ends early.
            progress: told how far it has come.
            tally: where it stands what became of prompts.
        """
        self.tally = tally
        self._asker = asker
        self._budget = budget
        self._redactor = redactor
        self._stop = stop
        self._progress = progress
        self._form = JudgeForm()

    async def run(self, prompts: Sequence[PromptToLabel], concurrency: int) -> None:
        """Label prompts, so many at a time; return when all is done or the run is stopped.

        A cancellation (Ctrl-C) lets the calls under way end, and begins no others.

        Raises:
            OSError: the journal cannot be written; nothing more is sent then.
        """
        pending = iter(prompts)
        tasks = {asyncio.create_task(self._drain(pending)) for _ in range(concurrency)}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            self._stop.now(Why.INTERRUPTED, "interrupted")
            self._progress.stopping()
            _uncancel()
        if any(task.done() and task.exception() for task in tasks):
            self._stop.now(Why.HALTED, "an error")
        await asyncio.gather(*tasks)

    async def _drain(self, pending: Iterator[PromptToLabel]) -> None:
        for prompt in pending:
            needs = needs_of(prompt, self._asker.journal.record, self._asker.settings, self._config)
            if not needs:
                continue
            allotment = None if self._stop.why else await self._budget.allot(admission(needs))
            if self._stop.why:
                if allotment:
                    allotment.close()
                return
            if allotment is None:
                left = usd(self._budget.free)
                reason = f"the next prompt can cost {usd(admission(needs))}, and {left} is left"
                self._stop.after_these(Why.BUDGET, reason)
                return
            with allotment:
                await self._labelled(prompt, allotment)

    @property
    def _config(self) -> Any:
        return self._asker.router.core.config

    async def _labelled(self, prompt: PromptToLabel, allotment: Allotment) -> None:
        try:
            await self._steps(prompt, allotment)
        except Interrupted:
            return
        except RedactionError as error:
            self.tally.not_sent[prompt.digest] = f"{error}"
        except BudgetUsedUp as error:
            self._stop.after_these(Why.BUDGET, f"{error}")
        except HaltError as error:
            self._stop.now(Why.HALTED, f"{error}")
        except CallFailed as error:
            self.tally.failed[prompt.digest] = f"{error}"
            self._count_failure(f"{error}")
        else:
            self._finished(prompt)

    async def _steps(self, prompt: PromptToLabel, allotment: Allotment) -> None:
        messages = await self._redactor.messages(prompt.messages)
        for tier in self._standing(prompt).tiers:
            await self._ask(answer_ask(prompt.digest, messages, tier, self._asker.settings), allotment)
        while judgings := self._standing(prompt).judgings:
            await self._judge(prompt, messages, judgings[0], allotment)

    async def _judge(
        self, prompt: PromptToLabel, messages: list[Any], judging: int, allotment: Allotment
    ) -> None:
        answers = await self._shown(self._standing(prompt))
        again = bool(self._replies(prompt).get(judge_step(judging)))
        settings = self._asker.settings
        asks = {
            form: judge_ask(prompt.digest, messages, answers, judging, settings, stricter=again, form=form)
            for form in self._form.to_try
        }
        await self._ask_in_a_form_that_is_taken(asks, allotment)

    async def _ask_in_a_form_that_is_taken(self, asks: Mapping[Form, Ask], allotment: Allotment) -> None:
        """Ask in one form after the other; each is a call of its own, in the journal and in the budget."""
        refusals: list[RequestRefused] = []
        for form, ask in asks.items():
            try:
                await self._ask(ask, allotment)
            except RequestRefused as error:
                refusals.append(error)
            else:
                self._form.took(form)
                return
        tried = " (nor as json_object, nor without response_format: --judge names another)"
        raise RequestRefused(f"{refusals[0]}{tried if len(asks) > 1 else ''}") from refusals[-1]

    async def _ask(self, ask: Any, allotment: Allotment) -> None:
        await self._asker.ask(ask, allotment)
        self._tell()

    async def _shown(self, standing: Standing) -> dict[Tier, str]:
        texts = await self._redactor.texts([shown_to_judge(standing.answers[tier]) for tier in TIERS])
        return dict(zip(TIERS, texts, strict=True))

    def _finished(self, prompt: PromptToLabel) -> None:
        self.tally.finished += 1
        self._tell()
        standing = self._standing(prompt)
        if standing.labelled:
            self.tally.failures_in_a_row = 0
        else:
            self._count_failure(standing.unjudged)

    def _count_failure(self, reason: str) -> None:
        self.tally.failures_in_a_row += 1
        if self.tally.failures_in_a_row >= _MOST_FAILURES:
            self._stop.after_these(
                Why.FAILURES, f"{_MOST_FAILURES} prompts in a row got no label, the last because: {reason}"
            )

    def _standing(self, prompt: PromptToLabel) -> Standing:
        return standing_of(prompt.digest, self._replies(prompt), self._asker.settings)

    def _replies(self, prompt: PromptToLabel) -> Mapping[str, Sequence[Any]]:
        return self._asker.journal.record.of(prompt.digest)

    def _tell(self) -> None:
        self._progress.moved(self.tally.finished, self._budget.spent)


def _uncancel() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
