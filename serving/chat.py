"""`python -m serving chat`: a conversation through the router, with the record of each answer."""

from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from serving.errors import KeyMissingError
from serving.router import TierRouter
from serving.routing import Routing, routing_of
from serving.upstream import FAILURES
from serving.wording import duration, one_line, printable, share, usd

__all__ = ["Chat", "record_line", "typed_lines"]

_FAILURES = (*FAILURES, KeyMissingError)


class Chat:
    """One conversation; answers are written as they arrive."""

    def __init__(self, router: TierRouter, out: TextIO, *, model: str, simulated: bool) -> None:
        """Start with an empty history.

        Args:
            router: who answers.
            out: where the answers go.
            model: as for the router: "auto", a tier, or a model's name.
            simulated: whether no real model answers, which every record then says.
        """
        self._router = router
        self._out = out
        self._model = model
        self._simulated = simulated
        self._messages: list[Any] = []

    def run(self, lines: Iterable[str]) -> int:
        """Answer each line until they end, `/quit` or Ctrl-C; return how many got no answer."""
        failures = 0
        try:
            for line in lines:
                match line.strip():
                    case "":
                        continue
                    case "/quit":
                        break
                    case "/new":
                        self._messages.clear()
                    case ask:
                        failures += not self.answer(ask)
        except KeyboardInterrupt:
            self._write("\n")
        return failures

    def answer(self, ask: str) -> bool:
        """Answer one prompt within the conversation; return whether an answer came, whole."""
        asked = [*self._messages, {"role": "user", "content": ask}]
        said: list[str] = []
        try:
            routing = self._stream(asked, said)
        except _FAILURES as error:
            trouble = one_line(self._router.core.keys.mask(f"{error}"))
            self._write(f"\n[the answer broke off: {trouble}]\n\n" if said else f"[no answer: {trouble}]\n\n")
            return False
        self._messages = [*asked, {"role": "assistant", "content": "".join(said)}]
        self._write(f"\n{record_line(routing, simulated=self._simulated)}\n\n")
        return True

    def _stream(self, messages: list[Any], said: list[str]) -> Routing:
        completions = self._router.chat.completions
        with completions.create(model=self._model, messages=messages, stream=True) as stream:
            for chunk in stream:
                pieces = [choice.delta.content or "" for choice in chunk.choices]
                said += pieces
                self._write(printable("".join(pieces)))
        return routing_of(stream)

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def record_line(routing: Routing, *, simulated: bool) -> str:
    """Return the record of an answer in one line: tier, model, cost, latencies.

    Args:
        routing: complete.
        simulated: whether to say that no model was called.
    """
    latency = routing.latency
    why = next((f" ({each.reason})" for each in routing.skipped if each.model == routing.planned), "")
    instead = f" instead of {routing.planned}{why}" if routing.fell_back else ""
    estimated = " (estimated)" if routing.cost.estimated else ""
    parts = [
        _tier(routing),
        f"{routing.model}{instead}",
        f"{usd(routing.cost.usd)}{estimated}",
        f"first token {duration(latency.first_token)}, total {duration(latency.total)}",
        *(["simulated"] if simulated else []),
    ]
    return f"[{', '.join(parts)}]"


def typed_lines(out: TextIO) -> Iterator[str]:
    """Ask for line after line at the terminal until end of file."""
    while True:
        try:
            line = input("> ")
        except EOFError:
            out.write("\n")
            return
        yield line


def _tier(routing: Routing) -> str:
    if routing.tier is None:
        return "model by name"
    chances = routing.probabilities
    return f"{routing.tier}" if chances is None else f"{routing.tier} {share(chances[routing.tier]).strip()}"
