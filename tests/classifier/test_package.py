"""What holds for the package as a whole."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import classifier

NAMES = sorted(
    module.name for module in pkgutil.iter_modules(classifier.__path__) if module.name != "__main__"
)


def module(name: str) -> ModuleType:
    return importlib.import_module(f"classifier.{name}")


def test_all_is_sorted_and_real() -> None:
    assert sorted(classifier.__all__) == sorted(set(classifier.__all__))
    assert all(hasattr(classifier, name) for name in classifier.__all__)


def test_all_names_whatever_the_package_brings_in() -> None:
    public = {
        name
        for name, value in vars(classifier).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public == set(classifier.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_what_it_offers_and_offers_it(name: str) -> None:
    offered = module(name).__all__
    assert sorted(offered) == sorted(set(offered))
    assert all(hasattr(module(name), each) for each in offered)
    assert module(name).__doc__


def test_every_error_is_a_classifier_error() -> None:
    errors = [
        value
        for value in vars(classifier).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(errors) == 9
    assert all(issubclass(error, classifier.ClassifierError) for error in errors)


def python(code: str, folder: Path) -> str:
    """What a fresh interpreter prints, in a folder of its own and with site-packages at hand."""
    ended = subprocess.run(  # noqa: S603
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(Path(classifier.__file__).parents[1])!r})\n{code}",
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert ended.stderr == ""
    return ended.stdout


WHAT_COMES_IN = """
before = set(sys.modules)
import classifier
import classifier.cli
classifier.TierPredictor.default().explain([{"role": "user", "content": "why?"}] * 2)
came = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(came - set(sys.stdlib_module_names) - {"classifier"}))
"""


def test_only_the_standard_library_comes_in_with_it(tmp_path: Path) -> None:
    assert python(WHAT_COMES_IN, tmp_path) == "[]\n"


WHAT_IT_DOES = """
events = []
def audit(event, arguments):
    ours = ("socket.", "subprocess.", "os.system", "os.putenv", "os.mkdir", "os.rename", "ctypes.", "shutil.")
    writing = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    model = event == "open" and str(arguments[0]).endswith(".tierwise")
    if event.startswith(ours) or writing or model:
        events.append((event, arguments))
import logging, threading, warnings
before = (list(logging.root.handlers), threading.active_count(), list(warnings.filters))
sys.addaudithook(audit)
import classifier
import classifier.cli
print(events, before == (logging.root.handlers, threading.active_count(), warnings.filters))
"""


def test_importing_it_does_nothing(tmp_path: Path) -> None:
    assert python(WHAT_IT_DOES, tmp_path) == "[] True\n"
    assert list(tmp_path.iterdir()) == []
