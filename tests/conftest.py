"""What all tests share: generated examples are the same in CI every time, and a slow machine is no failure."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("dfopt", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("dfopt")
