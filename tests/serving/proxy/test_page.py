"""The page at `/` as its files and its data: headers, who may see what, and exact figures after traffic."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from classifier import TierPredictor
from classifier.model_file import parse_model
from serving import RouterConfig
from serving.proxy.day_board import DayBoard, day_hours
from serving.proxy.page import POLICY
from serving.sandbox import Sandbox, Status
from serving.spending.day_overview import DayOverview
from serving.spending.day_totals import HourTotals, TierTotals
from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome
from serving.spending.report import By, build_report
from serving.state import State
from serving.state.migrate import migrate
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer, error_of
from tests.serving.proxy.test_caching import settle

UTC = ZoneInfo("UTC")
OWN = sorted(each.name for each in files("serving").joinpath("page").iterdir() if each.is_file())


def get(running: Running, path: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    return httpx2.get(f"{running.root}{path}", headers=headers, timeout=PATIENCE, trust_env=False)


def ask(running: Running, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    ours = {"model": "auto", "messages": ASK_CHEAP, **body}
    return httpx2.post(
        f"{running.url}/chat/completions", json=ours, headers=headers, timeout=PATIENCE, trust_env=False
    )


def overview(running: Running, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The overview, once the ledger was read for it."""
    until = time.monotonic() + PATIENCE
    while True:
        response = get(running, "/v1/overview", headers)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        if told["ledger"] != "pending" or time.monotonic() > until:
            return told


# ------------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("path", ["/", *(f"/page/{name}" for name in OWN if name != "index.html")])
def test_every_file_comes_with_its_type_and_under_the_policy(running: Running, path: str) -> None:
    response = get(running, path)
    assert response.status_code == 200
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    ending = "html" if path == "/" else path.rpartition(".")[2]
    assert response.headers["content-type"].startswith(types[ending])
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in response.headers["permissions-policy"]
    assert response.headers["cache-control"] == "no-cache"


def test_the_policy_lets_nothing_in_from_outside_and_nothing_inline() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert {rules[f"{kind}-src"] for kind in ("script", "style", "connect", "img")} == {"'self'"}
    assert "unsafe" not in POLICY


def test_the_page_names_no_other_place_and_holds_no_script_or_style() -> None:
    text = files("serving").joinpath("page", "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|https?://", text) == []
    for name in (each for each in OWN if each.endswith(".js")):
        script = files("serving").joinpath("page", name).read_text(encoding="utf-8")
        assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", script) == []


def test_the_predictor_is_the_classifiers_own_file(running: Running) -> None:
    packaged = files("classifier").joinpath("javascript", "tierwise.js").read_bytes()
    assert get(running, "/page/tierwise.js").content == packaged


def test_a_file_that_is_at_hand_is_not_sent_again(running: Running) -> None:
    etag = get(running, "/").headers["etag"]
    again = get(running, "/", {"if-none-match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert get(running, "/", {"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["/page/", "/page/../page.py", "/page/__init__.py", "/page/index.html"])
def test_nothing_else_is_served(running: Running, path: str) -> None:
    assert get(running, path).status_code == 404


def test_the_page_needs_no_key_and_its_data_does(proxy: MakeProxy) -> None:
    running = proxy()
    issued = running.create_key()
    assert get(running, "/").status_code == 200
    for path in ("/v1/overview", "/v1/model"):
        refused = get(running, path)
        assert (refused.status_code, error_of(refused)["code"]) == (401, "invalid_api_key")
        assert get(running, path, bearer(issued)).status_code == 200


# ------------------------------------------------------------------------------------------------------ model


def test_the_model_is_the_one_that_decides(running: Running, predictor: TierPredictor) -> None:
    response = get(running, "/v1/model")
    assert response.headers["content-type"] == "application/octet-stream"
    assert parse_model(response.content, "it").version == predictor.version
    again = get(running, "/v1/model", {"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


class AnotherKind:
    """A classifier without a model file."""

    def __init__(self, inner: TierPredictor) -> None:
        self.decide, self.explain = inner.decide, inner.explain


def test_a_classifier_without_a_file_has_none_to_give(proxy: MakeProxy, predictor: TierPredictor) -> None:
    running = proxy(predictor=AnotherKind(predictor))
    refused = get(running, "/v1/model")
    assert (refused.status_code, error_of(refused)["code"]) == (404, "no_model_file")


# --------------------------------------------------------------------------------------------------- overview


def test_before_any_traffic_everything_is_there_and_nothing_is_spent(running: Running) -> None:
    told = overview(running)
    today = told["today"]
    assert (told["ledger"], told["time_zone"], told["decisions"]) == ("current", "UTC", [])
    assert (today["requests"], today["usd"], today["routed_usd"]) == (0, 0.0, 0.0)
    assert [each["tier"] for each in today["tiers"]] == ["cheap", "balanced", "premium", "named"]
    assert today["cache"] == {"hits": 0, "semantic_hits": 0, "hit_rate": None, "saved_usd": 0.0}
    assert told["status"]["status"] == "ok"


def test_the_figures_are_those_of_the_report(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve={"cache": {"exact": "repeatable", "lookup_seconds": 5.0}})
    for _ in range(2):
        assert ask(running).status_code == 200
        assert ask(running, temperature=0).status_code == 200  # the second time from the cache
        settle(running)
    assert ask(running, messages=ASK_PREMIUM).status_code == 200
    assert ask(running, model="balanced", stream=True).status_code == 200
    assert ask(running, model=PREMIUM).status_code == 200
    upstream.script(CHEAP, Status(500))
    assert ask(running, messages=[{"role": "user", "content": "thanks"}]).json()["model"] == BALANCED
    rows = running.rows()
    today = overview(running)["today"]
    desk = running.service.desk
    assert desk is not None
    report = build_report(rows, desk.generation.core.config, By.TIER, UTC).as_dict()
    assert (today["requests"], today["attempts"], today["answered"]) == (8, 9, 8)
    assert today["usd"] == pytest.approx(report["total"]["usd"], abs=1e-15)
    assert today["routed_usd"] == pytest.approx(report["routed_usd"], abs=1e-15)
    assert today["always_usd"] == pytest.approx(report["always_usd"], abs=1e-15)
    assert today["saved_usd"] == pytest.approx(report["saved_usd"], abs=1e-15)
    assert {each["tier"]: each["requests"] for each in today["tiers"]} == {
        name: report["groups"][name]["requests"] for name in ("cheap", "balanced", "premium", "named")
    }
    assert today["cache"]["hits"] == report["total"]["cache_hits"] == 1
    assert today["cache"]["saved_usd"] == pytest.approx(report["total"]["cache_saved_usd"])
    latencies = {each["tier"]: each["latency_seconds"] for each in today["tiers"]}
    assert latencies == report["latency_seconds"]
    over = sum(each["saved_over_balanced_usd"] for each in today["tiers"] if each["tier"] != "named")
    assert over == pytest.approx(today["saved_usd"]["balanced"], abs=1e-15)
    assert sum(sum(hour["requests"].values()) for hour in today["hours"]) == 8


def test_recent_decisions_are_told_newest_first_with_reasons_and_without_prompts(
    running: Running, upstream: Sandbox
) -> None:
    secret = "thanks for the zanzibar report"
    assert ask(running, messages=[{"role": "user", "content": secret}]).status_code == 200
    assert ask(running, messages=ASK_PREMIUM).status_code == 200
    upstream.always("*", Status(500))
    assert ask(running, model="cheap").status_code == 502
    failed, premium, cheap = overview(running)["decisions"]
    assert (cheap["tier"], cheap["model"], cheap["chosen_by"]) == ("cheap", CHEAP, "policy")
    assert (premium["tier"], premium["outcome"], premium["risk"]) == ("premium", "answered", 0.0)
    assert "'prove'" in premium["reasons"]
    assert premium["usd"] > 0 < premium["seconds"]
    assert (failed["outcome"], failed["chosen_by"], failed["usd"]) == ("failed", "caller", 0.0)
    assert "the caller asked for the tier cheap" in failed["reasons"]
    assert any("500" in each for each in failed["reasons"])
    assert "zanzibar" not in json.dumps(overview(running))


def test_only_the_last_fifty_decisions_are_kept(running: Running) -> None:
    for _ in range(52):
        assert ask(running).status_code == 200
    assert len(overview(running)["decisions"]) == 50


def test_reasons_are_told_to_the_key_that_asked(proxy: MakeProxy) -> None:
    running = proxy()
    own, other = running.create_key("own", daily_usd=2.0), running.create_key("other")
    assert ask(running, bearer(own), messages=ASK_PREMIUM).status_code == 200
    mine, theirs = overview(running, bearer(own)), overview(running, bearer(other))
    assert mine["decisions"][0]["reasons"] == ["'prove'"]
    assert theirs["decisions"][0]["reasons"] is None
    assert theirs["decisions"][0]["tier"] == "premium"
    assert [each["scope"] for each in mine["status"]["budgets"]] == [f"key:{own.key.key_id}"]
    assert theirs["status"]["budgets"] == []


def test_keys_of_the_upstream_are_masked(running: Running) -> None:
    desk = running.service.desk
    assert desk is not None
    desk.generation.core.alarms.sound("a test", "the key is ga_standard_0123456789")
    assert overview(running)["status"]["alarms"][0]["words"] == "the key is ***"


def test_without_its_database_the_proxy_tells_the_rest(running: Running) -> None:
    assert ask(running).status_code == 200
    desk = running.service.desk
    assert desk is not None
    desk.books.state.database.close()
    path = running.state_url.removeprefix("sqlite:///")
    with open(path, "r+b") as file:  # noqa: PTH123
        file.write(b"no database any more")
    told = overview(running)
    assert (told["ledger"], told["today"], told["read_at"]) == ("unavailable", None, None)
    assert told["decisions"][0]["tier"] == "cheap"
    assert told["status"]["status"] in ("ok", "degraded")


def test_the_overview_can_only_be_read(running: Running) -> None:
    assert httpx2.post(f"{running.url}/overview", timeout=PATIENCE, trust_env=False).status_code == 405


# ---------------------------------------------------------------------------------------------- day and hours


def row(number: int, at: float, **values: Any) -> LedgerRow:
    known = {
        "requested": "auto", "chosen_by": ChosenBy.POLICY, "model": CHEAP, "channel": "standard",
        "outcome": Outcome.ANSWERED, "tier": "cheap", "input_tokens": 600_000, "output_tokens": 400_000,
        "usd": 0.25, "first_token_seconds": 0.5, "total_seconds": 1.0,
    }  # fmt: skip
    return LedgerRow(attempt_id=f"{number:032x}", request_id=f"r{number}", at=at, **{**known, **values})


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    url = f"sqlite:///{tmp_path_factory.mktemp('day') / 'state.db'}"
    migrate(url)
    with State.open(url) as opened:
        yield opened


async def test_hours_that_are_over_are_remembered_and_read_anew_later(state: State) -> None:
    midnight, now = 1_795_305_600.0, [1_795_305_600.0 + 5 * 3600]
    clock = [0.0]
    board = DayBoard(state.totals, lambda: now[0], lambda: clock[0])
    state.ledger.append([row(1, midnight + 60), row(2, now[0] - 60), row(3, midnight - 1)])
    await board.look(UTC, PATIENCE)
    assert board.figures is not None
    assert [hour.label for hour in board.figures.hours] == [f"0{n}:00" for n in range(6)]
    assert counted(board) == [1, 0, 0, 0, 1, 0]
    state.ledger.append([row(4, midnight + 61), row(5, now[0])])
    await board.look(UTC, PATIENCE)
    assert counted(board) == [1, 0, 0, 0, 1, 0]  # no sooner than some seconds later
    clock[0] += 100
    await board.look(UTC, PATIENCE)
    assert counted(board) == [1, 0, 0, 0, 1, 1]
    now[0] += 700
    clock[0] += 100
    await board.look(UTC, PATIENCE)
    assert counted(board) == [2, 0, 0, 0, 1, 1]


def counted(board: DayBoard) -> list[int]:
    assert board.figures is not None
    return [sum(each.requests for each in hour.tiers.values()) for hour in board.figures.hours]


async def test_a_new_day_begins_with_nothing(state: State) -> None:
    now, clock = [1_795_305_600.0 - 10], [0.0]
    board = DayBoard(state.totals, lambda: now[0], lambda: clock[0])
    state.ledger.append([row(1, now[0])])
    await board.look(UTC, PATIENCE)
    assert sum(counted(board)) == 1
    now[0], clock[0] = now[0] + 20, 100.0
    await board.look(UTC, PATIENCE)
    assert counted(board) == [0]


async def test_who_looks_waits_no_longer_than_its_patience_and_shares_the_reading(state: State) -> None:
    board = DayBoard(state.totals, time.time)
    await asyncio.gather(*(board.look(UTC, 0.0) for _ in range(5)))
    await board.look(UTC, PATIENCE)
    assert board.figures is not None


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [("UTC", 1_795_380_000, 24), ("Europe/Berlin", 1_792_925_000, 25), ("Europe/Berlin", 1_774_780_000, 23)],
    ids=["a usual day", "clocks go back", "clocks go forward"],
)
def test_days_have_the_hours_that_they_have(zone: str, at: float, hours: int) -> None:
    assert len(day_hours(at, ZoneInfo(zone))) == hours


def test_savings_are_told_for_each_tier_against_balanced() -> None:
    def once(usd: float) -> TierTotals:
        return TierTotals(requests=1, input_tokens=600_000, output_tokens=400_000, known_usd=usd)

    hour = HourTotals(0.0, "00:00", {"cheap": once(0.25), "premium": once(2.5)})
    told = DayOverview((hour,), {}, RouterConfig(), {}).as_dict()
    saved = {each["tier"]: each["saved_over_balanced_usd"] for each in told["tiers"]}
    assert saved.pop("named") is None
    assert saved == pytest.approx({"cheap": 0.03, "balanced": 0.0, "premium": -2.22})
    assert told["always_usd"] == pytest.approx({"cheap": 0.5, "balanced": 0.56, "premium": 5.0})
    assert told["routed_usd"] == 2.75
