"""Facts about known base images: sizes, environment, user, packages; from embedded data, without asking anyone."""

from dfopt.images.known import facts
from dfopt.images.model import ImageFacts

__all__ = ["ImageFacts", "facts"]
