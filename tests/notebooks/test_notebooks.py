"""Run the notebooks as a reader would.

After a change that moves their figures, write their outputs anew with
`jupyter execute --inplace --NotebookClient.record_timing=False notebooks/*.ipynb`.
"""

import ast
import re
from itertools import groupby
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from classifier import TierPredictor

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)

notebooks = pytest.mark.parametrize("file", NOTEBOOKS, ids=[file.stem for file in NOTEBOOKS])


def read(file: Path) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds_of_output(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """For each code cell what it shows: a stream's name, or the forms of a value.

    A stream comes in as many pieces as the kernel had time for; they count as one.
    """
    shown = [
        [output.get("name") or " ".join(sorted(output.data)) for output in cell.outputs]
        for cell in code_cells(notebook)
    ]
    return [[kind for kind, _ in groupby(kinds)] for kinds in shown]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@notebooks
def test_it_runs_and_shows_what_was_committed(file: Path) -> None:
    committed, fresh = read(file), read(file)
    client = NotebookClient(
        fresh,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": FOLDER}},
    )
    client.execute()
    assert kinds_of_output(fresh) == kinds_of_output(committed)


@notebooks
def test_it_was_committed_as_run_from_top_to_bottom(file: Path) -> None:
    cells = code_cells(read(file))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [output.output_type for cell in cells for output in cell.outputs].count("error") == 0


@notebooks
def test_it_defines_nothing(file: Path) -> None:
    source = "\n".join(cell.source.replace("%matplotlib inline", "") for cell in code_cells(read(file)))
    assert not any(isinstance(node, DEFINITIONS) for node in ast.walk(ast.parse(source)))


@notebooks
def test_it_is_small_and_names_no_place_on_the_author_s_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert str(FOLDER.parent) not in text
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
