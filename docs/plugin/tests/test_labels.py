"""The examples of the rules are their tests."""

import pytest
from dfopt_example_rules.labels import LabelCase

import dfopt
from dfopt.lint.testing import check_rule


@pytest.mark.parametrize("rule", [LabelCase])
def test_a_rule_keeps_its_examples(rule):
    """The examples stand in the rule itself."""
    check_rule(rule)


def test_the_rule_runs_where_plugins_are_switched_on():
    """The entry point in pyproject.toml leads to the rule, and its option is obeyed."""
    config = dfopt.Config(plugins=True, select=("own-label-case",), rules={"Z101": {"prefix": "a."}})
    assert [one.code for one in dfopt.lint("FROM scratch\nLABEL a.B=1\n", config=config)] == ["Z101"]
