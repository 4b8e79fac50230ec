"""How the judge is bound to JSON: by the strongest means that it takes, found out by asking."""

from serving.labelling.rubric import Form

__all__ = ["JudgeForm"]


class JudgeForm:
    """What is known of a judge in one run; it serves the tasks of one event loop.

    Not every model, and not every gateway, knows `response_format`; who does not, refuses the request. Once
    the judge has taken a form, that one stands: a later refusal is about the prompt, not about the form.
    """

    def __init__(self) -> None:
        self._taken: Form | None = None

    @property
    def to_try(self) -> tuple[Form, ...]:
        """The forms to ask in, one after the other until one is not refused."""
        return tuple(Form) if self._taken is None else (self._taken,)

    def took(self, form: Form) -> None:
        """Remember that the judge was asked in this form, and answered."""
        if self._taken is None:
            self._taken = form
