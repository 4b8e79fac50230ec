"""One sandbox for the whole folder, cleared between tests, and clients of it."""

from collections.abc import Iterator

import httpx2
import openai
import pytest

from serving.sandbox import Sandbox


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear()
    return running


@pytest.fixture(scope="session")
def shared_client(running: Sandbox) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=running.url, api_key="test-key", max_retries=0, timeout=5) as client:
        yield client


@pytest.fixture(scope="session")
def shared_http(running: Sandbox) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url, timeout=5) as client:
        yield client


@pytest.fixture
def client(sandbox: Sandbox, shared_client: openai.OpenAI) -> openai.OpenAI:
    assert sandbox.requests == ()
    return shared_client


@pytest.fixture
def http(sandbox: Sandbox, shared_http: httpx2.Client) -> httpx2.Client:
    assert sandbox.requests == ()
    return shared_http
