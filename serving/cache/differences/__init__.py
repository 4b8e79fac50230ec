"""The guard of the semantic cache: what sets two asks apart that look alike. Pure, standard library alone."""

from serving.cache.differences.comparison import LONGEST, difference
from serving.cache.differences.kinds import Difference, Kind

__all__ = ["LONGEST", "Difference", "Kind", "difference"]
