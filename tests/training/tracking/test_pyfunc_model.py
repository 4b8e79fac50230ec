import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from classifier import TierPredictor
from tests.training.tracked_runs import (
    MLFLOW_WARNINGS,
    a_run,
    free_port,
    mlflow_process,
)
from training.tracking import track, tracking_uri

pytestmark = MLFLOW_WARNINGS

COLUMNS = ["tier", "probability_cheap", "probability_balanced", "probability_premium", "risk"]
PROMPTS = [
    "What is the capital of Peru?",
    "Prove that every finite integral domain is a field, and say where finiteness is needed.",
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How do I undo the last commit?"},
        {"role": "assistant", "content": "git reset --soft HEAD~1"},
        {"role": "user", "content": "thanks!"},
    ],
    "",
]
SAYS_WHERE_IT_IS = "\nprint(f'the classifier of {__file__}', flush=True)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with one run, whose model it returns as MLflow keeps it: a folder of files."""
    store = tmp_path_factory.mktemp("store")
    result = track(a_run(store / "data"), tracking_uri=tracking_uri({}, store), environ=os.environ)
    return store / "mlruns" / "tierwise" / "models" / result.model_uri.removeprefix("models:/") / "artifacts"


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return mlflow.pyfunc.load_model(str(folder))


def test_a_frame_of_prompts_and_conversations_gives_tiers(model: Any) -> None:
    answers = model.predict(pd.DataFrame({"prompt": PROMPTS}, index=[7, 8, 9, 10]))
    assert list(answers.columns) == COLUMNS
    assert answers["tier"].to_dict() == dict(zip([7, 8, 9, 10], tiers(), strict=True))


def test_the_numbers_are_those_of_the_predictor(model: Any) -> None:
    answers = model.predict(pd.DataFrame({"prompt": PROMPTS}))
    decisions = [TierPredictor.default().decide(prompt) for prompt in PROMPTS]
    assert answers["risk"].tolist() == [decision.risk for decision in decisions]
    rows = answers[COLUMNS[1:4]].itertuples(index=False, name=None)
    assert list(rows) == [decision.probabilities for decision in decisions]


def test_no_second_copy_of_the_classifier_is_imported(model: Any) -> None:
    script = model.unwrap_python_model()
    assert isinstance(script._predictor, TierPredictor)


def test_no_prompts_give_no_rows(model: Any) -> None:
    answers = model.predict(pd.DataFrame({"prompt": []}))
    assert (list(answers.columns), len(answers)) == (COLUMNS, 0)


@pytest.mark.parametrize(
    "prompt", [None, 3, [], [3]], ids=["nothing", "a number", "no messages", "no message"]
)
def test_what_is_no_prompt_is_refused_with_its_row(prompt: object, model: Any) -> None:
    with pytest.raises(MlflowException, match="prompt in row 1: "):
        model.predict(pd.DataFrame({"prompt": ["fine", prompt]}))


def test_a_frame_without_prompts_is_refused(model: Any) -> None:
    with pytest.raises(MlflowException, match=r"Model is missing inputs \['prompt'\]"):
        model.predict(pd.DataFrame({"text": ["hello"]}))


def tiers() -> list[str]:
    """Tell what the packaged model, the one that was logged, says of `PROMPTS`."""
    return [TierPredictor.default().decide(prompt).tier.label for prompt in PROMPTS]


@dataclass(frozen=True, slots=True)
class Served:
    """A model behind `mlflow models serve`: its folder, its address and what it prints."""

    folder: Path
    address: str
    log: Path


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    copy = Path(shutil.copytree(folder, tmp_path_factory.mktemp("served") / "model"))
    with (copy / "code" / "classifier" / "__init__.py").open("a", encoding="utf-8") as script:
        script.write(SAYS_WHERE_IT_IS)
    address = f"http://127.0.0.1:{(port := free_port())}"
    arguments = ["models", "serve", "--model-uri", str(copy), "--env-manager", "local"]
    arguments += ["--host", "127.0.0.1", "--port", str(port)]
    with mlflow_process(arguments, copy.parent, f"{address}/ping") as log:
        yield Served(copy, f"{address}/invocations", log)


def post(url: str, body: object) -> Any:
    request = urllib.request.Request(  # noqa: S310  on loopback
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


def test_mlflow_models_serve_answers_over_http(served: Served) -> None:
    rows = [{"prompt": prompt} for prompt in PROMPTS]
    answers = post(served.address, {"dataframe_records": rows})["predictions"]
    assert [answer["tier"] for answer in answers] == tiers()
    assert set(answers[0]) == set(COLUMNS)


def test_the_server_answers_what_is_no_prompt_with_a_400_that_says_so(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        post(served.address, {"dataframe_split": {"columns": ["prompt"], "data": [["fine"], [3]]}})
    with caught.value as answer:
        text = answer.read().decode()
    assert "prompt in row 1: " in text
    assert "Traceback" not in text


def test_a_served_model_decides_with_the_classifier_that_it_brought(served: Served) -> None:
    own = served.folder / "code" / "classifier" / "__init__.py"
    assert f"the classifier of {own}" in served.log.read_text(encoding="utf-8")
