"""What can go wrong in labelling.

LabellingError (a ServingError)
├── JournalError     the journal is damaged, of other settings, or in use by another process
├── RedactionError   the redactor cannot be had, or failed on a text
├── NotConfirmed     nobody confirmed that the prompts may be sent
├── BudgetUsedUp     the budget does not cover the next call
├── CallFailed       one call got no answer; its prompt is left for the next run
│   └── RequestRefused   what was asked is at fault: it may be asked in another form
├── HaltError        no further call can succeed: the key is refused, a model does not exist
└── Interrupted      the run is being stopped, so no further call is begun
"""

from serving.errors import LabellingError

__all__ = [
    "BudgetUsedUp",
    "CallFailed",
    "HaltError",
    "Interrupted",
    "JournalError",
    "LabellingError",
    "NotConfirmed",
    "RedactionError",
    "RequestRefused",
]


class JournalError(LabellingError):
    """The journal cannot be used; the message names the file and the remedy."""


class RedactionError(LabellingError):
    """A redactor cannot be found, or did not return a text; nothing that it was given was sent."""


class NotConfirmed(LabellingError):
    """Nobody said yes; nothing was sent."""


class BudgetUsedUp(LabellingError):
    """What is left of the budget does not cover the upper bound of the next call."""


class CallFailed(LabellingError):
    """A call got no answer, after as many attempts as are allowed."""


class RequestRefused(CallFailed):
    """The upstream says that the request itself is wrong (400, 422); nothing is billed."""


class HaltError(LabellingError):
    """Something is wrong that every further call would meet."""


class Interrupted(LabellingError):
    """The run is stopping."""
