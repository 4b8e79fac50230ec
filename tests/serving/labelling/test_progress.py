"""The bar: dollars for whoever watches, silence for a file."""

import io

from serving.labelling.progress import Bar


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_prompts_and_dollars() -> None:
    terminal = Terminal()
    with Bar(4, 0.5, 5.0, terminal) as bar:
        bar.moved(4, 1.25)
    assert "4/4" in terminal.getvalue()
    assert "$1.2500 of $5" in terminal.getvalue()


def test_a_file_sees_nothing() -> None:
    file = io.StringIO()
    with Bar(4, 0.0, 5.0, file) as bar:
        bar.moved(4, 1.0)
    assert file.getvalue() == ""


def test_whoever_waits_for_the_end_is_told_why() -> None:
    file = io.StringIO()
    with Bar(4, 0.0, 5.0, file) as bar:
        bar.stopping()
    assert file.getvalue().startswith("stopping: waiting for the calls under way")
