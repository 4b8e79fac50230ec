"""Metrics as Prometheus reads them, by its own library: text, or OpenMetrics where it asks for that."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from serving.observability.tallies import Histogram, Tally

__all__ = ["Exposition", "Metric", "counter", "families_of", "gauge"]


class _Fixed(Collector):
    def __init__(self, families: Sequence[Metric], more: Collector) -> None:
        self._families = families
        self._more = more

    def collect(self) -> Iterable[Metric]:
        yield from self._families
        yield from self._more.collect()


class Exposition:
    """Renders metrics, with those of the process behind them, from a registry of its own."""

    def __init__(self) -> None:
        """Begin; nothing is registered with the library's global registry."""
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        PlatformCollector(registry=self._process)
        GCCollector(registry=self._process)

    def render(self, families: Sequence[Metric], accept: str) -> tuple[bytes, str]:
        """Return the metrics and their content type; may run in any thread.

        Args:
            families: that nobody changes any more.
            accept: the header of the request.
        """
        encoder, content_type = choose_encoder(accept)
        return encoder(_Fixed(families, self._process)), content_type


def families_of(tallies: Iterable[Tally], histograms: Iterable[Histogram]) -> list[Metric]:
    """Return counts and distributions as they stand now."""
    families: list[Metric] = []
    for tally in tallies:
        sums = CounterMetricFamily(tally.name, tally.help, labels=tally.labels)
        for labels, amount in tally:
            sums.add_metric(labels, amount)
        families.append(sums)
    for histogram in histograms:
        spread = HistogramMetricFamily(histogram.name, histogram.help, labels=histogram.labels)
        for labels, buckets, total in histogram:
            spread.add_metric(labels, buckets, total)
        families.append(spread)
    return families


def gauge(
    name: str, words: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    """Return a gauge with a value for each of some labels' values."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for given, value in values:
        family.add_metric(given, value)
    return family


def counter(
    name: str, words: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    """Return a counter with a value for each of some labels' values."""
    family = CounterMetricFamily(name, words, labels=labels)
    for given, value in values:
        family.add_metric(given, value)
    return family
