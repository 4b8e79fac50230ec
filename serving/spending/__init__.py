"""What calls may cost, what budgets say to that, and what was spent: values and arithmetic, no I/O."""
