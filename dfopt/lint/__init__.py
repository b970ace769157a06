"""Checking Dockerfiles: rules and their choice, suppressions, ShellCheck, fixes, and the run that joins them."""
