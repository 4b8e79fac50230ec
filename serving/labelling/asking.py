"""One call from its reservation to its entry in the journal, tried again where that makes sense."""

from dataclasses import dataclass
from typing import Any

from serving.async_router import AsyncTierRouter
from serving.labelling.asks import Ask
from serving.labelling.budget import Allotment
from serving.labelling.errors import BudgetUsedUp, CallFailed, HaltError, RequestRefused
from serving.labelling.journal import Journal
from serving.labelling.prompts import sound
from serving.labelling.record import Reply, Sent
from serving.labelling.retry import LONGEST_WAIT, MOST_ATTEMPTS, Trouble, backoff, trouble_of
from serving.labelling.settings import LabelSettings
from serving.labelling.stopping import Pause, Stop, Times
from serving.routing import Routing, routing_of
from serving.upstream import FAILURES, choices_of
from serving.wording import usd

__all__ = ["Asker"]


class _UnfinishedError(Exception):
    """A stream that ended without saying that the answer is whole."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Sends requests through the router.

    Attributes:
        router: whose keys, channels, deadlines and cost accounting hold.
        settings: of the run.
        journal: told before and after each call.
        times: the clocks.
        stop: asked before each call.
        pause: shared by all calls, for when the upstream wants one.
    """

    router: AsyncTierRouter
    settings: LabelSettings
    journal: Journal
    times: Times
    stop: Stop
    pause: Pause

    async def ask(self, ask: Ask, allotment: Allotment) -> Reply:
        """Send a request until it is answered; every attempt is reserved, written down and settled.

        Raises:
            BudgetUsedUp: the budget does not cover the next attempt.
            CallFailed: no attempt was answered.
            RequestRefused: the request itself is at fault.
            HaltError: every other call would fail the same way.
            Interrupted: the run is being stopped.
            OSError: the journal cannot be written.
        """
        price = self.settings.price_of(self.router.core.config, ask.model)
        bound = ask.bound_usd(price)
        trouble: Trouble | None = None
        for attempt in range(1, MOST_ATTEMPTS + 1):
            await self.pause.over()
            self.stop.check()
            if not allotment.reserve(bound):
                raise BudgetUsedUp(f"the next call can cost {usd(bound)}, and less is left")
            outcome = await self._attempt(ask, bound, allotment)
            if isinstance(outcome, Reply):
                return outcome
            trouble = outcome
            if not trouble.retry or attempt == MOST_ATTEMPTS:
                break
            await self._hold_back(trouble, attempt)
        failure = RequestRefused if trouble and trouble.refused else CallFailed
        raise failure(f"{ask.model}: {trouble.reason if trouble else 'not asked'}")

    async def _attempt(self, ask: Ask, bound: float, allotment: Allotment) -> Reply | Trouble:
        call = self.journal.sent(Sent(ask.prompt, ask.step, ask.model, bound))
        try:
            reply = await self._streamed(ask, bound)
        except (*FAILURES, _UnfinishedError) as error:
            trouble = trouble_of(error, self.times.wall())
            charged = bound if trouble.billed else 0.0
            self.journal.failed(call, trouble.reason, charged)
            allotment.settle(charged)
            if trouble.halts:
                raise HaltError(f"{ask.model}: {trouble.reason}") from error
            return trouble
        self.journal.answered(call, reply)
        allotment.settle(reply.charged_usd)
        return reply

    async def _streamed(self, ask: Ask, bound: float) -> Reply:
        """Read the answer as a stream, so that a long one has all the time that the router allows."""
        create: Any = self.router.chat.completions.create  # the messages are what the user's file holds
        stream = await create(
            model=ask.model,
            messages=list(ask.messages),
            max_tokens=ask.max_tokens,
            stream=True,
            **ask.extra,
        )
        texts: list[str] = []
        refusals: list[str] = []
        finish = ""
        async with stream:
            async for chunk in stream:
                for choice in choices_of(chunk):
                    texts.append(getattr(choice.delta, "content", None) or "")
                    refusals.append(getattr(choice.delta, "refusal", None) or "")
                    finish = choice.finish_reason or finish
        if not finish:
            raise _UnfinishedError("the stream ended before the answer did")
        return _reply(sound("".join(texts)), sound("".join(refusals)), finish, routing_of(stream), bound)

    async def _hold_back(self, trouble: Trouble, attempt: int) -> None:
        if trouble.wait is None:
            await self.pause.wait(backoff(attempt))
            return
        if trouble.wait > LONGEST_WAIT:
            raise HaltError(f"the upstream asks to wait {trouble.wait:,.0f} s: go on after that")
        self.pause.ask(trouble.wait)


def _reply(text: str, refusal: str, finish: str, routing: Routing, bound: float) -> Reply:
    """Return an answer with its cost; where the upstream sent no usage, the budget pays the upper bound."""
    cost, tokens = routing.cost, routing.cost.tokens
    known = cost.usd is not None and not cost.estimated
    return Reply(
        text=text,
        finish=finish,
        refusal=refusal,
        usd=bound if cost.usd is None else cost.usd,
        charged_usd=cost.usd if known and cost.usd is not None else bound,
        input_tokens=tokens.input if tokens else 0,
        output_tokens=tokens.output if tokens else 0,
        estimated=not known,
    )
