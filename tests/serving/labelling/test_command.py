"""Whole runs over real HTTP: what is sent, what is written, what goes wrong and how it is told."""

import io
from dataclasses import replace

import pytest

from serving.errors import KeyMissingError, LabellingError
from serving.labelling.errors import JournalError, NotConfirmed
from serving.labelling.redaction import Redactor
from serving.sandbox import (
    BrokenJson,
    EndAfter,
    Fault,
    NoUsage,
    Reset,
    ResetAfter,
    Says,
    Silence,
    Status,
    StreamError,
)
from tests.serving.labelling.conftest import BALANCED, CHEAP, ENVIRON, JUDGE, PREMIUM, Bench

GOOD = '{"comparison": "fine", "score_1": 5, "score_2": 3, "score_3": 1}'


def test_every_prompt_is_answered_by_three_and_judged_by_one(bench: Bench) -> None:
    assert bench.run(bench.prompts(4)) == 0
    assert [len(bench.bodies(model)) for model in (CHEAP, BALANCED, PREMIUM, JUDGE)] == [4, 4, 4, 4]
    assert {body["max_tokens"] for body in bench.bodies(CHEAP)} == {50}
    assert [row["id"] for row in bench.rows] == ["0", "1", "2", "3"]
    for row in bench.rows:
        assert all(0 <= row[f"score:{tier}"] <= 1 for tier in ("cheap", "balanced", "premium"))
        assert row["usd:cheap"] < row["usd:premium"]
        assert row["tokens:premium"] > 0
        assert "simulated" not in row
    assert bench.report["labelled"] == 4
    assert bench.report["remaining"] == 0


def test_dollars_are_the_routers_own_and_add_up(bench: Bench) -> None:
    bench.run(bench.prompts(3))
    answered = [entry["reply"] for entry in bench.entries if entry["entry"] == "answered"]
    assert bench.report["charged_usd"] == pytest.approx(sum(reply["charged_usd"] for reply in answered))
    assert all(reply["charged_usd"] == reply["usd"] for reply in answered)
    row = bench.rows[0]
    assert row["usd:cheap"] == pytest.approx(row["tokens:cheap"] * 0.25 / 1e6)


def test_the_judge_is_bound_by_a_schema_and_does_not_learn_who_answered(bench: Bench) -> None:
    bench.run(bench.prompts(1))
    (body,) = bench.bodies(JUDGE)
    bound = body["response_format"]
    assert (bound["type"], bound["json_schema"]["strict"]) == ("json_schema", True)
    assert bound["json_schema"]["schema"]["properties"]["score_3"]["maximum"] == 5
    rubric, request = (message["content"] for message in body["messages"])
    assert all(tier not in rubric + request for tier in ("cheap", "balanced", "premium"))
    assert request.count("begin answer") == 3


def test_the_same_command_again_asks_for_nothing(bench: Bench) -> None:
    bench.run(bench.prompts(3))
    written, entries = bench.out.read_bytes(), bench.entries
    bench.sandbox.clear()
    assert bench.run(bench.prompts(3), environ={**ENVIRON}) == 0
    assert bench.sandbox.requests == ()
    assert bench.out.read_bytes() == written
    assert bench.entries == entries


def test_appended_and_reordered_prompts_ask_only_for_what_is_new(bench: Bench) -> None:
    bench.run(bench.prompts(3))
    bench.sandbox.clear()
    assert bench.run(tuple(reversed(bench.prompts(5)))) == 0
    assert len(bench.bodies()) == 2 * 4
    assert [row["id"] for row in bench.rows] == ["4", "3", "2", "1", "0"]


def test_a_larger_share_judged_twice_adds_the_second_judgements_alone(bench: Bench) -> None:
    bench.run(bench.prompts(3))
    bench.sandbox.clear()
    bench.settings = replace(bench.settings, judge_twice=1.0)
    assert bench.run(bench.prompts(3)) == 0
    assert len(bench.bodies(JUDGE)) == len(bench.bodies()) == 3
    assert bench.report["agreement"]["grades"] == 9


def test_the_second_judgement_sees_the_answers_in_reversed_order(bench: Bench) -> None:
    bench.settings = replace(bench.settings, judge_twice=1.0)
    bench.run(bench.prompts(1))
    first, second = (body["messages"][1]["content"] for body in bench.bodies(JUDGE))
    assert _shown(first) == list(reversed(_shown(second)))
    assert bench.report["agreement"]["prompts"] == 1


def _shown(request: str) -> list[str]:
    return [part.split(";")[0] for part in request.split("(Simulated answer of ")[1:]]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Says("I would rather not.", refusal=True), "the judge refused"),
        (Says("", "content_filter"), "the judge refused"),
        (Says('{"comparison": "it', "length"), "the judge's reply was cut off: raise --judge-max-tokens"),
        (Says("Answer 1 is best."), "the judge's reply is not JSON"),
        (Says('{"score_1": 5, "score_2": 4}'), "the judge's reply lacks a grade from 1 to 5"),
    ],
    ids=["refusal", "filtered", "truncated", "prose", "a grade short"],
)
def test_a_judge_that_cannot_be_read_twice_leaves_the_prompt_unjudged(
    bench: Bench, fault: Fault, reason: str
) -> None:
    bench.sandbox.script(JUDGE, fault, fault)
    assert bench.run(bench.prompts(2), concurrency=1) == 0
    assert bench.report["unjudged"] == {reason: 1}
    assert [row["id"] for row in bench.rows] == ["1"]
    first, again, _ = (body["messages"][1]["content"] for body in bench.bodies(JUDGE))
    assert again.startswith(first)
    assert "could not be read" in again.removeprefix(first)


@pytest.mark.parametrize(
    ("refusals", "bound_by"),
    [
        ([], ["json_schema", "json_schema", "json_schema"]),
        ([400], ["json_schema", "json_object", "json_object", "json_object"]),
        ([422, 400], ["json_schema", "json_object", None, None, None]),
    ],
    ids=["takes a schema", "takes json_object", "takes neither"],
)
def test_a_judge_is_bound_by_what_it_takes_and_that_is_remembered(
    bench: Bench, refusals: list[int], bound_by: list[str | None]
) -> None:
    bench.sandbox.script(JUDGE, *map(Status, refusals), *[Says(GOOD)] * 3)
    assert bench.run(bench.prompts(3), concurrency=1) == 0
    assert [body.get("response_format", {}).get("type") for body in bench.bodies(JUDGE)] == bound_by
    assert bench.report["labelled"] == 3
    failed = [entry for entry in bench.entries if entry["entry"] == "failed"]
    assert [entry["charged_usd"] for entry in failed] == [0.0] * len(refusals)
    assert len([entry for entry in bench.entries if entry["entry"] == "sent"]) == len(bench.bodies())
    answered = [entry["reply"]["charged_usd"] for entry in bench.entries if entry["entry"] == "answered"]
    assert bench.report["charged_usd"] == pytest.approx(sum(answered))


def test_a_judge_that_refuses_every_form_is_told_of_and_the_answers_are_kept(bench: Bench) -> None:
    bench.sandbox.always(JUDGE, Status(400))
    assert bench.run(bench.prompts(1)) == 1
    assert len(bench.bodies(JUDGE)) == 3
    (reason,) = bench.report["failed"]
    assert reason.startswith(f"{JUDGE}: status 400")
    assert "nor without response_format: --judge names another" in reason
    bench.sandbox.clear()
    assert bench.run(bench.prompts(1)) == 0
    assert [len(bench.bodies(model)) for model in (CHEAP, BALANCED, PREMIUM, JUDGE)] == [0, 0, 0, 1]


def test_a_refusal_after_a_judgement_is_about_the_prompt(bench: Bench) -> None:
    bench.sandbox.script(JUDGE, Says(GOOD), Status(400))
    assert bench.run(bench.prompts(3), concurrency=1) == 1
    assert len(bench.bodies(JUDGE)) == 3
    assert bench.report["labelled"] == 2
    (reason,) = bench.report["failed"]
    assert "--judge" not in reason


def test_an_unjudged_prompt_is_not_paid_for_again(bench: Bench) -> None:
    bench.sandbox.script(JUDGE, Says("no"), Says("no"))
    bench.run(bench.prompts(1))
    bench.sandbox.clear()
    assert bench.run(bench.prompts(1)) == 0
    assert bench.sandbox.requests == ()
    assert not bench.out.exists()


def test_a_second_reply_of_the_judge_that_can_be_read_counts(bench: Bench) -> None:
    bench.sandbox.script(JUDGE, Says("hm"), Says(GOOD))
    assert bench.run(bench.prompts(1)) == 0
    scores = [bench.rows[0][f"score:{tier}"] for tier in ("cheap", "balanced", "premium")]
    assert sorted(scores) == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    "fault",
    [
        Status(429),
        Status(500),
        Status(503),
        Reset(),
        ResetAfter(2),
        BrokenJson(),
        EndAfter(2),
        StreamError(1),
    ],
    ids=lambda fault: f"{fault}",
)
def test_a_passing_failure_is_tried_again(bench: Bench, fault: Fault) -> None:
    bench.sandbox.script(CHEAP, fault, fault)
    assert bench.run(bench.prompts(1)) == 0
    assert len(bench.bodies(CHEAP)) == 3
    assert bench.clock.slept == [1.0, 2.0]
    assert bench.report["labelled"] == 1


def test_the_server_says_how_long_to_wait(bench: Bench) -> None:
    bench.sandbox.script(CHEAP, Status(429, retry_after=17))
    assert bench.run(bench.prompts(1)) == 0
    assert bench.clock.slept == [17.0]


def test_a_pause_that_the_server_asks_for_holds_for_all(bench: Bench) -> None:
    bench.sandbox.script("*", Status(429, retry_after=5))
    assert bench.run(bench.prompts(3), concurrency=1) == 0
    assert bench.clock.slept == [5.0]


def test_attempts_are_bounded_and_the_next_run_asks_again(bench: Bench) -> None:
    bench.sandbox.always(PREMIUM, Status(503))
    assert bench.run(bench.prompts(1)) == 1
    assert len(bench.bodies(PREMIUM)) == 6
    assert "status 503" in next(iter(bench.report["failed"]))
    bench.sandbox.clear()
    assert bench.run(bench.prompts(1)) == 0
    assert [len(bench.bodies(model)) for model in (CHEAP, BALANCED, PREMIUM, JUDGE)] == [0, 0, 1, 1]


def test_an_hour_of_waiting_ends_the_run(bench: Bench) -> None:
    bench.sandbox.always("*", Status(429, retry_after=3600))
    assert bench.run(bench.prompts(5), concurrency=1) == 1
    assert len(bench.bodies()) == 1
    assert "asks to wait 3,600 s" in bench.report["stopped"]["reason"]


@pytest.mark.parametrize("code", [401, 402, 404])
def test_what_every_call_would_meet_ends_the_run_at_once(bench: Bench, code: int) -> None:
    bench.sandbox.always("*", Status(code))
    assert bench.run(bench.prompts(20), concurrency=2) == 1
    assert len(bench.bodies()) <= 2
    assert f"status {code}" in bench.report["stopped"]["reason"]


def test_a_run_whose_prompts_all_fail_is_ended(bench: Bench) -> None:
    bench.sandbox.always(CHEAP, Status(400))
    assert bench.run(bench.prompts(20), concurrency=1) == 1
    assert len(bench.bodies()) == 5
    assert bench.report["stopped"]["why"] == "too many failures in a row"
    assert bench.report["charged_usd"] == 0


def test_an_answer_that_never_came_is_charged_at_its_upper_bound(bench: Bench) -> None:
    bench.config = bench.config.model_copy(update={"first_byte_seconds": 0.2})
    bench.sandbox.script(PREMIUM, Silence())
    assert bench.run(bench.prompts(1)) == 0
    (failed,) = [entry for entry in bench.entries if entry["entry"] == "failed"]
    sent = next(entry for entry in bench.entries if entry.get("call") == failed["call"])
    assert failed["charged_usd"] == sent["bound_usd"] > 0
    assert bench.report["charged_at_upper_bound"] == {"calls": 1, "usd": failed["charged_usd"]}


def test_an_answer_without_usage_is_charged_at_its_upper_bound(bench: Bench) -> None:
    bench.sandbox.script(CHEAP, NoUsage())
    bench.run(bench.prompts(1))
    cheap, *_ = [entry["reply"] for entry in bench.entries if entry["entry"] == "answered"]
    assert cheap["estimated"] is True
    assert 0 < cheap["usd"] < cheap["charged_usd"]


def test_the_redactor_reads_all_that_is_sent(bench: Bench) -> None:
    redactor = Redactor("upper", str.upper)
    assert bench.run(bench.prompts(2), redactor=redactor) == 0
    for body in bench.bodies(CHEAP):
        assert body["messages"] == [{"role": "user", "content": body["messages"][0]["content"].upper()}]
    request = bench.bodies(JUDGE)[0]["messages"][1]["content"]
    assert "(SIMULATED ANSWER OF" in request
    assert "question" not in request
    assert bench.rows[0]["prompt"] == "question number 0?"


def test_what_the_redactor_fails_on_is_not_sent(bench: Bench) -> None:
    assert bench.run(bench.prompts(3), redactor=Redactor("odd", _refuses_one)) == 1
    assert len(bench.rows) == 2
    assert bench.report["not_sent"] == {"the redactor failed: KeyError: 'no such name'": 1}
    assert all("number 1" not in body["messages"][-1]["content"] for body in bench.bodies())


def _refuses_one(text: str) -> str:
    names: dict[str, str] = {}
    return names["no such name"] if "number 1" in text else text


def test_nothing_is_sent_without_a_yes(bench: Bench) -> None:
    with pytest.raises(NotConfirmed, match="add --yes to confirm"):
        bench.run(bench.prompts(2), confirmed=False)
    assert bench.sandbox.requests == ()
    assert list(bench.out.parent.iterdir()) == []


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


def test_a_typed_yes_confirms(bench: Bench) -> None:
    assert bench.run(bench.prompts(1), confirmed=False, stdin=Terminal("y\n"), as_json=False) == 0
    told = bench.printed
    assert f"sent to {bench.sandbox.url}, where these models read them" in told
    assert all(model in told for model in (CHEAP, BALANCED, PREMIUM, JUDGE))
    assert told.index("Send them? [y/N]") < told.index("labelled ")
    assert "warning" not in told


@pytest.mark.parametrize("typed", ["n\n", "\n", ""], ids=["no", "enter", "end of file"])
def test_anything_but_a_yes_does_not(bench: Bench, typed: str) -> None:
    with pytest.raises(NotConfirmed, match="not confirmed"):
        bench.run(bench.prompts(1), confirmed=False, stdin=Terminal(typed))
    assert bench.sandbox.requests == ()


def test_a_judge_among_the_candidates_is_warned_of(bench: Bench) -> None:
    bench.settings = replace(bench.settings, judge=PREMIUM)
    bench.run(bench.prompts(1), as_json=False)
    assert "to prefer their own answers" in bench.printed
    assert "judged its own answers too" in bench.printed


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({}, "GLOBAL_API_KEY is not set"),
        ({"GLOBAL_API_KEY": "ga_1"}, "GLOBAL_API_PRO_KEY is not set, and Pro/"),
    ],
    ids=["none", "no Pro key"],
)
def test_a_missing_key_is_told_before_anything_is_sent(
    bench: Bench, environ: dict[str, str], variable: str
) -> None:
    with pytest.raises(KeyMissingError, match=variable):
        bench.run(bench.prompts(1), environ=environ)
    assert bench.sandbox.requests == ()


def test_other_settings_are_refused_by_name(bench: Bench) -> None:
    bench.run(bench.prompts(1))
    bench.settings = replace(bench.settings, max_tokens=60)
    with pytest.raises(JournalError, match=r"max_tokens was 50 and is now 60: keep them to go on"):
        bench.run(bench.prompts(1))


def test_a_file_that_is_not_ours_is_left_alone(bench: Bench) -> None:
    bench.out.write_text("precious\n")
    with pytest.raises(JournalError, match="choose another --out"):
        bench.run(bench.prompts(1))
    assert bench.out.read_text() == "precious\n"


def test_a_folder_that_does_not_exist_is_told_before_anything_is_sent(bench: Bench) -> None:
    with pytest.raises(JournalError, match="there is no folder"):
        bench.run(bench.prompts(1), out=bench.out.parent / "none" / "out.jsonl")
    with pytest.raises(JournalError, match="is a folder"):
        bench.run(bench.prompts(1), out=bench.out.parent)
    assert bench.sandbox.requests == ()


def test_a_budget_below_one_prompt_is_told_with_one_that_would_do(bench: Bench) -> None:
    with pytest.raises(LabellingError, match=r"does not cover the next prompt.*--budget-usd .* should do"):
        bench.run(bench.prompts(2), budget_usd=0.0001)
    assert bench.sandbox.requests == ()


def test_a_used_up_budget_tells_what_remains_and_how_to_go_on(bench: Bench) -> None:
    prompts, cap = bench.prompts(14), 0.008
    assert bench.run(prompts, budget_usd=cap, concurrency=8) == 1
    report, charged = bench.report, bench.charged_at_any_time()
    assert report["stopped"]["why"] == "budget used up"
    assert 0 < report["labelled"] == len(bench.rows) < 14
    assert report["remaining"] == 14 - report["labelled"]
    assert max(charged) <= cap
    assert charged[-1] == pytest.approx(report["charged_usd"])
    words = report["go_on"].split()
    assert words[:5] == ["python", "-m", "serving", "label", "p.jsonl"]
    assert bench.run(prompts, budget_usd=float(words[-1])) == 0
    assert len(bench.bodies()) == 4 * 14


def test_lost_answers_count_against_the_budget_too(bench: Bench) -> None:
    bench.sandbox.always(PREMIUM, ResetAfter(1))
    assert bench.run(bench.prompts(6), budget_usd=0.01, concurrency=4) == 1
    charged = bench.charged_at_any_time()
    assert max(charged) <= 0.01
    assert bench.report["charged_at_upper_bound"]["calls"] > 3
