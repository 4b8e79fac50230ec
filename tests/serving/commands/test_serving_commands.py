"""serve, keys and migrate from their words: what they print, and one line for each mistake."""

import json
from pathlib import Path

import pytest

from serving.cli import main
from tests.serving.conftest import ENVIRON


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder that is gone after the test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("TIERWISE_STATE_URL", raising=False)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "data" / "tierwise"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "proxy.toml"


@pytest.mark.parametrize(
    ("settings", "arguments", "says"),
    [
        ("[proxy]\nprot = 1\n", [], "proxy.prot: unknown key; known here: host, port, max_body_bytes"),
        ("[proxy]\nport = 'a'\n", [], "proxy.port: 'a': input should be a valid integer"),
        ("", ["--host", "0.0.0.0"], "there are no API keys: create one with"),  # noqa: S104
        ("[budgets]\ntime_zone = 'Mars'\n", [], "budgets.time_zone: 'Mars' is no time zone"),
        (
            "[budgets]\nwhen_reached = 'cry'\n",
            [],
            "budgets.when_reached: 'cry': input should be 'down",
        ),
        ("[state]\nurl = 'mysql://a'\n", [], "'mysql' is not a database that state can live in"),
        ("[prox]\n", [], "proxy, state, budgets, pacing, cache, break_glass"),
        ("[state]\njournal = '/proc/journal'\n", ["--port", "0"], "/proc/journal: no journal can be kept"),
        ("[pacing]\nprofile = [1, 2]\n", [], "pacing.profile: 2 numbers: give one for each hour, 24"),
        ("[pacing]\nenabeld = true\n", [], "pacing.enabeld: unknown key; known here: enabled, profile, by"),
        ("x = [", [], "not TOML"),
        ("", ["--host", "256.1.1.1"], "there are no API keys"),
    ],
)
def test_what_is_set_up_wrongly_is_said_in_one_line(
    config: Path, settings: str, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(settings)
    assert main(["serve", "--config", str(config), *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert says in err


def test_a_key_is_created_listed_and_revoked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terms = ["--tiers", "cheap", "balanced", "--rpm", "20", "--daily-usd", "0.5"]
    assert main(["keys", "create", "a team", *terms, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["secret"].startswith(f"tw_{made['key_id']}_")
    assert (made["allowed_tiers"], made["daily_usd"]) == (["cheap", "balanced"], 0.5)
    assert (home / "state.db").exists()
    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert "a team  tiers cheap, balanced  20 requests a minute  $0.5 a day" in listed
    assert made["secret"] not in listed
    assert main(["keys", "revoke", made["key_id"]]) == 0
    assert "revoked" in capsys.readouterr().out
    assert made["secret"].encode() not in (home / "state.db").read_bytes()


def test_mistakes_with_keys_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["create", " "],
        ["create", "x", "--tiers", "cheap", "--floor", "premium"],
        ["revoke", "no"],
    ):
        assert main(["keys", *arguments]) == 1
        err = capsys.readouterr().err
        assert err.startswith("error: ")
        assert len(err.splitlines()) == 1


def test_migrate_creates_and_then_has_nothing_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == f"sqlite:{home / 'state.db'}: created\n"
    assert main(["migrate"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_the_url_of_the_environment_counts_where_the_file_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERWISE_STATE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == f"sqlite:{tmp_path / 'other.db'}: created\n"


def test_check_says_how_the_database_is(config: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text('base_url = "http://127.0.0.1:9/v1"\n')
    main(["check", "--config", str(config)])
    assert f"sqlite:{home / 'state.db'}  not there yet: serve creates it" in capsys.readouterr().out
    main(["migrate"])
    capsys.readouterr()
    main(["check", "--config", str(config), "--json"])
    assert json.loads(capsys.readouterr().out)["state"] == {
        "database": f"sqlite:{home / 'state.db'}",
        "api_keys": 0,
        "trouble": "",
    }
    config.write_text("[state]\nurl = 'postgresql://u:hidden@127.0.0.1:1/x'\n")
    assert main(["check", "--config", str(config)]) == 1
    out = capsys.readouterr().out
    assert "postgresql://127.0.0.1:1/x" in out
    assert "hidden" not in out


def test_check_says_that_a_direct_providers_key_or_the_model_file_is_not_there(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(
        'base_url = "http://127.0.0.1:9/v1"\n[break_glass.cheap]\nbase_url = "http://127.0.0.1:9/v1"\n'
        'model = "m"\nkey_variable = "NO_SUCH_KEY"\nprice = { input = 1, output = 2 }\nusd_per_day = 3\n'
    )
    assert main(["check", "--config", str(config), "--model-file", str(tmp_path / "none")]) == 1
    out = capsys.readouterr().out
    assert "NO_SUCH_KEY is not set, and [break_glass] names it" in out
    assert f"{tmp_path / 'none'}  cannot be used; balanced answers instead" in out
