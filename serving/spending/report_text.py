"""The report on the ledger as a person reads it, and as a spreadsheet does."""

import csv
import io
from collections.abc import Iterator, Mapping

from serving.config import RouterConfig
from serving.spending.report import By, Figures, Report
from serving.summary_text import comparison_lines, latency_lines
from serving.wording import compared, counted, fit, one_line, usd, width

__all__ = ["csv_text", "report_text"]

_NAME = 32
_FORMULA = ("=", "+", "-", "@")
_HEADINGS = (
    f"{'requests':>9}{'attempts':>9}{'fallback':>9}{'budget':>7}{'failed':>7}{'cancelled':>10}{'unknown':>8}"
)


def report_text(report: Report, config: RouterConfig, names: Mapping[str, str]) -> str:
    """Return the report in lines of about a hundred columns.

    Args:
        report: of at least one request.
        config: that it was made with.
        names: of API keys, by their public ids.
    """
    lines = [
        *_totals(report.total),
        "",
        f"{'by ' + report.by.value:<{_NAME}}{_HEADINGS}{'spent':>14}",
        *(_row(_named(name, report.by, names), each) for name, each in report.groups.items()),
        "",
        "cost, token for token at the configured prices (another model would have said other things, and",
        "other lengths); attempts routed by tier whose tokens are known",
        *comparison_lines(report.summary, config),
        *_against(report),
        *_cheap(report),
    ]
    if report.summary.latencies:
        lines += ["", "latency of answered requests, from their arrival, by the tier decided on"]
        lines += latency_lines(report.summary)
    return "\n".join(lines)


def csv_text(report: Report, names: Mapping[str, str]) -> str:
    """Return the groups as CSV with a heading, and the total as the last row.

    A name that a spreadsheet would take for a formula gets an apostrophe in front: callers choose models'
    names.
    """
    rows = [(name, each.as_dict()) for name, each in report.groups.items()]
    rows.append(("total", report.total.as_dict()))
    named = report.by is By.KEY
    heading = [report.by.value, *(["name"] if named else []), *rows[0][1]]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heading)
    for name, figures in rows:
        label = [_cell(name), *([_cell(names.get(name, ""))] if named else [])]
        writer.writerow([*label, *figures.values()])
    return out.getvalue()


def _totals(total: Figures) -> Iterator[str]:
    fallbacks = f" ({total.fallbacks:,} by a fallback)" if total.fallbacks else ""
    attempts = f"{counted(total.attempts, 'attempt')} ({total.failed_attempts:,} failed)"
    yield (
        f"requests   {total.requests:,} in {attempts}: {total.answered:,} answered{fallbacks}, "
        f"{total.failed:,} failed, {total.cancelled:,} cancelled"
    )
    if total.lowered:
        requests = counted(total.lowered, "request")
        yield f"           {requests} sent to a lower tier by a budget (column budget)"
    yield f"tokens     {total.input_tokens:,} in, {total.output_tokens:,} out"
    yield f"spent      {usd(total.usd)}"
    if total.hits:
        share = f"{total.hit_rate or 0:.0%} of the requests"
        yield f"cache      {counted(total.hits, 'hit')} ({share}), which saved {usd(total.cache_saved_usd)}"
    if total.break_glass or total.break_glass_usd:
        answers, spent = counted(total.break_glass, "answer"), usd(total.break_glass_usd)
        yield f"direct     {answers} by break-glass, past an aggregator out of reach, for {spent} of it"
    if total.estimated:
        attempts = counted(total.estimated, "attempt")
        yield f"           {usd(total.estimated_usd)} of it estimated: {attempts} without usage from upstream"
    if total.unknown:
        attempts = counted(total.unknown, "attempt")
        yield f"           {attempts} of unknown cost, in no sum here: the upstream may bill them"


def _row(name: str, figures: Figures) -> str:
    cut = fit(name, _NAME - 2)
    counts = (
        f"{figures.requests:>9,}{figures.attempts:>9,}{figures.fallbacks:>9,}{figures.lowered:>7,}"
        f"{figures.failed:>7,}{figures.cancelled:>10,}{figures.unknown:>8,}"
    )
    return f"  {cut}{' ' * (_NAME - 2 - width(cut))}{counts}{usd(figures.usd):>14}"


def _named(name: str, by: By, names: Mapping[str, str]) -> str:
    known = names.get(name, "") if by is By.KEY else ""
    return one_line(f"{name} {known}")


def _against(report: Report) -> Iterator[str]:
    if report.against is not None:
        costs = f"the router costs {compared(report.summary.tier_usd, report.against_usd)}"
        yield f"  {'always another':<16} {usd(report.against_usd)}  {costs:<36} ({one_line(report.against)})"


def _cheap(report: Report) -> Iterator[str]:
    share = report.cheap_saved_share
    if share is None or not report.cheap_requests:
        return
    part = report.cheap_requests / report.total.requests
    saved = usd(abs(report.cheap_saved_usd))
    told = f"saved {saved} over" if report.cheap_saved_usd >= 0 else f"cost {saved} more than"
    requests = counted(report.cheap_requests, "request")
    yield (
        f"  cheap answered {requests} ({part:.0%}), which {told} balanced: "
        f"{abs(share):.1%} of always balanced"
    )


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
