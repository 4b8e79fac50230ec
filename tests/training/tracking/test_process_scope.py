import sys

import pytest

from training.tracking.process_scope import environment_defaults, hushed, import_path_restored


def test_defaults_hold_inside_and_are_gone_afterwards() -> None:
    environ = {"SET": "by the user"}
    with environment_defaults(environ, {"SET": "default", "UNSET": "default"}):
        assert environ == {"SET": "by the user", "UNSET": "default"}
    assert environ == {"SET": "by the user"}


def test_what_the_code_inside_wrote_is_put_back() -> None:
    environ = {"KEPT": "before", "SET": "before"}
    with environment_defaults(environ, {"SET": "default"}, also_restore=["KEPT", "NEW"]):
        environ.update({"KEPT": "inside", "SET": "inside", "NEW": "inside"})
    assert environ == {"KEPT": "before", "SET": "before"}


def test_the_environment_is_put_back_after_a_failure_too() -> None:
    environ: dict[str, str] = {}
    with pytest.raises(KeyError, match="inside"), environment_defaults(environ, {"UNSET": "default"}):
        raise KeyError("inside")
    assert environ == {}


def test_nothing_is_printed_while_hushed(capsys: pytest.CaptureFixture[str]) -> None:
    with hushed():
        print("noise")
        print("more noise", file=sys.stderr)
    print("heard")
    assert capsys.readouterr() == ("heard\n", "")


def test_the_import_path_is_restored_even_where_it_was_replaced() -> None:
    before = list(sys.path)
    with import_path_restored():
        sys.path = ["/elsewhere", *sys.path]
    assert sys.path == before
