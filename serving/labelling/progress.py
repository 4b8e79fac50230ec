"""A progress bar with the dollars spent; silent where nobody watches."""

from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

__all__ = ["Bar"]


class Bar:
    """A progress bar on a terminal; a context manager that ends its line."""

    def __init__(self, prompts: int, charged_usd: float, budget_usd: float, stream: TextIO) -> None:
        """Begin at nothing done.

        Args:
            prompts: how many are to be finished.
            charged_usd: what the budget has been charged before.
            budget_usd: the cap.
            stream: where the bar goes, if it is a terminal.
        """
        self._budget_usd = budget_usd
        self._stream = stream
        self._bar = tqdm(
            total=prompts, unit=" prompts", file=stream, disable=not stream.isatty(), dynamic_ncols=True
        )
        self.moved(0, charged_usd)

    def moved(self, finished: int, charged_usd: float) -> None:
        """Show how far the work has come."""
        self._bar.set_postfix_str(f"${charged_usd:.4f} of ${self._budget_usd:g}", refresh=False)
        self._bar.update(finished - self._bar.n)

    def stopping(self) -> None:
        """Say that the calls under way are being waited for."""
        self._bar.clear()
        print(
            "stopping: waiting for the calls under way (Ctrl-C again drops them, and their price is lost)",
            file=self._stream,
            flush=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
