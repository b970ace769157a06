"""The built-in rules, one topic per file; found by name when the linter runs."""
