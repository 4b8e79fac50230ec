import pytest
from sqlalchemy import select

from serving.errors import ConfigError, StateError
from serving.spending.budget_terms import Budget, Unit
from serving.state.api_key import ApiKey
from serving.state.api_keys import ApiKeys
from serving.state.database import Database
from serving.state.schema import api_keys


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    return ApiKeys(database)


def test_a_key_is_found_by_its_secret_alone(keys: ApiKeys) -> None:
    issued = keys.create(
        " Acme ",
        at=5.0,
        allowed_tiers=["premium", "balanced"],
        floor="balanced",
        requests_per_minute=60,
        daily_usd=12.5,
    )
    expected = ApiKey(issued.key.key_id, "Acme", 5.0, None, ("balanced", "premium"), "balanced", 60, 12.5)
    assert issued.key == expected
    assert keys.find(issued.secret.reveal()) == expected
    assert keys.all() == (expected,)


def test_a_key_without_wishes_may_do_everything(keys: ApiKeys) -> None:
    key = keys.create("Acme", at=5.0).key
    assert keys.all() == (ApiKey(key.key_id, "Acme", 5.0, None, ("cheap", "balanced", "premium")),)
    assert key.budget is None


def test_a_key_carries_its_budget() -> None:
    key = ApiKey("4f1d", "Acme", 5.0, daily_usd=0.29)
    assert key.budget == Budget("key:4f1d", Unit.USD, 290_000)


def test_keys_are_listed_oldest_first(keys: ApiKeys) -> None:
    for at in (3.0, 1.0, 2.0):
        keys.create(f"at {at:g}", at=at)
    assert [key.name for key in keys.all()] == ["at 1", "at 2", "at 3"]


def test_the_secret_is_stored_nowhere_and_shown_nowhere(keys: ApiKeys, database: Database) -> None:
    issued = keys.create("Acme", at=5.0)
    prefix, key_id, random = issued.secret.reveal().split("_", 2)
    assert (prefix, key_id, len(random)) == ("tw", issued.key.key_id, 43)
    with database.reading() as connection:
        stored = str(connection.execute(select(api_keys)).all())
    assert random not in stored
    assert random not in repr(issued)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda secret: secret[:-1],
        lambda secret: secret + "A",
        lambda secret: secret.swapcase(),
        lambda secret: "tw_000000000000_" + secret.split("_", 2)[2],
        lambda secret: secret.replace("tw_", "sk-"),
        lambda secret: "tw_" + "\0" + secret[3:],
        lambda secret: secret[:-1] + "\ud800",
        lambda _: "",
        lambda _: "tw__",
        lambda secret: secret + "A" * 10_000_000,
    ],
    ids=["shorter", "longer", "case", "unknown id", "prefix", "NUL", "surrogate", "empty", "bare", "huge"],
)
def test_another_secret_finds_nothing(keys: ApiKeys, mangle: object) -> None:
    secret = keys.create("Acme", at=5.0).secret.reveal()
    assert callable(mangle)
    assert keys.find(mangle(secret)) is None


def test_a_revoked_key_is_listed_and_not_found(keys: ApiKeys) -> None:
    issued = keys.create("Acme", at=5.0)
    assert keys.revoke(issued.key.key_id, at=9.0).revoked_at == 9.0
    assert keys.find(issued.secret.reveal()) is None
    assert [key.revoked_at for key in keys.all()] == [9.0]
    assert keys.revoke(issued.key.key_id, at=11.0).revoked_at == 9.0


def test_revoking_an_unknown_key_is_told(keys: ApiKeys) -> None:
    with pytest.raises(StateError, match="there is no API key 'abc'"):
        keys.revoke("abc", at=9.0)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"name": "  "}, "needs a name"),
        ({"allowed_tiers": []}, "needs at least one allowed tier"),
        ({"allowed_tiers": ["dear"]}, "tiers of an API key: .*dear"),
        ({"floor": "dear"}, "tiers of an API key: .*dear"),
        (
            {"allowed_tiers": ["cheap"], "floor": "premium"},
            "floor 'premium' is not among the allowed tiers cheap",
        ),
        ({"requests_per_minute": 0}, "requests per minute: 0 is out of range"),
        ({"daily_usd": -1.0}, "daily budget: -1.0 is out of range"),
        ({"daily_usd": float("nan")}, "daily budget: nan is out of range"),
    ],
    ids=["name", "no tier", "tier", "floor", "floor outside", "rate", "budget", "budget that is no number"],
)
def test_what_makes_no_sense_is_refused(keys: ApiKeys, wish: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        keys.create(**{"name": "Acme", "at": 5.0} | wish)  # type: ignore[arg-type]
    assert keys.all() == ()
