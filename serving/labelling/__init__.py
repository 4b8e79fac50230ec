"""Labels for one's own prompts: the three tiers answer, a judge scores, an outcome table comes out.

`python -m serving label` is the way in (`serving.labelling.command`).
"""

from serving.labelling.prompts import PromptToLabel, read_prompts_to_label
from serving.labelling.settings import LabelSettings

__all__ = ["LabelSettings", "PromptToLabel", "read_prompts_to_label"]
