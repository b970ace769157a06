"""Licence expressions of SPDX."""

from __future__ import annotations

import pytest

from dfopt.lint.licenses import license_problem


@pytest.mark.parametrize(
    "text",
    [
        "MIT",
        "mit",
        "Apache-2.0 OR MIT",
        "MIT AND (BSD-3-Clause OR Apache-2.0)",
        "GPL-2.0-or-later WITH Classpath-exception-2.0",
        "LicenseRef-Own-1.0",
        "DocumentRef-other:LicenseRef-Own",
        "EPL-2.0+",
    ],
)
def test_expressions_are_fine(text: str) -> None:
    assert license_problem(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Apache 2", "Apache is no identifier"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("GPL-2.0+", "GPL-2.0-only"),
        ("MIT Apache-2.0", "missing"),
        ("MIT AND", "too early"),
        ("(MIT", "too early"),
        ("MIT WITH Apache-2.0", "no identifier"),
        ("Classpath-exception-2.0", "no identifier"),
        ("", "too early"),
        ("MIT )", "missing"),
    ],
)
def test_what_is_no_expression_is_told(text: str, why: str) -> None:
    assert why in (license_problem(text) or "")
