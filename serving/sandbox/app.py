"""The simulated upstream as an ASGI application."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.sandbox.answers import profile_of
from serving.sandbox.chat import chat_reply, model_of, wants_stream, wants_usage
from serving.sandbox.embeddings import embeddings_body
from serving.sandbox.exchange import Answer, ClientLeftError, Exchange, Latency
from serving.sandbox.gate import AcceptedKeys, RateLimit, unknown_model
from serving.sandbox.ledger import Ledger, Received
from serving.sandbox.refusals import Refusal, RefusedError, bad_request
from serving.sandbox.replies import as_completion, as_events, dumps

DEFAULT_MODELS = (
    "deepseek-ai/DeepSeek-V4-Flash",
    "Qwen/Qwen3-32B",
    "Pro/deepseek-ai/DeepSeek-V3.2",
    "Pro/deepseek-ai/DeepSeek-R1",
    "Pro/moonshotai/Kimi-K2.5",
)

_LARGEST_BODY = 64 * 1024 * 1024
_NO_ANSWER = Answer(lambda _: b"")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a sandbox accepts and how fast it answers.

    Attributes:
        keys: the accepted keys; None accepts any, and none.
        latency: of the quickest simulated model.
        models: the models that exist; None lists the usual ones and answers to any name.
        rate_limit: None lets any number through.
        clock: seconds since the epoch.
    """

    keys: AcceptedKeys | None
    latency: Latency
    models: Sequence[str] | None
    rate_limit: RateLimit | None
    clock: Callable[[], float]

    def refusal(self, received: Received) -> Refusal | None:
        """Return why a request is turned down before it is looked at, or None."""
        model = received.model or ""
        refused = self.keys.refusal(received.headers, model) if self.keys else None
        if refused is None and self.rate_limit:
            refused = self.rate_limit.refusal(received.headers)
        if refused is None and model and self.models is not None and model not in self.models:
            refused = unknown_model(model)
        return refused

    def pace(self, model: str) -> Latency:
        """Return the latency of a model."""
        factor = profile_of(model).pace
        return Latency(self.latency.first_token * factor, self.latency.per_token * factor)


def build_app(rules: Rules, ledger: Ledger) -> Starlette:
    """Return the application: chat completions, embeddings and the list of models under `/v1`."""
    chat = _Endpoint(rules, ledger, _chat_answer)
    embeddings = _Endpoint(rules, ledger, _embeddings_answer)
    models = _Endpoint(rules, ledger, _models_answer)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/v1/models", models, methods=["GET"]),
        ]
    )


class _Endpoint:
    """Reads a request, records it, and plays the fault that is due, or the normal answer."""

    def __init__(self, rules: Rules, ledger: Ledger, prepare: Callable[[Received, Rules], Answer]) -> None:
        self._rules = rules
        self._ledger = ledger
        self._prepare = prepare

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            received = await self._read(scope, receive)
            await self._answer(received, scope, receive, send)
        except RefusedError as error:
            await Exchange(scope, receive, send, _NO_ANSWER).refuse(error.refusal)
        except ClientLeftError:
            return

    async def _read(self, scope: Scope, receive: Receive) -> Received:
        data = await _body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            body = json.loads(data) if data else None
        except (ValueError, RecursionError) as error:
            self._ledger.record(Received(scope["path"], headers, None, self._rules.clock()))
            raise bad_request(f"the body is not JSON: {error}") from error
        received = Received(scope["path"], headers, body, self._rules.clock())
        self._ledger.record(received)
        return received

    async def _answer(self, received: Received, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._rules.refusal(received)
        if refusal is not None:
            raise RefusedError(refusal)
        answer = self._prepare(received, self._rules)
        path = received.path.removeprefix("/v1")
        fault = self._ledger.fault_for(*((received.model, path, "*") if received.model else (path, "*")))
        await fault.play(Exchange(scope, receive, send, answer))


async def _body(receive: Receive) -> bytes:
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        data += message.get("body", b"")
        if len(data) > _LARGEST_BODY:
            raise RefusedError(Refusal(413, f"the body is larger than {_LARGEST_BODY} bytes"))
        if not message.get("more_body", False):
            return bytes(data)


def _object(received: Received) -> Mapping[str, object]:
    if not isinstance(received.body, dict):
        raise bad_request("the body must be a JSON object")
    return received.body


def _chat_answer(received: Received, rules: Rules) -> Answer:
    body = _object(received)
    reply = chat_reply(body, rules.clock())
    return Answer(
        encode=lambda usage: as_completion(reply, usage=usage),
        events=as_events(reply, usage=wants_usage(body)) if wants_stream(body) else None,
        latency=rules.pace(reply.model),
        tokens=reply.usage["completion_tokens"],
    )


def _embeddings_answer(received: Received, rules: Rules) -> Answer:
    body = _object(received)
    encoded = embeddings_body(body)
    return Answer(lambda _: encoded, latency=rules.pace(model_of(body)))


def _models_answer(_received: Received, rules: Rules) -> Answer:
    rows = [
        {"id": name, "object": "model", "created": int(rules.clock()), "owned_by": "sandbox"}
        for name in (DEFAULT_MODELS if rules.models is None else rules.models)
    ]
    encoded = dumps({"object": "list", "data": rows})
    return Answer(lambda _: encoded)
