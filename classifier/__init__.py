"""Choose a price tier for a prompt before it is sent; needs nothing but the standard library."""

from classifier.contribution import Contribution
from classifier.decision import Decision
from classifier.errors import (
    ClassifierError,
    ModelFileDamaged,
    ModelFileError,
    ModelFileMissing,
    ModelFileNotWritten,
    ModelFileUnsupported,
    PolicyError,
    PromptError,
    TierError,
)
from classifier.explanation import Explanation
from classifier.policies import (
    AbstainingPolicy,
    BoundedPolicy,
    ExpectedCostPolicy,
    FixedPolicy,
    Policy,
    RiskPolicy,
    policy_from_dict,
)
from classifier.predictor import TierPredictor
from classifier.reading import Prompt, Reading, read
from classifier.tier import TIERS, Tier

__all__ = [
    "TIERS",
    "AbstainingPolicy",
    "BoundedPolicy",
    "ClassifierError",
    "Contribution",
    "Decision",
    "ExpectedCostPolicy",
    "Explanation",
    "FixedPolicy",
    "ModelFileDamaged",
    "ModelFileError",
    "ModelFileMissing",
    "ModelFileNotWritten",
    "ModelFileUnsupported",
    "Policy",
    "PolicyError",
    "Prompt",
    "PromptError",
    "Reading",
    "RiskPolicy",
    "Tier",
    "TierError",
    "TierPredictor",
    "policy_from_dict",
    "read",
]
