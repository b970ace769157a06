"""What all tests share: generated examples are the same in CI every time, and neither a slow machine nor an earlier
run makes a difference.
"""

from __future__ import annotations

import os

from hypothesis import settings

os.environ["DFOPT_CACHE"] = "off"  # no test looks at what another run left

settings.register_profile("dfopt", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("dfopt")
