"""An answer whose words the test chooses, on the wire as a model's own."""

from dataclasses import dataclass

from serving.sandbox.answers import count_tokens
from serving.sandbox.exchange import EVENT_STREAM, Exchange
from serving.sandbox.replies import DONE, dumps, event

_PROMPT_TOKENS = 10


@dataclass(frozen=True, slots=True)
class Says:
    """Status 200 with this text instead of the simulated one.

    Attributes:
        text: what is said.
        finish: why it ends: `stop`, `length`, `content_filter`, ...
        refusal: whether the text stands in the field for refusals instead of the content.
    """

    text: str
    finish: str = "stop"
    refusal: bool = False

    async def play(self, exchange: Exchange) -> None:
        """Send the answer in one piece."""
        said = {"role": "assistant", "content": None if self.refusal else self.text}
        if self.refusal:
            said["refusal"] = self.text
        if exchange.answer.events is None:
            whole = {**self._head("chat.completion"), "choices": [self._choice("message", said)]}
            await exchange.whole(dumps({**whole, "usage": self._usage()}))
            return
        head = self._head("chat.completion.chunk")
        chunks = [
            {**head, "choices": [{"index": 0, "delta": said, "finish_reason": None}]},
            {**head, "choices": [self._choice("delta", {})]},
            {**head, "choices": [], "usage": self._usage()},
        ]
        await exchange.start(EVENT_STREAM)
        await exchange.finish(b"".join(map(event, chunks)) + DONE)

    def _head(self, kind: str) -> dict[str, object]:
        return {"id": "chatcmpl-said", "object": kind, "created": 0, "model": "simulated"}

    def _choice(self, name: str, said: object) -> dict[str, object]:
        return {"index": 0, name: said, "finish_reason": self.finish}

    def _usage(self) -> dict[str, int]:
        answered = count_tokens(self.text)
        total = _PROMPT_TOKENS + answered
        return {"prompt_tokens": _PROMPT_TOKENS, "completion_tokens": answered, "total_tokens": total}
