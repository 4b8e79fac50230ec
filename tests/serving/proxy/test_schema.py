"""schemathesis against the OpenAPI document: what it makes up is answered as documented, never with 5xx."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from classifier import TierPredictor
from serving.proxy.openapi import document
from serving.sandbox import Sandbox
from tests.serving.conftest import ENVIRON
from tests.serving.proxy.conftest import Running, start

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    missing_required_header,
    unsupported_method,
]

schema = schemathesis.openapi.from_dict(document())
known_upstream = schema.exclude(path="/v1/responses")
unknown_upstream = schema.include(path="/v1/responses")  # which the simulated upstream does not have
without_upstream = schema.include(path="/v1/feedback")

generated = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def quiet(
    running_upstream: Sandbox,
    predictor: TierPredictor,
    empty_state: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """A proxy that all examples share."""
    folder = tmp_path_factory.mktemp("schema")
    (folder / "state.db").write_bytes(empty_state.read_bytes())
    tables = {
        "proxy": {"port": 0, "request_seconds": 5},
        "state": {"url": f"sqlite:///{folder / 'state.db'}", "journal": str(folder / "journal")},
    }
    running = start(tables, {"base_url": running_upstream.url}, ENVIRON, predictor)
    yield running
    running.stop()


@known_upstream.parametrize()
@generated
def test_every_operation_answers_as_the_document_says(case: schemathesis.Case[Any], quiet: Running) -> None:
    case.call_and_validate(base_url=quiet.root, checks=CHECKS)


@known_upstream.parametrize()
@generated
def test_nothing_makes_the_proxy_or_its_upstream_fail(case: schemathesis.Case[Any], quiet: Running) -> None:
    case.call_and_validate(base_url=quiet.root, checks=[not_a_server_error])


@unknown_upstream.parametrize()
@generated
def test_a_path_that_the_upstream_lacks_is_answered_with_a_documented_status(
    case: schemathesis.Case[Any], quiet: Running
) -> None:
    case.call_and_validate(base_url=quiet.root, checks=[status_code_conformance, unsupported_method])


@without_upstream.parametrize()
@generated
def test_what_is_ours_alone_is_taken_or_refused_by_the_document(
    case: schemathesis.Case[Any], quiet: Running
) -> None:
    case.call_and_validate(base_url=quiet.root, checks=[negative_data_rejection, positive_data_acceptance])


def test_the_document_is_served(quiet: Running) -> None:
    served = httpx2.get(f"{quiet.root}/openapi.json", trust_env=False)
    assert served.status_code == 200
    assert served.json() == document()
