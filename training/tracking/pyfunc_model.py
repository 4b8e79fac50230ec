"""The model as MLflow runs it: MLflow keeps this script beside the model file and executes it to load both.

It leans on `classifier`, which travels with it, and never on the rest of `training`. What is logged is code
instead of an object, so nothing is pickled.

    model = mlflow.pyfunc.load_model("models:/tierwise/1")
    model.predict(pandas.DataFrame({"prompt": ["Translate 'cheese' into French."]}))
"""

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from classifier import Decision, PromptError, Tier, TierPredictor

__all__ = ["TierModel"]


class TierModel(PythonModel):
    """A `TierPredictor` behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model file that was logged with this script."""
        self._predictor = TierPredictor.load(context.artifacts["model_file"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  MLflow looks for these names
        model_input: pd.DataFrame,
        params: dict[str, object] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Choose a tier for each prompt.

        Args:
            context: What `load_context` was given.
            model_input: Column `prompt`: strings, or OpenAI messages (lists of mappings).
            params: Ignored: the policy stands in the model file.

        Returns:
            One row a prompt, on the index of `model_input`: `tier` (its name), `probability_cheap`,
            `probability_balanced`, `probability_premium` (in [0, 1], they sum to 1) and `risk` (in [0, 1]).

        Raises:
            MlflowException: A prompt is neither a string nor messages; the message names its row, from 0.
        """
        decisions = [self._decide(row, prompt) for row, prompt in enumerate(model_input["prompt"])]
        tiers = {"tier": [decision.tier.label for decision in decisions]}
        probabilities = {
            f"probability_{tier.label}": [decision.probabilities[tier] for decision in decisions]
            for tier in Tier
        }
        risks = {"risk": [decision.risk for decision in decisions]}
        return pd.DataFrame({**tiers, **probabilities, **risks}, index=model_input.index)

    def _decide(self, row: int, prompt: object) -> Decision:
        try:
            return self._predictor.decide(prompt)  # type: ignore[arg-type]  # whatever a caller sent
        except PromptError as error:
            # For any other exception MLflow's server would answer with a traceback.
            raise MlflowException.invalid_parameter_value(f"prompt in row {row}: {error}") from error


mlflow.models.set_model(TierModel())
