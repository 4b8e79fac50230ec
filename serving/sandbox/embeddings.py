"""Small deterministic vectors in the wire format of the embeddings endpoint."""

import base64
import math
import re
import struct
from collections.abc import Mapping

from serving.sandbox.answers import count_tokens, fingerprint
from serving.sandbox.chat import model_of
from serving.sandbox.refusals import bad_request
from serving.sandbox.replies import dumps

_DIMENSIONS = 16
_MOST_DIMENSIONS = 4096


def embeddings_body(body: Mapping[str, object]) -> bytes:
    """Return the JSON answer to an embeddings request: a unit vector for each input, always the same.

    Raises:
        RefusedError: no model, or an `input` that is neither text nor token numbers nor a list (400).
    """
    model, texts = model_of(body), _texts(body.get("input"))
    size = _dimensions(body.get("dimensions"))
    packed = body.get("encoding_format") == "base64"
    rows = [
        {"object": "embedding", "index": index, "embedding": _encoded(unit_vector(text, size), packed=packed)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(count_tokens(text) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return dumps({"object": "list", "data": rows, "model": model, "usage": usage})


def unit_vector(text: str, size: int) -> list[float]:
    """Return a vector of length 1, shape (size,): the sum of its words', each drawn from a hash of the word.

    So texts that share words lie near each other, and the same words in another order lie in one place: good
    enough to drive a cache, and as blind to what sets asks apart as any model.

    >>> round(sum(x * x for x in unit_vector("hello", 16)), 6)
    1.0
    """
    words = re.findall(r"\w+", text.casefold()) or [text]
    numbers = [math.fsum(column) for column in zip(*(_drawn(word, size) for word in words), strict=True)]
    length = math.sqrt(sum(x * x for x in numbers))
    return [x / length for x in numbers] if length else _drawn(text, size)


def _drawn(word: str, size: int) -> list[float]:
    blocks = (fingerprint(f"{block}:{word}") for block in range((size + 15) // 16))
    return [n / 32767.5 - 1.0 for block in blocks for n in struct.unpack(">16H", block)][:size]


def _texts(given: object) -> list[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and given:
        if all(isinstance(one, str) for one in given):
            return given
        if all(isinstance(one, int) for one in given):
            return [str(given)]
        if all(isinstance(one, list) for one in given):
            return [str(one) for one in given]
    raise bad_request("'input' must be a text, a list of texts, or token numbers")


def _dimensions(given: object) -> int:
    if given is None:
        return _DIMENSIONS
    if not isinstance(given, int) or not 1 <= given <= _MOST_DIMENSIONS:
        raise bad_request(f"'dimensions' must be a whole number from 1 to {_MOST_DIMENSIONS}")
    return given


def _encoded(vector: list[float], *, packed: bool) -> object:
    if not packed:
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
