"""Ledger rows as requests leave them."""

from typing import Any

from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome

__all__ = ["a_request", "an_attempt"]


def an_attempt(number: int = 0, **changes: Any) -> LedgerRow:
    """One attempt, answered by the cheap tier's own model unless changed; `number` tells requests apart."""
    attempt = changes.get("attempt", 0)
    usual: dict[str, Any] = {
        "attempt_id": f"{number * 100 + attempt:032x}",
        "request_id": f"r{number}",
        "at": 1_795_305_600.0 + number,
        "requested": "auto",
        "chosen_by": ChosenBy.POLICY,
        "tier": "cheap",
        "model": "deepseek-ai/DeepSeek-V4-Flash",
        "channel": "standard",
        "outcome": Outcome.ANSWERED,
        "input_tokens": 600,
        "output_tokens": 400,
        "usd": 0.00025,
        "first_token_seconds": 0.2,
        "total_seconds": 1.0,
    }
    return LedgerRow(**usual | changes)


def a_request(number: int, *attempts: dict[str, Any]) -> list[LedgerRow]:
    """Attempts of one request, in order."""
    return [an_attempt(number, attempt=place, **changes) for place, changes in enumerate(attempts)]
