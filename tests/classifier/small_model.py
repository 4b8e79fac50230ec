"""A model of a few n-grams, with a conversation head, whose every weight is plain to see."""

from classifier import RiskPolicy
from classifier.contribution import Contrast
from classifier.conversation import ROLES, ConversationHead, Matrix, RoleWeight
from classifier.features import EXCERPT
from classifier.model_file import Model
from classifier.prompt_model import PromptModel, StatisticWeight
from classifier.statistic import COUNTS, STATISTICS

WORDS = {
    "capital": (1.0, -2.0, -3.0),
    "function": (4.0, 3.0, 1.0),
    "prove": (2.25, 0.5, 4.0),
    "证": (9.0, 0.5, 6.0),
    "365": (1.5, 1.0, -1.0),
    "…": (1.0, 0.25, 0.25),
}
STEMS = {"finit": (3.0, 0.0, 2.5)}
STATISTIC_WEIGHTS = {"log_words": (0.3, 0.6), "symbol_share": (2.0, 1.0), "log_lines": (-0.2, 0.4)}
PAIRS = {("prove", "that"): (6.25, -1.0, 5.0), ("证", "明"): (7.0, 0.0, 3.0)}


def small_prompt_model() -> PromptModel:
    """Three statistics weigh something, the others nothing."""
    return PromptModel(
        excerpt=EXCERPT,
        intercept=Contrast(-0.5, -1.5),
        statistics=tuple(
            StatisticWeight(each.name, 0.125, 2.0, *STATISTIC_WEIGHTS.get(each.name, (0.0, 0.0)))
            for each in STATISTICS
        ),
        words=WORDS,
        stems=STEMS,
        pairs=PAIRS,
    )


def small_head() -> ConversationHead:
    """Every role and every count weighs something."""
    return ConversationHead(
        intercept=Contrast(0.25, -0.25),
        roles=tuple(
            RoleWeight(role, Matrix(0.5 - 0.1 * place, 0.05, -0.05, 0.4 - 0.1 * place))
            for place, role in enumerate(ROLES)
        ),
        counts=tuple(StatisticWeight(count.name, 1.0, 2.0, 0.1, -0.2) for count in COUNTS),
    )


def small_model() -> Model:
    """The model that tests of files and of the predictor are made with."""
    return Model(small_prompt_model(), small_head(), RiskPolicy(0.25), {"made for": "tests"})
