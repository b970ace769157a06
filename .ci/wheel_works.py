"""Shows that an installed wheel does its whole job from any folder: grammar, data and rules are inside."""

import subprocess
import sys
import tempfile
from pathlib import Path

import dfopt

TEXT = "FROM debian:bookworm\nRUN apt-get update\nRUN apt-get install -y curl\nCMD curl https://example.com\n"

assert "site-packages" in dfopt.__file__, dfopt.__file__
assert str(dfopt.parse(TEXT)) == TEXT
findings = dfopt.lint(TEXT)
assert findings, "the linter finds nothing"
prediction = dfopt.predict(TEXT)
assert prediction.image is not None
assert prediction.image.total.value > 100_000_000, prediction.image.total
plan = dfopt.optimize(TEXT)
assert plan.changes, "the optimizer changes nothing"
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder, "Dockerfile")
    file.write_text(TEXT)
    run = subprocess.run(
        [sys.executable, "-m", "dfopt", "lint", str(file)], capture_output=True, text=True, check=False
    )
    assert run.returncode in (0, 1), run.stderr
    assert run.stdout, run.stderr
print(f"dfopt {dfopt.__version__} from a wheel: {len(findings)} findings, {len(plan.changes)} changes")
