"""What outlives the process: API keys, ledger, budgets, feedback. The only package that knows SQL."""

from serving.state.answers import Answers
from serving.state.api_key import ApiKey
from serving.state.api_keys import ApiKeys, IssuedKey
from serving.state.budgets import Budgets
from serving.state.database import Database
from serving.state.engines import Waits
from serving.state.entries import Settlement
from serving.state.feedback import Feedback, FeedbackLog, Thumb
from serving.state.instances import Instances
from serving.state.journal import Journal
from serving.state.ledger import Ledger
from serving.state.state import State
from serving.state.writer import RowWriter

__all__ = [
    "Answers",
    "ApiKey",
    "ApiKeys",
    "Budgets",
    "Database",
    "Feedback",
    "FeedbackLog",
    "Instances",
    "IssuedKey",
    "Journal",
    "Ledger",
    "RowWriter",
    "Settlement",
    "State",
    "Thumb",
    "Waits",
]
