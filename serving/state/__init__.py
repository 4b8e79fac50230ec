"""What outlives the process: API keys, ledger, budgets, feedback. The only package that knows SQL."""
