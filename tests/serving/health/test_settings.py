"""The settings as a TOML file gives them, and what is wrong with them in one line."""

from pathlib import Path

import pytest

from classifier import Tier
from serving import ConfigError, RouterConfig


def load(folder: Path, text: str) -> RouterConfig:
    path = folder / "router.toml"
    path.write_text(text)
    return RouterConfig.load(path)


def test_all_of_it_can_be_set(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        [breaker]
        window_seconds = 60
        minimum_calls = 20
        error_rate = 0.3
        slow_seconds = 6
        slow_rate = 0.4
        minimum_slow = 8
        cooldown_seconds = 5
        longest_cooldown_seconds = 120
        probes = 1

        [limits]
        requests_per_minute = { standard = 50 }
        longest_wait_seconds = 0.5
        longest_retry_after_seconds = 300

        [tiers.premium]
        first_byte_seconds = 30
        deadline_seconds = 120
        objective_seconds = 4
        """,
    )
    assert (config.breaker.window_seconds, config.breaker.probes) == (60.0, 1)
    assert (config.limits.requests_per_minute.standard, config.limits.requests_per_minute.pro) == (50, None)
    assert (config.first_byte(Tier.PREMIUM), config.deadline(Tier.PREMIUM)) == (30.0, 120.0)
    assert (config.first_byte(Tier.CHEAP), config.deadline(None)) == (10.0, 300.0)
    assert config.tiers.premium.fallback == ("balanced", "cheap")


def test_by_default_circuits_are_on_and_nothing_is_limited() -> None:
    config = RouterConfig()
    assert config.breaker.enabled
    assert config.limits.requests_per_minute.standard is None
    assert [config.tier(tier).objective_seconds for tier in Tier] == [None] * 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[breaker]\nerror_rate = 0", "breaker.error_rate: 0: input should be greater than 0"),
        ("[breaker]\nerror_rate = 50", "breaker.error_rate: 50: input should be less than or equal to 1"),
        ("[breaker]\ntreshold = 0.5", "breaker.treshold: unknown key; known here: enabled, window_seconds"),
        ("[breaker]\nprobes = 1.5", "breaker.probes: 1.5: input should be a valid integer"),
        (
            "[limits]\nrequests_per_minute = 50",
            "requests_per_minute: 50 for which channel? Write it like { standard = 50 }",
        ),
        (
            "[limits.requests_per_minute]\npremium = 50",
            "limits.requests_per_minute.premium: unknown key; known here: standard, pro",
        ),
        (
            "[tiers.premium]\nobjective_seconds = 12",
            "tiers.premium.objective_seconds: 12 must be less than the 10 s of first_byte_seconds",
        ),
        ("[tiers.cheap]\nfirst_byte_seconds = 0", "tiers.cheap.first_byte_seconds: 0: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert says in f"{caught.value}"
    assert "\n" not in f"{caught.value}"
