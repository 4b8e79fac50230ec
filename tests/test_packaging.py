"""What gets installed: our three packages, each with the dependencies that its folder stands for."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"classifier", "training", "serving"}
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def behind(requirements: list[str]) -> set[str]:
    """The distributions that requirements name, and all that these require in turn."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        name = normal(waiting.pop())
        if name not in found:
            found.add(name)
            waiting += [each for each in required(name) if "extra ==" not in each]
    return found


def normal(requirement: str) -> str:
    """The name in a requirement, as package indices spell it."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def required(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # for another system or version of Python
        return []


def imported(package: str) -> set[str]:
    """The modules that the files of a package import, by their first names."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / package).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    from_them = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in [*plain, *from_them]}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_common_name_is_ours_alone(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"tierwise"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_package_imports_and_is_typed(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__doc__
    assert (Path(package.__path__[0]) / "py.typed").is_file()


def test_the_folders_with_code_are_the_packages() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders - {"tests"} == OURS
    assert set(SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == OURS
    assert set(SETTINGS["tool"]["importlinter"]["root_packages"]) == OURS


def test_a_folder_is_a_set_of_dependencies_and_an_extra() -> None:
    project = SETTINGS["project"]
    assert project["dependencies"] == []
    assert set(project["optional-dependencies"]) == {"training", "serving", "telemetry", "all"}
    assert project["optional-dependencies"]["all"] == ["tierwise[training,serving,telemetry]"]


@pytest.mark.parametrize("name", ["training", "serving"])
def test_what_a_folder_imports_comes_with_its_extra(name: str) -> None:
    distributions = packages_distributions()
    brought = behind(SETTINGS["project"]["optional-dependencies"][name])
    foreign = imported(name) - set(sys.stdlib_module_names) - OURS
    assert foreign
    assert [module for module in foreign if not brought & set(map(normal, distributions[module]))] == []


@pytest.mark.parametrize("name", ["training", "serving", "telemetry"])
def test_every_dependency_has_a_lower_bound(name: str) -> None:
    assert all(">=" in each for each in SETTINGS["project"]["optional-dependencies"][name])


def test_the_classifier_imports_nothing_foreign() -> None:
    assert imported("classifier") - set(sys.stdlib_module_names) == {"classifier"}


def test_an_installed_project_asks_for_nothing_without_extras() -> None:
    installed = requires("tierwise") or []
    assert [requirement for requirement in installed if "extra ==" not in requirement] == []


@pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None,
    reason="hatchling is not installed, and tests download nothing",
)
def test_the_wheel_holds_just_the_three_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)  # noqa: S603
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    tops = {name.split("/")[0] for name in inside}
    assert {top for top in tops if not top.endswith(".dist-info")} == OURS
    assert {"classifier/default.tierwise", "classifier/javascript/tierwise.js"} <= set(inside)
    page = {f"serving/page/{each.name}" for each in (ROOT / "serving" / "page").iterdir()}
    assert len(page) > 5
    assert page <= set(inside)
    assert {f"serving/observability/{name}" for name in ("grafana.json", "alerts.yaml")} <= set(inside)
    assert "serving/cache/pairs.jsonl" in inside
    assert {f"{name}/py.typed" for name in OURS} <= set(inside)
