"""Ledger rows to write."""

from typing import Any

from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome


def a_row(number: int = 0, **changes: Any) -> LedgerRow:
    """A row that tells `number` apart by its ids and its time."""
    usual: dict[str, Any] = {
        "attempt_id": f"{number:032x}",
        "request_id": f"r{number}",
        "at": 1000.0 + number,
        "requested": "auto",
        "chosen_by": ChosenBy.POLICY,
        "model": "Qwen/Qwen3-32B",
        "channel": "standard",
        "outcome": Outcome.ANSWERED,
    }
    return LedgerRow(**usual | changes)


FULL = a_row(
    7,
    key_id="4f1d",
    session="s1",
    tier="premium",
    risk=0.125,
    probabilities=(0.25, 0.5, 0.25),
    policy="max_risk=0.2",
    model_version="2026-11-22",
    cause="the upstream answered 503",
    status=503,
    attempt=2,
    fell_back=True,
    streamed=True,
    input_tokens=1200,
    output_tokens=300,
    estimated=True,
    usd=0.00375,
    routing_seconds=0.0001,
    first_token_seconds=0.4,
    total_seconds=2.5,
    prompt='[{"role": "user", "content": "Καλημέρα"}]',
    cache="exact",
    saved_usd=0.0021,
)
