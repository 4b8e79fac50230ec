"""The plugin in the real LiteLLM, set up as the README says, in the environment that the benchmarks make."""

# ruff: noqa: S603 - the only programs started here are LiteLLM and a Python

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from serving.sandbox import Sandbox
from tests.benchmarks.peers import ENVIRONMENTS
from tests.serving.conftest import BALANCED, CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE

ROOT = Path(__file__).parents[2]
BIN = (ROOT / ENVIRONMENTS / "litellm" / "bin").absolute()
README = (ROOT / "README.md").read_text(encoding="utf-8")
MASTER = "sk-only-for-this-test-0123456789abcdef"
TRIVIAL = "What is the capital of France?"
HARD = "Prove that the square root of 2 is irrational, without arguing by contradiction."

pytestmark = pytest.mark.skipif(
    not (BIN / "litellm").is_file(), reason="no LiteLLM here: `make peers` installs it in .bench/litellm"
)


def block(language: str, holding: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return next(str(each) for each in found if holding in each)


def environ(upstream: Sandbox, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": MASTER,
        "GLOBAL_API_KEY": "simulated",
        "GLOBAL_API_PRO_KEY": "ga_pro_simulated",
        "NO_PROXY": "127.0.0.1",
        "UPSTREAM": upstream.url,
        **more,
    }


@contextmanager
def litellm_proxy(
    folder: Path, upstream: Sandbox, plugin: str = "classifier.litellm.plugin"
) -> Iterator[str]:
    """LiteLLM's proxy by the README's two files, before the sandbox instead of the aggregator."""
    config = block("yaml", "auto_router").replace("https://global-apis.com/v1", upstream.url)
    (folder / "config.yaml").write_text(config.replace("classifier.litellm.plugin", plugin))
    (folder / "tierwise_callbacks.py").write_text(block("py", "explaining"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(BIN / "litellm"), "--config", "config.yaml", "--host", "127.0.0.1", "--port", f"{port}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ(upstream), stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "log")
            yield f"http://127.0.0.1:{port}/v1/chat/completions"
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx2.get(url, timeout=2).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"LiteLLM did not start: {log.read_text()[-2000:]}")


def ask(url: str, content: str, **more: Any) -> httpx2.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": content}], **more}
    answer = httpx2.post(url, json=body, headers={"authorization": f"Bearer {MASTER}"}, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer


def asked(upstream: Sandbox) -> list[str]:
    """The models that were asked; LiteLLM looks at the upstream's list of models beside that."""
    chats = [request.body for request in upstream.requests if request.path == "/v1/chat/completions"]
    return [str(body["model"]) for body in chats if isinstance(body, dict)]


def test_the_proxy_routes_by_the_plugin_and_tells_why(upstream: Sandbox, tmp_path: Path) -> None:
    with litellm_proxy(tmp_path, upstream) as url:
        trivial, hard = ask(url, TRIVIAL), ask(url, HARD)
        streamed = ask(url, TRIVIAL, stream=True)
        named = ask(url, TRIVIAL, model="premium")
    assert asked(upstream) == [CHEAP, PREMIUM, CHEAP, PREMIUM]
    assert trivial.headers["x-litellm-complexity-router-cause"] == "classifier_plugin"
    assert [each.headers["x-tierwise-tier"] for each in (trivial, hard, streamed)] == [
        "cheap",
        "premium",
        "cheap",
    ]
    assert hard.headers["x-tierwise-reasons"]
    assert 0 <= float(hard.headers["x-tierwise-risk"]) <= 1
    assert "x-tierwise-tier" not in named.headers
    assert "data: [DONE]" in streamed.text


BROKEN = """
class Broken:
    async def classify(self, context):
        raise RuntimeError("out of order")

broken = Broken()
"""


def test_a_plugin_that_fails_costs_litellm_its_judgement_and_not_the_call(
    upstream: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "broken_plugin.py").write_text(BROKEN)
    with litellm_proxy(tmp_path, upstream, plugin="broken_plugin.broken") as url:
        answer = ask(url, TRIVIAL)
    assert len(asked(upstream)) == 1
    assert answer.headers["x-litellm-complexity-router-cause"] != "classifier_plugin"


IN_PYTHON = """
import asyncio, json, os, sys
from litellm import Router
from classifier import TierPredictor
from classifier.litellm import TierPlugin

models = {"cheap": sys.argv[1], "balanced": sys.argv[2], "premium": sys.argv[3]}
usual = {"api_base": os.environ["UPSTREAM"], "api_key": "simulated"}
auto = {
    "model": "auto_router/complexity_router",
    "complexity_router_default_model": "balanced",
    "complexity_router_config": {
        "classifier_type": "custom",
        "classifier_plugin": TierPlugin(TierPredictor.default()),
        "tiers": {"SIMPLE": "cheap", "MEDIUM": "balanced", "COMPLEX": "premium", "REASONING": "premium"},
    },
}
router = Router(model_list=[
    *({"model_name": name, "litellm_params": {"model": f"openai/{model}", **usual}}
      for name, model in models.items()),
    {"model_name": "auto", "litellm_params": auto},
])

async def main():
    for prompt in json.load(sys.stdin):
        await router.acompletion(model="auto", messages=[{"role": "user", "content": prompt}])

asyncio.run(main())
"""


def test_the_router_in_python_routes_by_the_plugin(upstream: Sandbox) -> None:
    done = subprocess.run(
        [BIN / "python", "-c", IN_PYTHON, CHEAP, BALANCED, PREMIUM],
        input=json.dumps([TRIVIAL, HARD]),
        env=environ(upstream),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert asked(upstream) == [CHEAP, PREMIUM]


def test_a_model_file_that_is_not_there_is_told_at_the_start(upstream: Sandbox, tmp_path: Path) -> None:
    missing = environ(upstream, TIERWISE_MODEL_FILE=str(tmp_path / "none.tierwise"))
    done = subprocess.run(
        [sys.executable, "-c", "from classifier.litellm import plugin"],
        env=missing,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "none.tierwise" in done.stderr
