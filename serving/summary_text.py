"""A router's summary as the commands print it: dollars against each single tier, and latencies."""

from collections.abc import Iterator

from classifier import TIERS, Tier
from serving.config import RouterConfig
from serving.latency import Percentiles
from serving.summary import Summary
from serving.wording import compared, duration, usd

__all__ = ["comparison_lines", "cost_lines", "latency_lines"]


def cost_lines(summary: Summary, config: RouterConfig) -> list[str]:
    """Return what the answers cost, and what each tier's model would have cost at the same tokens."""
    *rows, per_token = comparison_lines(summary, config)
    return [*rows, *_named(summary), *_uncertain(summary), per_token, *_dearer(summary)]


def comparison_lines(summary: Summary, config: RouterConfig) -> list[str]:
    """Return what routing cost, what each tier's model would have, and last what a token costs on each."""
    routed = f"  {'routed':<16} {usd(summary.tier_usd)}"
    return [routed, *_against(summary, config), f"  {_per_token(config)}"]


def latency_lines(summary: Summary) -> list[str]:
    """Return the percentiles of each tier's latencies as a table."""
    parts = ("routing", "first token", "total")
    lines = [f"  {'':<10}{'':<13}{'p50':>9}{'p95':>9}{'p99':>9}{'calls':>7}"]
    for name, latencies in summary.latencies.items():
        measured = (latencies.routing, latencies.first_token, latencies.total)
        for part, percentiles in zip(parts, measured, strict=True):
            if percentiles is not None:
                lines.append(_row(name if part == parts[0] else "", part, percentiles))
    return lines


def _row(name: str, part: str, percentiles: Percentiles) -> str:
    times = "".join(f"{duration(each):>9}" for each in (percentiles.p50, percentiles.p95, percentiles.p99))
    return f"  {name:<10}{part:<13}{times}{percentiles.count:>7}"


def _against(summary: Summary, config: RouterConfig) -> Iterator[str]:
    for tier in reversed(TIERS):
        always = summary.always_usd[tier.label]
        routed = f"the router costs {compared(summary.tier_usd, always)}"
        yield f"  {'always ' + tier.label:<16} {usd(always)}  {routed:<36} ({config.tier(tier).model})"


def _named(summary: Summary) -> Iterator[str]:
    others = summary.usd - summary.tier_usd
    if others > 0:
        yield f"  {'models by name':<16} {usd(others)}  not in the comparison"


def _uncertain(summary: Summary) -> Iterator[str]:
    if summary.estimated:
        yield f"  answers without usage, whose tokens are counted from the text: {summary.estimated}"
    if summary.unknown_cost:
        yield f"  answers whose cost is unknown and left out: {summary.unknown_cost}"


def _per_token(config: RouterConfig) -> str:
    cheap, balanced, premium = (config.price(config.tier(tier).model) for tier in TIERS)
    if cheap is None or balanced is None or premium is None:
        return "at the same tokens"
    against = compared(cheap.output, balanced.output), compared(premium.output, balanced.output)
    return f"same tokens; per output token, cheap costs {against[0]} than balanced, premium {against[1]}"


def _dearer(summary: Summary) -> Iterator[str]:
    if summary.tier_usd > summary.always_usd[Tier.BALANCED.label]:
        prompts = summary.by_tier.get(Tier.PREMIUM.label, 0)
        yield f"  dearer than always balanced: {prompts} of {summary.requests} prompts went to premium"
