"""LiteLLM as a client, in the environment of its own that the benchmarks make."""

# ruff: noqa: S603 - the only program started here is a Python

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.peers import ENVIRONMENTS
from tests.serving.conftest import CHEAP
from tests.serving.proxy.conftest import PATIENCE, Running

PYTHON = (Path(__file__).parents[3] / ENVIRONMENTS / "litellm" / "bin" / "python").absolute()

pytestmark = pytest.mark.skipif(
    not PYTHON.is_file(), reason="no LiteLLM here: `make peers` installs it in .bench/litellm"
)

SCRIPT = """
import json, sys
import litellm
url, key = sys.argv[1:]
ask = [{"role": "user", "content": "What is the capital of France?"}]
schema = {"type": "object", "properties": {"good": {"type": "boolean"}}, "required": ["good"],
          "additionalProperties": False}
tool = {"type": "function", "function": {"name": "weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
usual = {"api_base": url, "api_key": key, "num_retries": 0}
said = {}
def chat(**more):
    return litellm.completion(model="openai/auto", messages=ask, **usual, **more)
whole = chat()
said["whole"] = [whole.model, whole.choices[0].message.content, whole.usage.completion_tokens]
said["headers"] = dict(whole._hidden_params["additional_headers"])
chunks = list(chat(stream=True, stream_options={"include_usage": True}))
said["stream"] = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
said["usage"] = [chunk.usage.completion_tokens for chunk in chunks if getattr(chunk, "usage", None)]
# tools alone lead it to import a package for MCP, which it does not bring
call = chat(tools=[tool], tool_choice="required", _skip_mcp_handler=True).choices[0].message.tool_calls[0]
said["tool"] = [call.function.name, json.loads(call.function.arguments)]
shape = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}
said["structured"] = json.loads(chat(response_format=shape).choices[0].message.content)
vectors = litellm.embedding(model="openai/text-embedding-3-small", input=["a", "b"], **usual)
said["vectors"] = len(vectors.data)
try:
    litellm.completion(model="openai/auto", messages=ask, **{**usual, "api_key": "wrong"})
except litellm.AuthenticationError as error:
    said["wrong key"] = error.status_code
print(json.dumps(said))
"""


def test_litellm_is_answered(running: Running, tmp_path: Path) -> None:
    issued = running.create_key()
    command = [str(PYTHON), "-c", SCRIPT, running.url, issued.secret.reveal()]
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=6 * PATIENCE, env=environ, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    model, text, tokens = said["whole"]
    assert (model.removeprefix("openai/"), text[:10], tokens > 0) == (CHEAP, "(Simulated", True)
    assert said["headers"]["llm_provider-x-tierwise-tier"] == "cheap"
    assert (said["stream"], said["usage"]) == (text, [tokens])
    assert said["tool"][0] == "weather"
    assert said["tool"][1].keys() == {"city"}
    assert said["structured"].keys() == {"good"}
    assert (said["vectors"], said["wrong key"]) == (2, 401)
    assert {row.outcome.value for row in running.rows()} == {"answered"}
