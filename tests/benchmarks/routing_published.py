"""What RouteLLM published of its routers (Ong and others, arXiv 2406.18665), to stand beside ours.

Of each benchmark, the column whose training data comes nearest to labels of one's own: for MMLU the routers
that saw about 1,500 of its labels ("+gold"), for the others those that saw a judge's labels of general chat.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["PUBLISHED", "Published"]


@dataclass(frozen=True, slots=True)
class Published:
    """One router's cells.

    Attributes:
        router: its name.
        cpt_50: share of strong calls, in [0, 1], that recovers half of the gap.
        cpt_80: that recovers four fifths.
        apgr: average performance gap recovered.
    """

    router: str
    cpt_50: float
    cpt_80: float
    apgr: float


PUBLISHED: Final[Mapping[str, tuple[Published, ...]]] = {
    "mmlu": (
        Published("random", 0.5007, 0.7993, 0.500),
        Published("BERT, +gold", 0.4130, 0.7220, 0.572),
        Published("causal LLM, +gold", 0.3549, 0.7031, 0.600),
        Published("matrix factorisation, +gold", 0.3546, 0.7140, 0.597),
        Published("similarity-weighted, +gold", 0.3540, 0.7155, 0.603),
    ),
    "gsm8k": (
        Published("random", 0.5000, 0.8008, 0.497),
        Published("BERT, +judge", 0.4476, 0.7909, 0.531),
        Published("causal LLM, +judge", 0.3364, 0.6326, 0.622),
        Published("matrix factorisation, +judge", 0.3882, 0.7262, 0.565),
        Published("similarity-weighted, +judge", 0.4121, 0.7220, 0.568),
    ),
    "mtbench": (
        Published("random", 0.4903, 0.7808, 0.500),
        Published("BERT, +judge", 0.1958, 0.3402, 0.751),
        Published("causal LLM, +judge", 0.3150, 0.4875, 0.679),
        Published("matrix factorisation, +judge", 0.1340, 0.3131, 0.802),
        Published("similarity-weighted, +judge", 0.2321, 0.3604, 0.759),
    ),
}
