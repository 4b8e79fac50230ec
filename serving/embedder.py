"""Embeddings of many texts from an endpoint, for commands; the proxy asks in its own way."""

from collections.abc import Callable, Mapping, Sequence

import httpx2

from serving.cache.embeddings import BrokenEmbeddingError, Embedded, embedded_in, embedding_request
from serving.cache.indexed_ask import Vector
from serving.cache.semantic_settings import SemanticSettings
from serving.errors import KeyMissingError, ServingError

__all__ = ["Embedder", "bearer_of"]

_AT_ONCE = 64  # texts a request
_SECONDS = 60.0


class Embedder:
    """Asks an endpoint; holds no connection between calls of `embed`."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        model: str,
        dimensions: int | None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Take where and what to ask.

        Args:
            base_url: of the endpoint, up to and with the version.
            headers: with its key.
            model: whose embeddings are wanted.
            dimensions: that are asked for, or None.
            transport: instead of the network.
        """
        self._url = f"{base_url.rstrip('/')}/embeddings"
        self._headers = dict(headers)
        self._model = model
        self._dimensions = dimensions
        self._transport = transport

    def embed(self, texts: Sequence[str], done: Callable[[int], object]) -> tuple[dict[str, Vector], int]:
        """Return the embedding of each text, and how many tokens the endpoint has counted.

        Args:
            texts: some may be the same.
            done: told how many texts each answer was for.

        Raises:
            ServingError: the endpoint cannot be reached, refuses, or its answer is none; in one line.
        """
        vectors: dict[str, Vector] = {}
        tokens = 0
        distinct = list(dict.fromkeys(texts))
        local = self._url.startswith(("http://127.0.0.1", "http://localhost"))
        with httpx2.Client(timeout=_SECONDS, transport=self._transport, trust_env=not local) as client:
            for start in range(0, len(distinct), _AT_ONCE):
                some = distinct[start : start + _AT_ONCE]
                found = self._asked(client, some)
                vectors.update(zip(some, found.vectors, strict=True))
                tokens += found.tokens or 0
                done(len(some))
        if len({len(vector) for vector in vectors.values()}) > 1:
            raise ServingError(f"{self._url}: embeddings of different dimensions came back")
        return vectors, tokens

    def _asked(self, client: httpx2.Client, texts: Sequence[str]) -> Embedded:
        body = embedding_request(self._model, texts, self._dimensions)
        try:
            answer = client.post(self._url, json=body, headers=self._headers)
            answer.raise_for_status()
            return embedded_in(answer.json(), len(texts), self._dimensions)
        except httpx2.HTTPStatusError as error:
            status = error.response.status_code
            raise ServingError(f"{self._url}: status {status} for the model {self._model}") from error
        except (httpx2.HTTPError, ValueError, RecursionError, BrokenEmbeddingError) as error:
            words = " ".join(f"{error}".split())[:200] or type(error).__name__
            raise ServingError(f"{self._url}: no embeddings of {self._model}: {words}") from error


def bearer_of(settings: SemanticSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the header with the key of an endpoint that is not the router's upstream; none without a key.

    Raises:
        KeyMissingError: the variable that is named is not set, or holds what no key has.
    """
    name = settings.key_variable
    if name is None:
        return {}
    value = environ.get(name, "").strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise KeyMissingError(f"{name} is not set, or holds what no key has: see [cache.semantic]")
    return {"authorization": f"Bearer {value}"}
