"""The value of RUN --mount: fields in the quoting of CSV."""

from __future__ import annotations

from dfopt.syntax.tree import Flag, Mount


class MountError(ValueError):
    """The fields cannot be told apart."""


def mount_fields(value: str) -> list[str]:
    """Cut a mount's value into its fields. Raises MountError for a stray or an open quote."""
    fields: list[str] = []
    at = 0
    while True:
        if value.startswith('"', at):
            text, at = [], at + 1
            while True:
                close = value.find('"', at)
                if close < 0:
                    raise MountError("a double quote has no counterpart")
                text.append(value[at:close])
                at = close + 1
                if not value.startswith('"', at):
                    break
                text.append('"')
                at += 1
            if at < len(value) and value[at] != ",":
                raise MountError("a double quote ends in the middle of a field")
            fields.append("".join(text))
        else:
            end = value.find(",", at)
            end = len(value) if end < 0 else end
            if '"' in value[at:end]:
                raise MountError("a double quote stands inside a field")
            fields.append(value[at:end])
            at = end
        if at >= len(value):
            return fields
        at += 1


def read_mount(flag: Flag) -> Mount:
    """Read the fields of a ``--mount`` flag; what cannot be read is left out."""
    try:
        fields = mount_fields(flag.value or "")
    except MountError:
        fields = []
    pairs = []
    for field in fields:
        key, equals, value = field.partition("=")
        pairs.append((key.lower(), value if equals else None))
    return Mount(tuple(pairs), flag)
