"""The budget: a cap in dollars that reservations hold before a call, and that what it cost is taken from."""

import asyncio
from types import TracebackType
from typing import Self

__all__ = ["Allotment", "Budget"]

_ROUNDING = 1e-9  # US dollars: sums of floats in another order differ by less


class Budget:
    """A hard cap: at any time what is spent and what is held for calls under way come to at most the cap.

    It serves the tasks of one event loop.

    Attributes:
        cap: in US dollars.
        spent: so far.
        held: for what is under way.
    """

    def __init__(self, cap: float, spent: float = 0.0) -> None:
        """Begin with what earlier runs have spent."""
        self.cap = cap
        self.spent = spent
        self.held = 0.0
        self._freed = asyncio.Event()

    @property
    def free(self) -> float:
        """What can still be reserved, in US dollars."""
        return max(0.0, self.cap - self.spent - self.held)

    async def allot(self, usd: float) -> "Allotment | None":
        """Hold dollars for a prompt; wait while others, still under way, may leave enough.

        Returns:
            None when the budget does not cover it and nothing is under way that could free any.
        """
        while usd > self.free + _ROUNDING:
            if self.held <= _ROUNDING:
                return None
            self._freed.clear()
            await self._freed.wait()
        self.held += usd
        return Allotment(self, usd)

    def released(self) -> None:
        """Let those who wait look again."""
        self._freed.set()


class Allotment:
    """What is held for one prompt; its calls come one after the other.

    Attributes:
        left: US dollars that are held and not spent.
    """

    def __init__(self, budget: Budget, usd: float) -> None:
        """Wrap dollars that the budget already holds."""
        self._budget = budget
        self.left = usd

    def reserve(self, usd: float) -> bool:
        """Make sure that so much is held for the next call; return whether it is."""
        missing = usd - self.left
        if missing <= 0:
            return True
        if missing > self._budget.free + _ROUNDING:
            return False
        self._budget.held += missing
        self.left += missing
        return True

    def settle(self, usd: float) -> None:
        """Turn so much of what is held into what is spent."""
        self._budget.spent += usd
        taken = min(usd, self.left)
        self._budget.held -= taken
        self.left -= taken

    def close(self) -> None:
        """Give back what was not spent."""
        self._budget.held = max(0.0, self._budget.held - self.left)
        self.left = 0.0
        self._budget.released()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
