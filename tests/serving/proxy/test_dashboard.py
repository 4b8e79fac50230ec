"""The dashboard and the alerts that ship: all that they read is there in a real `/metrics`, after traffic."""

import json
import re
import time
from dataclasses import replace
from importlib.resources import files
from typing import Any

import httpx2
import pytest
import yaml  # type: ignore[import-untyped]

from serving.sandbox import Normal, Sandbox, Status
from serving.spending.ledger_row import LedgerRow, Outcome
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP
from tests.serving.observability.promql import Matcher, PromqlError, Read, reads
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running
from tests.serving.proxy.scrapes import Scrape, settled

SHIPPED = files("serving.observability")
BOARD: dict[str, Any] = json.loads((SHIPPED / "grafana.json").read_text())
ALERTS: list[dict[str, Any]] = yaml.safe_load((SHIPPED / "alerts.yaml").read_text())["groups"][0]["rules"]
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
]
RULES = [pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS]
FROM_PROMETHEUS = {"instance", "job"}  # labels that it adds to what it scrapes
RARE = {"break-glass", "classifier failed"}  # values that ordinary traffic does not show


@pytest.fixture(scope="module")
def seen() -> dict[str, list[dict[str, str]]]:
    """The labels of every sample, by its name; filled by the first test that needs them."""
    return {}


def traffic(running: Running, upstream: Sandbox) -> Scrape:
    """Make everything happen that leaves a trace in the metrics."""
    upstream.script(CHEAP, Status(500))
    upstream.script(BALANCED, Normal(), Status(500))
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"model": BALANCED},
        {"temperature": 0},
        {"stream": True},
        {"messages": ASK_PREMIUM, "max_tokens": 20},
        {"messages": []},
    )
    for body in bodies:
        _ask(running, **body)
    desk = running.service.desk
    assert desk is not None
    desk.generation.core.alarms.sound("a test", "something")
    until = time.monotonic() + PATIENCE
    while desk.cache.waiting or desk.board.read_at is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    _ask(running, temperature=0)
    desk.requests.attempted(_without_cost(running), None)
    return settled(running, 7)


def _ask(running: Running, **body: Any) -> None:
    ours = {"model": "auto", "messages": ASK_CHEAP, **body}
    httpx2.post(f"{running.url}/chat/completions", json=ours, timeout=PATIENCE, trust_env=False)


def _without_cost(running: Running) -> LedgerRow:
    return replace(running.rows()[0], usd=None, outcome=Outcome.UNKNOWN)


@pytest.fixture
def samples(
    seen: dict[str, list[dict[str, str]]], proxy: MakeProxy, upstream: Sandbox
) -> dict[str, list[dict[str, str]]]:
    while not seen:
        running = proxy(
            serve={
                "budgets": {"premium_usd_per_day": 5.0},
                "cache": {"exact": "repeatable", "lookup_seconds": 5.0},
            },
            tiers={"cheap": {"objective_seconds": 2.5}},
        )
        for sample in traffic(running, upstream).samples:
            seen.setdefault(sample.name, []).append(dict(sample.labels))
    return seen


def check(read: Read, samples: dict[str, list[dict[str, str]]]) -> None:
    for name, conditions in read.metrics:
        assert name in samples, f"there is no metric {name}"
        for condition in conditions:
            if condition.label not in FROM_PROMETHEUS:
                check_condition(name, condition, samples[name])
    labels = {label for name, _ in read.metrics for each in samples[name] for label in each}
    assert set(read.grouped_by) <= labels | FROM_PROMETHEUS


def check_condition(name: str, condition: Matcher, found: list[dict[str, str]]) -> None:
    values = {labels[condition.label] for labels in found if condition.label in labels}
    assert values, f"{name} has no label {condition.label}"
    wanted = condition.value if "~" in condition.operator else re.escape(condition.value)
    reached = [value for value in values if re.fullmatch(wanted, value)]
    assert reached or condition.value in RARE, f"{name}: no {condition.label} is ever {condition.value}"


@pytest.mark.parametrize("expression", [*QUERIES, *RULES])
def test_what_is_read_exists(expression: str, samples: dict[str, list[dict[str, str]]]) -> None:
    read = reads(expression)
    assert read.metrics
    check(read, samples)


@pytest.mark.parametrize(
    "expression",
    ["tierwise_nothing_total", 'tierwise_requests_total{tears="cheap"}', 'tierwise_breaker{state="ajar"}',
     "sum by (moon) (tierwise_alarms)"],
    ids=["metric", "label", "value", "group"],
)  # fmt: skip
def test_what_does_not_exist_would_be_found(
    expression: str, samples: dict[str, list[dict[str, str]]]
) -> None:
    with pytest.raises(AssertionError):
        check(reads(expression), samples)


@pytest.mark.parametrize(
    "expression", ["sum(a", "sum(a))", "a{b=c}", "rate(a[5])", "sum + 1", "a ? b"],
    ids=["open", "closed", "no string", "no range", "no call", "no operator"],
)  # fmt: skip
def test_what_is_no_promql_is_refused(expression: str) -> None:
    with pytest.raises(PromqlError, match=r"."):
        reads(expression)


def test_the_dashboard_can_be_imported() -> None:
    assert (BOARD["uid"], BOARD["title"]) == ("tierwise", "Tierwise")
    assert "id" not in BOARD  # Grafana's own
    variables = {each["name"]: each for each in BOARD["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in PANELS:
        own = {target["datasource"]["uid"] for target in panel["targets"]}
        assert own | {panel["datasource"]["uid"]} == {"${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_no_panel_lies_on_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} on {taken[x, y]}"
                taken[x, y] = panel["title"]


def test_every_alert_says_what_is_the_case() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in ALERTS)
