"""Shell code in instructions: read, evaluated and placed in the file."""

from dfopt.shell.script import dialect_of, parse_script, script_of, script_text, shell_pragma

__all__ = ["dialect_of", "parse_script", "script_of", "script_text", "shell_pragma"]
