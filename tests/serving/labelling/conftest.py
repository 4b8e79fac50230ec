"""A job against a real sandbox over real HTTP, with clocks that do not wait."""

import asyncio
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from serving import RouterConfig
from serving.labelling.command import Job, Surroundings, label
from serving.labelling.prompts import PromptToLabel
from serving.labelling.record import Record
from serving.labelling.redaction import Redactor
from serving.labelling.settings import LabelSettings
from serving.labelling.stopping import Times
from serving.sandbox import Sandbox

CHEAP = "deepseek-ai/DeepSeek-V4-Flash"
BALANCED = "Qwen/Qwen3-32B"
PREMIUM = "Pro/deepseek-ai/DeepSeek-V3.2"
JUDGE = "vendor/judge"
ENVIRON = {"GLOBAL_API_KEY": "ga_standard_0123456789", "GLOBAL_API_PRO_KEY": "ga_pro_0123456789"}


@dataclass
class FakeTimes:
    """Clocks that jump when somebody sleeps."""

    now: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def times(self) -> Times:
        return Times(lambda: self.now, lambda: self.now, self.sleep)


@dataclass
class Bench:
    """Runs jobs and reads what they left."""

    sandbox: Sandbox
    config: RouterConfig
    settings: LabelSettings
    out: Path
    clock: FakeTimes = field(default_factory=FakeTimes)
    printed: str = ""

    def prompts(self, count: int) -> tuple[PromptToLabel, ...]:
        return tuple(
            PromptToLabel.of(f"question number {number}?", {"id": number}) for number in range(count)
        )

    def run(self, prompts: tuple[PromptToLabel, ...], **changes: Any) -> int:
        usual = Job(
            prompts=prompts,
            repeated=0,
            out=self.out,
            settings=self.settings,
            budget_usd=5.0,
            redactor=Redactor(),
            concurrency=3,
            confirmed=True,
            as_json=True,
            arguments=("label", "p.jsonl", "--budget-usd", "5"),
        )
        stdout = io.StringIO()
        environ: Mapping[str, str] = changes.pop("environ", ENVIRON)
        stdin = changes.pop("stdin", io.StringIO())
        around = Surroundings(self.config, environ, {}, self.clock.times, stdin, stdout, io.StringIO())
        code = label(replace(usual, **changes), around)
        self.printed = stdout.getvalue()
        return code

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.printed)
        return found

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text(encoding="utf-8").splitlines()]

    @property
    def entries(self) -> list[dict[str, Any]]:
        path = self.out.with_name(f"{self.out.name}.journal")
        return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]

    def charged_at_any_time(self) -> list[float]:
        """What was spent and reserved after each entry of the journal."""
        record, charged = Record(), [0.0]
        for entry in self.entries[1:]:
            record.take(entry)
            charged.append(record.charged_usd)
        return charged

    def bodies(self, model: str = "") -> list[dict[str, Any]]:
        found = [each.body for each in self.sandbox.requests if isinstance(each.body, dict)]
        return [body for body in found if model in ("", body["model"])]


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.clear()
    return running_sandbox


@pytest.fixture
def config(sandbox: Sandbox) -> RouterConfig:
    return RouterConfig.from_dict({"base_url": sandbox.url, "prices": {JUDGE: 1.0}})


@pytest.fixture
def bench(sandbox: Sandbox, config: RouterConfig, tmp_path: Path) -> Bench:
    settings = LabelSettings.of(config, judge=JUDGE, simulated=False, max_tokens=50, judge_twice=0.0)
    return Bench(sandbox, config, settings, tmp_path / "out.jsonl")
