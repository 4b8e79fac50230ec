import json
from pathlib import Path

import pytest

from serving.cli import main
from serving.state import State
from serving.state.migrate import migrate
from tests.serving.spending.logged import a_request, an_attempt


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger of a hundred requests on two days, one of them by a key with a name."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    with State.open(url) as state:
        key = state.api_keys.create("checkout", at=0.0).key
        state.ledger.append([an_attempt(number) for number in range(98)])
        state.ledger.append([an_attempt(98, key_id=key.key_id)])
        state.ledger.append(a_request(99 + 86_400, {"usd": 0.5}))
    return url


def test_it_prints_what_was_spent(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--state", url]) == 0
    out = capsys.readouterr().out
    assert "requests   100 in 100 attempts" in out
    assert "spent      $0.524750" in out
    assert "first row to now, days of UTC" in out


@pytest.mark.parametrize(
    ("days", "requests"),
    [
        (["--since", "2026-11-23"], 1),
        (["--until", "2026-11-22"], 99),
        (["--since", "2026-11-22", "--until", "2026-11-23"], 100),
        (["--until", "2026-11-21"], 0),
    ],
)
def test_days_are_whole_and_inclusive(
    url: str, days: list[str], requests: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--state", url, "--json", *days]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["requests"] == requests


def test_an_empty_span_says_so(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--state", url, "--since", "2027-01-01"]) == 0
    assert "no requests" in capsys.readouterr().out


def test_keys_go_by_their_names_in_text_and_csv(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--state", url, "--by", "key", "--csv", str(tmp_path / "keys.csv")]) == 0
    assert " checkout " in capsys.readouterr().out
    assert ",checkout,1,1," in (tmp_path / "keys.csv").read_text()


def test_settings_give_prices_zone_and_database(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "proxy.toml"
    settings.write_text(
        f'[state]\nurl = "{url}"\n[budgets]\ntime_zone = "Pacific/Auckland"\n[prices]\n"x/y" = 10.0\n'
    )
    assert main(["report", "--config", str(settings), "--by", "day", "--against", "x/y", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["groups"]) == ["2026-11-22", "2026-11-23"]
    assert told["against"]["usd"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--against", "nobody/x"], 'no price is configured for it; add prices."nobody/x"'),
        (["--state", "sqlite:////no/such/state.db"], "there is no such database yet"),
        (["--state", "mysql://x"], "postgresql://"),
        (["--csv", "/no/such/report.csv"], "there is no folder /no/such"),
        (["--since", "2026-11-22", "--until", "2026-11-21"], "--until 2026-11-21 is before --since"),
    ],
    ids=["no price", "no database", "another database", "no folder", "days the wrong way round"],
)
def test_a_mistake_is_one_line(
    url: str, arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--state", url, *arguments]) == 1
    err = capsys.readouterr().err
    assert problem in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "0001-01-01"])
def test_a_day_that_is_none_is_refused(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["report", "--since", day])
    assert "is no day: write it like 2026-11-22" in capsys.readouterr().err
