import json
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from classifier import Decision, Tier
from serving import Attempt, Cost, Latency, Routing, RoutingMissingError, Tokens, routing_of
from serving.chain import Skipped
from serving.keys import Channel
from serving.routing import Reasons, attach

DECISION = Decision(Tier.CHEAP, (0.8, 0.15, 0.05), 0.2, 0.9, "risk at most 0.25", "0123456789ab")


def record(**changes: Any) -> Routing:
    usual: dict[str, Any] = {
        "requested": "auto",
        "tier": Tier.CHEAP,
        "decision": DECISION,
        "planned": "a/small",
        "model": "b/medium",
        "channel": Channel.STANDARD,
        "attempts": (
            Attempt("a/small", Channel.STANDARD, 0.5, "status 429: slow down", 429),
            Attempt("b/medium", Channel.STANDARD, 1.25),
        ),
        "skipped": (Skipped("Pro/c/large", "GLOBAL_API_PRO_KEY is not set"),),
        "latency": Latency(0.0001, 0.75, 1.75),
        "cost": Cost(0.002, Tokens(10, 20)),
    }
    return Routing(**{**usual, **changes})


def test_it_tells_the_probabilities_of_the_decision_or_none() -> None:
    assert record().probabilities == (0.8, 0.15, 0.05)
    assert record(decision=None).probabilities is None


@pytest.mark.parametrize(
    ("model", "fell_back"),
    [("a/small", False), ("b/medium", True), (None, False)],
    ids=["own", "other", "none"],
)
def test_it_fell_back_when_another_model_answered(model: str | None, fell_back: bool) -> None:
    assert record(model=model).fell_back is fell_back


def test_a_failure_is_told_in_one_line_with_every_model() -> None:
    failed = Attempt("b/medium", Channel.STANDARD, 1.25, "timed out")
    attempts = (record().attempts[0], failed)
    assert record(model=None, attempts=attempts).failure() == (
        "no model answered 'auto': a/small (standard, 0.5 s): status 429: slow down; "
        "b/medium (standard, 1.2 s): timed out; Pro/c/large (not tried): GLOBAL_API_PRO_KEY is not set"
    )


def test_it_becomes_json_and_nothing_is_left_out() -> None:
    made: Any = json.loads(json.dumps(record(_reasons=Reasons.known("short")).as_dict()))
    assert made["tier"] == "cheap"
    assert made["reasons"] == ["short"]
    assert made["attempts"][0] == {
        "model": "a/small",
        "channel": "standard",
        "seconds": 0.5,
        "failure": "status 429: slow down",
        "status": 429,
    }
    assert made["skipped"] == [{"model": "Pro/c/large", "reason": "GLOBAL_API_PRO_KEY is not set"}]
    assert made["cost"]["usd"] == 0.002
    assert made["latency"] == {"routing_seconds": 0.0001, "first_token_seconds": 0.75, "total_seconds": 1.75}


def test_reasons_are_worked_out_once_and_only_when_read() -> None:
    asked: list[int] = []

    def explain() -> tuple[str, ...]:
        asked.append(1)
        return ("'prove that'",)

    routing = record(_reasons=Reasons(explain))
    assert asked == []
    assert routing.reasons == routing.reasons == ("'prove that'",)
    assert asked == [1]


def test_reasons_travel_as_words() -> None:
    reasons = pickle.loads(pickle.dumps(Reasons.known("short", "'thanks'")))  # noqa: S301  # our own bytes
    assert repr(reasons) == "Reasons('short', \"'thanks'\")"


def test_what_came_from_no_router_has_no_record() -> None:
    with pytest.raises(RoutingMissingError, match="SimpleNamespace carries no routing record"):
        routing_of(SimpleNamespace(routing="something else"))


def test_a_record_is_found_on_what_wraps_its_holder() -> None:
    routing = record()
    assert routing_of(SimpleNamespace(_raw_stream=SimpleNamespace(routing=routing))) is routing
    assert routing_of(SimpleNamespace(_routed=SimpleNamespace(routing=routing))) is routing


def test_attaching_to_what_holds_no_attributes_is_let_be() -> None:
    attach("text", record())
