"""The programs in classifier/README.md run: the gateway over real HTTP, JavaScript in Node."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import httpx
import pytest

import classifier
from classifier import TIERS, TierPredictor
from serving.sandbox import AcceptedKeys, Sandbox, Status
from tests.classifier.javascript import NODE

ROOT = Path(classifier.__file__).parents[1]
README = (ROOT / "classifier" / "README.md").read_text(encoding="utf-8")
MODELS = ("deepseek-ai/DeepSeek-V4-Flash", "Qwen/Qwen3-32B", "Pro/deepseek-ai/DeepSeek-V3.2")
ASKS = {
    "cheap": "What is the capital of France?",
    "premium": "Is every finite division ring commutative? Prove it.",
}


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(keys=AcceptedKeys("standard", "ga_pro_key")) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the README's gateway, run as it says."""
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "gateway.py").write_text(block("python"), encoding="utf-8")
    keys = {"GLOBAL_API_KEY": "standard", "GLOBAL_API_PRO_KEY": "ga_pro_key"}
    command = [sys.executable, "-m", "uvicorn", "gateway:app", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603
        command,
        cwd=folder,
        env={**os.environ, **keys, "UPSTREAM": sandbox.url, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    said = iter(cast(IO[str], process.stderr))
    yield next(line.split()[4] for line in said if "running on" in line)
    process.terminate()
    process.communicate()


def ask(gateway: str, text: str, *, stream: bool = False) -> httpx.Response:
    call = {"model": "auto", "messages": [{"role": "user", "content": text}], "stream": stream, "seed": 7}
    return httpx.post(f"{gateway}/v1/chat/completions", json=call, timeout=30, trust_env=False)


@pytest.mark.parametrize("tier", ASKS)
def test_the_gateway_sends_each_ask_to_its_tier(tier: str, gateway: str, sandbox: Sandbox) -> None:
    sandbox.clear()
    answer = ask(gateway, ASKS[tier])
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"]
    decision = TierPredictor.default().decide(ASKS[tier])
    assert (answer.headers["x-tier"], answer.headers["x-risk"]) == (tier, f"{decision.risk:.3f}")
    (received,) = sandbox.requests
    assert received.model == MODELS[[each.label for each in TIERS].index(tier)]
    assert isinstance(received.body, dict)
    assert received.body["seed"] == 7


def test_the_gateway_streams(gateway: str) -> None:
    answer = ask(gateway, ASKS["cheap"], stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_errors_of_the_upstream_pass_through_the_gateway(gateway: str, sandbox: Sandbox) -> None:
    sandbox.script("*", Status(429))
    assert ask(gateway, ASKS["cheap"]).status_code == 429


def test_the_gateway_tells_what_is_no_prompt(gateway: str) -> None:
    answer = httpx.post(f"{gateway}/v1/chat/completions", json={"messages": []}, trust_env=False)
    assert answer.status_code == 422
    assert "give at least one message" in json.dumps(answer.json())


def test_the_gateway_is_about_twenty_lines() -> None:
    assert sum(bool(line.strip()) for line in block("python").splitlines()) <= 28


@pytest.mark.skipif(NODE is None, reason="node is not installed: apt-get install nodejs")
def test_the_javascript_runs_where_the_project_is(tmp_path: Path) -> None:
    script = tmp_path / "program.mjs"
    script.write_text(block("js").replace('"./classifier/', f'"{ROOT}/classifier/'), encoding="utf-8")
    done = subprocess.run(  # noqa: S603
        [str(NODE), str(script)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "premium true 0"
    assert lines[-1] == "risk at most 0.05"


@pytest.mark.parametrize("page", ["README.md", "MODEL_FILE.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    folder = ROOT / "classifier"
    targets = re.findall(r"\]\(([^)#:]+)\)", (folder / page).read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (folder / target).exists()] == []
