import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Tier
from serving import ConfigError, Price, RouterConfig

CHEAP, BALANCED, PREMIUM = (RouterConfig().tier(tier).model for tier in Tier)


def load(tmp_path: Path, toml: str) -> RouterConfig:
    path = tmp_path / "router.toml"
    path.write_text(toml, encoding="utf-8")
    return RouterConfig.load(path)


def test_the_built_in_values_are_the_missions() -> None:
    config = RouterConfig()
    assert config.base_url == "https://global-apis.com/v1"
    assert config.first_byte_seconds == 10
    assert {tier.label: config.tier(tier).model for tier in Tier} == {
        "cheap": "deepseek-ai/DeepSeek-V4-Flash",
        "balanced": "Qwen/Qwen3-32B",
        "premium": "Pro/deepseek-ai/DeepSeek-V3.2",
    }
    assert [config.price(config.tier(tier).model) for tier in Tier] == [
        Price(0.25, 0.25),
        Price(0.28, 0.28),
        Price(2.5, 2.5),
    ]
    assert [config.chain(tier) for tier in Tier] == [
        (CHEAP, BALANCED, PREMIUM),
        (BALANCED, CHEAP, PREMIUM),
        (PREMIUM, BALANCED, CHEAP),
    ]


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "") == RouterConfig()


def test_a_file_names_only_what_differs(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        base_url = "http://127.0.0.1:8000/v1"
        deadline_seconds = 60

        [tiers.premium]
        model = "Pro/deepseek-ai/DeepSeek-R1"

        [tiers.cheap]
        fallback = ["vendor/spare"]

        [prices]
        "Pro/deepseek-ai/DeepSeek-R1" = { input = 0.55, output = 2.19 }
        "vendor/spare" = 0.3
        """,
    )
    assert config.deadline_seconds == 60
    assert config.first_byte_seconds == 10
    assert config.chain(Tier.PREMIUM) == ("Pro/deepseek-ai/DeepSeek-R1", BALANCED, CHEAP)
    assert config.chain(Tier.CHEAP) == (CHEAP, "vendor/spare")
    assert config.price("Pro/deepseek-ai/DeepSeek-R1") == Price(0.55, 2.19)
    assert config.price("vendor/spare") == Price(0.3, 0.3)
    assert config.price("vendor/unknown") is None


def test_a_built_in_price_can_be_replaced(tmp_path: Path) -> None:
    assert load(tmp_path, f'[prices]\n"{CHEAP}" = 0.1').price(CHEAP) == Price(0.1, 0.1)


MISTAKES = {
    "unknown key": ("deadlin_seconds = 1", "deadlin_seconds: unknown key; known here: base_url, "),
    "unknown tier": ('[tiers.medium]\nmodel = "x"', "tiers.medium: unknown key; known here: cheap, "),
    "unknown key of a tier": ('[tiers.cheap]\nmodle = "x"', "tiers.cheap.modle: unknown key; known here: mo"),
    "unknown key of a price": (
        '[prices]\n"a/b" = {input=1, out=1}',
        r'prices\."a/b"\.out: unknown key; known',
    ),
    "half a price": ('[prices]\n"a/b" = {input = 1}', r'prices\."a/b"\.output: missing'),
    "negative time": ("first_byte_seconds = -1", "first_byte_seconds: -1: input should be greater than 0"),
    "endless time": ("deadline_seconds = inf", "deadline_seconds: inf: input should be a finite number"),
    "text for a time": ('deadline_seconds = "x"', "deadline_seconds: 'x': input should be a valid number"),
    "negative price": ('[prices]\n"a/b" = -0.1', r'prices\."a/b"\.input: -0.1: input should be greater'),
    "no url": (
        'base_url = "x.com"',
        "base_url: 'x.com' is no base URL: write it like 'https://global-apis.com",
    ),
    "a name with a space": ('[tiers.cheap]\nmodel = "a b"', "tiers.cheap.model: 'a b' is not a name"),
    "a model without a price": ('[tiers.cheap]\nmodel = "a/b"', r'prices\."a/b": missing, but tiers.cheap u'),
    "a misspelt tier": (
        '[tiers.cheap]\nfallback = ["chep"]',
        r'prices\."?chep"?: missing.*the tiers are',
    ),
    "a table for a number": ("[deadline_seconds]", "deadline_seconds: {}: input should be a valid number"),
    "a number for a table": ("tiers = 3", "tiers: 3: input should be a valid dictionary"),
    "a low ceiling": ("max_price_ratio = 0.5", "max_price_ratio: 0.5: input should be greater than or equal"),
    "no toml": ("base_url = https://x", r"not TOML: Invalid value \(at line 1, column 12\)"),
}


@pytest.mark.parametrize(("toml", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_file_key_and_remedy(tmp_path: Path, toml: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{tmp_path}/router\.toml: {message}") as caught:
        load(tmp_path, toml)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.toml", None, "No such file"),
        ("dir", None, "No such file"),
        ("latin.toml", b"# \xe9", "not UTF-8 at byte 2"),
    ],
    ids=["absent", "absent without suffix", "latin-1"],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content) if content is not None else None
    with pytest.raises(ConfigError, match=message):
        RouterConfig.load(path)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        RouterConfig.load(tmp_path)


@given(st.lists(st.sampled_from(["cheap", "balanced", "premium", CHEAP, BALANCED, PREMIUM]), max_size=6))
def test_a_chain_begins_with_the_tiers_own_model_and_repeats_none(fallback: list[str]) -> None:
    config = RouterConfig.from_dict({"tiers": {"balanced": {"fallback": fallback}}})
    chain = config.chain(Tier.BALANCED)
    assert chain[0] == BALANCED
    assert len(chain) == len(set(chain))
    assert len(chain) <= 3


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        RouterConfig().deadline_seconds = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:99999/v1", id="a port that is none"),
        pytest.param("http://exa..mple/v1", id="a host name that is none"),
        pytest.param("http://[::1/v1", id="an address that is cut short"),
    ],
)
@pytest.mark.parametrize("key", ["base_url", "pro_base_url"])
def test_a_base_url_that_no_call_could_reach_is_refused(key: str, url: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{url!r} is no base URL")):
        RouterConfig.from_dict({key: url})


def test_cached_input_has_a_price_of_its_own(tmp_path: Path) -> None:
    told = f'[prices]\n"{CHEAP}" = {{ input = 0.25, output = 0.25, cached_input = 0.025 }}'
    assert load(tmp_path, told).price(CHEAP) == Price(0.25, 0.25, 0.025)


def test_cached_input_that_is_dearer_than_input_is_refused(tmp_path: Path) -> None:
    told = f'[prices]\n"{CHEAP}" = {{ input = 0.25, output = 0.25, cached_input = 2.5 }}'
    with pytest.raises(ConfigError, match=r"cached_input is 2\.5, more than the 0\.25 of input"):
        load(tmp_path, told)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("pause_seconds = -1", "sessions.pause_seconds: -1: input should be greater"),
        ('tool_turns = "always"', "sessions.tool_turns: 'always': input should be 'keep' or 'cheap'"),
        ("sticky = true", "sessions.sticky: unknown key; known here: enabled, pause_seconds"),
    ],
    ids=["negative", "unknown choice", "unknown key"],
)
def test_what_is_wrong_with_sessions_is_told_in_one_line(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load(tmp_path, f"[sessions]\n{line}")
