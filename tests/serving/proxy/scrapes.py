"""Reads `/metrics` of a running proxy, by the parsers of Prometheus's own library."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.serving.proxy.conftest import PATIENCE, Running

CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Scrape:
    """The samples of one scrape."""

    samples: tuple[Sample, ...]

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples of a name with these labels, whatever others they have; 0 without any."""
        found = (each for each in self.samples if each.name == name)
        return sum(each.value for each in found if labels.items() <= each.labels.items())

    def rows(self, name: str) -> dict[tuple[str, ...], float]:
        """All samples of a name by their labels' values, in the order of the labels' names."""
        found = (each for each in self.samples if each.name == name)
        return {tuple(each.labels[label] for label in sorted(each.labels)): each.value for each in found}


def fetch(running: Running, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    return httpx2.get(f"{running.root}/metrics", headers=headers, timeout=PATIENCE, trust_env=False)


def scrape(running: Running, headers: Mapping[str, str] | None = None) -> Scrape:
    response = fetch(running, headers)
    assert response.status_code == 200, response.text
    families = text_string_to_metric_families(response.text)
    return Scrape(tuple(sample for family in families for sample in family.samples))


def settled(running: Running, requests: int, headers: Mapping[str, str] | None = None) -> Scrape:
    """Scrape once so many requests are over: a client may have its answer a moment before that."""
    until = time.monotonic() + PATIENCE
    while (found := scrape(running, headers)).value("tierwise_requests_total") < requests:
        assert time.monotonic() < until, found.rows("tierwise_requests_total")
        time.sleep(0.01)
    return found
