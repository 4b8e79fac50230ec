"""Run the notebooks as a reader would.

After a change that moves their figures, write their outputs anew with
`jupyter execute --inplace --NotebookClient.record_timing=False notebooks/*.ipynb`,
with the public outcome tables at hand (`../shared/outcomes`): their figures are in the committed outputs.
Cells that show something only with them carry the tag "outcomes".
"""

import ast
import os
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient

from classifier import TierPredictor

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
OUTCOMES = Path(os.environ.get("TIERWISE_OUTCOMES", FOLDER.parents[1] / "shared" / "outcomes")).absolute()
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)

notebooks = pytest.mark.parametrize("file", NOTEBOOKS, ids=[file.stem for file in NOTEBOOKS])


def read(file: Path) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds_of_output(notebook: nbformat.NotebookNode) -> list[set[str]]:
    """For each code cell what it shows: a stream's name, or the forms of a value.

    Without the cells that need the outcome tables. How many pieces a stream comes in, and which of two comes
    first, is chance.
    """
    return [
        {output.get("name") or " ".join(sorted(output.get("data", output))) for output in cell.outputs}
        for cell in code_cells(notebook)
        if "outcomes" not in cell.metadata.get("tags", [])
    ]


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    """What went wrong; a command that fails under %run leaves its cell standing as if nothing were."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return ["\n".join(output.traceback) for output in outputs if output.output_type == "error"]


def run(file: Path, outcomes: Path) -> nbformat.NotebookNode:
    """Run a notebook with the outcome tables in a folder, which need not be there."""
    notebook = read(file)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": FOLDER}},
    )
    client.execute(env={**os.environ, "TIERWISE_OUTCOMES": str(outcomes)})
    return notebook


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@notebooks
def test_it_runs_in_a_fresh_clone_and_shows_what_was_committed(file: Path, tmp_path: Path) -> None:
    fresh = run(file, tmp_path / "no outcomes")
    assert errors(fresh) == []
    assert kinds_of_output(fresh) == kinds_of_output(read(file))


@pytest.mark.skipif(not OUTCOMES.is_dir(), reason=f"the public outcome tables are not in {OUTCOMES}")
@pytest.mark.parametrize("name", ["02_cost_against_quality", "03_your_own_outcomes_in_ten_minutes"])
def test_it_runs_with_the_public_outcome_tables(name: str) -> None:
    file = FOLDER / f"{name}.ipynb"
    fresh = run(file, OUTCOMES)
    assert errors(fresh) == []
    assert kinds_of_output(fresh) == kinds_of_output(read(file))


@notebooks
def test_it_was_committed_as_run_from_top_to_bottom(file: Path) -> None:
    cells = code_cells(read(file))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [output.output_type for cell in cells for output in cell.outputs].count("error") == 0


@notebooks
def test_it_defines_nothing(file: Path) -> None:
    plain = TransformerManager()  # type: ignore[no-untyped-call]
    cells = [plain.transform_cell(cell.source) for cell in code_cells(read(file))]
    assert not any(isinstance(node, DEFINITIONS) for node in ast.walk(ast.parse("\n".join(cells))))


@notebooks
def test_it_is_small_and_names_no_place_on_the_author_s_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert str(FOLDER.parent) not in text
    assert not re.search(r"/(?:tmp|home|root|work)/", text)
    assert "timestamp" not in text


def test_the_first_notebook_judges_the_model_by_rows_that_it_was_not_fitted_on() -> None:
    notebook = read(FOLDER / "01_the_data_and_the_decision.ipynb")
    said = "".join(
        output.text for cell in code_cells(notebook) for output in cell.outputs if "text" in output
    )
    fitted_on, judged_by = re.findall(r"^fitted on (.+); judged by (\w+)$", said, re.MULTILINE)[0]
    assert judged_by in {"validation", "test"}
    assert judged_by not in fitted_on.split(" and ")
    shipped = TierPredictor.default().provenance["training_data"].get("fitted_on", ["train"])
    assert fitted_on.split(" and ") == shipped, "the shipped model has changed: write the outputs anew"


@pytest.mark.skipif(not OUTCOMES.is_dir(), reason=f"the public outcome tables are not in {OUTCOMES}")
@notebooks
def test_it_quotes_no_prompt_of_the_public_outcome_tables(file: Path) -> None:
    said = " ".join(file.read_text(encoding="utf-8").split())
    tables = sorted(OUTCOMES.glob("*.parquet"))
    beginnings = {
        " ".join(prompt.split())[:60]
        for table in tables
        for prompt in pd.read_parquet(table, columns=["prompt"])["prompt"]
    }
    assert len(beginnings) > 1000
    assert [words for words in beginnings if len(words) > 40 and words in said] == []
