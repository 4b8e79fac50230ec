"""The predictor that other programs embed."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from classifier.contribution import Direction, Part
from classifier.conversation import judged_texts
from classifier.decision import Decision
from classifier.errors import PromptError
from classifier.explanation import Explanation, base, explain_decision, rival
from classifier.features import TextFeatures
from classifier.injected import strip_injected
from classifier.model_file import Model, read_model
from classifier.policies import Policy, risk
from classifier.prompt_model import Score, softmax
from classifier.reading import Prompt, Reading, read

__all__ = ["TierPredictor"]

_PACKAGED = Path(__file__).with_name("default.tierwise")


class TierPredictor:
    """Decides which price tier a prompt needs.

    Immutable and safe to share between threads; a decision on an ordinary prompt takes microseconds and calls
    nothing outside the standard library. A prompt is a string or a list of OpenAI messages; any text at all
    gets an answer.

    >>> predictor = TierPredictor.default()
    >>> str(predictor.decide("What is the capital of France?").tier)
    'cheap'
    """

    __slots__ = ("_model", "_policy_words", "_version")

    def __init__(self, model: Model, version: str = "unsaved") -> None:
        self._model = model
        self._version = version
        self._policy_words = model.policy.describe()  # worded once: decisions are made far more often

    @classmethod
    def default(cls) -> "TierPredictor":
        """Return the predictor that ships with the package, trained on the project's own `data/`.

        Raises:
            ModelFileError: as `load`, where the installation is not whole.
        """
        return cls.load(_PACKAGED)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "TierPredictor":
        """Return the predictor of a model file.

        Raises:
            ModelFileMissing: if there is no such file, or it cannot be read.
            ModelFileDamaged: if it is not a whole model file.
            ModelFileUnsupported: if another version of Tierwise wrote it.
        """
        file = read_model(Path(path))
        return cls(file.model, file.version)

    @property
    def model(self) -> Model:
        """The weights, the policy and where they come from."""
        return self._model

    @property
    def policy(self) -> Policy:
        """The policy that decisions follow."""
        return self._model.policy

    @property
    def version(self) -> str:
        """The first twelve digits of the model file's digest; "unsaved" for a model never written."""
        return self._version

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What the model file says of itself: training data, metrics, what the policy was chosen for."""
        return self._model.provenance

    def with_policy(self, policy: Policy) -> "TierPredictor":
        """Return a predictor with the same weights under another policy; nothing is copied."""
        return TierPredictor(self._model.with_policy(policy), self._version)

    def decide(self, prompt: Prompt) -> Decision:
        """Return the tier for a prompt, with what it was decided on.

        Raises:
            PromptError: if `prompt` is neither a string nor a non-empty list of OpenAI messages.
        """
        if isinstance(prompt, str):  # the shortest way: strings are what is decided on most
            text, _ = strip_injected(prompt)
            contrast, known = self._model.prompts.score(self._model.prompts.features(text))
        else:
            reading = read(prompt)
            contrast, known = self._score(reading, self._features(reading))
        return self._decision(softmax(contrast), known)

    def explain(self, prompt: Prompt) -> Explanation:
        """Return the decision with the exact contribution of every feature to it.

        Raises:
            PromptError: as `decide`.
        """
        reading = read(prompt)
        features = self._features(reading)
        contrast, known = self._score(reading, features)
        decision = self._decision(softmax(contrast), known)
        against = rival(decision)
        parts = self._contributions(reading, features, Direction.between(decision.tier, against))
        return explain_decision(decision, against, parts, self._comparison(decision))

    def predict_proba(self, prompts: Sequence[Prompt]) -> list[tuple[float, float, float]]:
        """Return P(needs this tier) for each prompt.

        Returns:
            Shape (n_prompts, 3), columns in Tier order; rows sum to 1.

        Raises:
            PromptError: as `decide`; or if `prompts` is one string rather than many.
        """
        if isinstance(prompts, str):
            raise PromptError("predict_proba takes a list of prompts: wrap a single string in a list")
        return [self.decide(prompt).probabilities for prompt in prompts]

    def _is_alone(self, reading: Reading) -> bool:
        """Whether the last turn decides by itself."""
        return self._model.head is None or not reading.is_conversation

    def _features(self, reading: Reading) -> list[TextFeatures]:
        texts = reading.turns[-1:] if self._is_alone(reading) else judged_texts(reading)
        return [self._model.prompts.features(text) for text in texts]

    def _score(self, reading: Reading, features: Sequence[TextFeatures]) -> Score:
        scores = [self._model.prompts.score(each) for each in features]
        if self._model.head is None or self._is_alone(reading):
            return scores[0]
        contrast = self._model.head.contrast(reading, [score.contrast for score in scores])
        return Score(contrast, scores[-2].known_vocabulary)  # of the last turn; behind it stand all, joined

    def _decision(self, probabilities: tuple[float, float, float], known: float) -> Decision:
        tier = self._model.policy.choose(probabilities, known)
        at_stake = risk(probabilities, tier)
        return Decision(tier, probabilities, at_stake, known, self._policy_words, self._version)

    def _comparison(self, decision: Decision) -> str:
        return self.policy.weigh(decision.probabilities, decision.known_vocabulary)

    def _contributions(
        self, reading: Reading, features: Sequence[TextFeatures], direction: Direction
    ) -> list[Part]:
        prompts, head = self._model.prompts, self._model.head
        if head is None or self._is_alone(reading):
            return [base(direction.along(prompts.intercept)), *prompts.contributions(features[0], direction)]
        parts = [base(direction.along(head.intercept)), *head.count_contributions(reading, direction)]
        for each, matrix in zip(features, head.matrices(reading, len(features)), strict=True):
            through = matrix.back(direction)
            parts += [base(through.along(prompts.intercept)), *prompts.contributions(each, through)]
        return parts
