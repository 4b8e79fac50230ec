"""The catalogue of statistics and counts that the model weighs beside n-grams, with words for each."""

from dataclasses import dataclass

__all__ = ["COUNTS", "STATISTICS", "Statistic"]


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number about a prompt, and how an explanation words a large and a small value of it."""

    name: str
    large: str
    small: str


STATISTICS: tuple[Statistic, ...] = (
    Statistic("log_words", "many words", "few words"),
    Statistic("log_lines", "many lines", "few lines"),
    Statistic("log_questions", "many question marks", "few question marks"),
    Statistic("digit_share", "many digits", "few digits"),
    Statistic("capital_share", "many capitals", "few capitals"),
    Statistic("symbol_share", "many symbols", "few symbols"),
    Statistic("code_share", "many brackets and operators", "few brackets and operators"),
    Statistic("non_ascii_share", "much text beyond ASCII", "little text beyond ASCII"),
    Statistic("distinct_share", "few repeated words", "many repeated words"),
)
"""Of one text; what `classifier.prompt_statistics.measure` returns, in its order.

The length in characters, exclamation marks and the length of words are left out: with whole sources held out
they told authors apart rather than tiers.
"""

COUNTS: tuple[Statistic, ...] = (
    Statistic("log_turns", "many turns", "few turns"),
    Statistic("log_last_characters", "long last turn", "short last turn"),
    Statistic("log_system_characters", "long system prompt", "short or no system prompt"),
    Statistic("log_assistant_characters", "long last answer", "short last answer"),
    Statistic("log_tool_results", "many tool results", "few tool results"),
    Statistic("ends_with_tool", "a tool result comes last", "a human comes last"),
    Statistic("brevity", "a brief follow-up", "no brief follow-up"),
    Statistic("is_closing", "thanks or leave-taking", "no thanks or leave-taking"),
    Statistic("is_assent", "a go-ahead", "no go-ahead"),
)
"""Of a conversation; what its head weighs beside the turns."""
