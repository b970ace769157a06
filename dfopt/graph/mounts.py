"""The mounts of a RUN with variables put in, checked as a build checks them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from dfopt.graph import paths
from dfopt.graph.model import RunMount
from dfopt.syntax.mounts import MountError, resolve_mount
from dfopt.syntax.tree import Mount


def place_mount(mount: Mount, expand: Callable[[str], str], workdir: str) -> RunMount:
    """Give a mount with its defaults and an absolute target. Raises MountError and WordError."""
    options = resolve_mount(mount.fields, expand)
    name, target, env = options.id, options.target, options.env
    if options.type == "secret":
        name = options.source or name or _last(target)
        if env is None:
            target = target or f"/run/secrets/{_last(name)}"
        else:
            env = env or name
    elif options.type == "ssh":
        if options.source:
            raise MountError("type=ssh takes no source")
    else:
        target = target if target.startswith("/") else paths.join(workdir, target)
        if target == "/":
            raise MountError("the target must be another directory than /")
        if options.type == "cache" and not name:
            name = paths.clean(options.target) if options.target else "."
    return RunMount(
        options.type,
        target or None,
        options.source,
        options.from_,
        read_only=options.readonly,
        id=name,
        sharing=options.sharing or ("shared" if options.type == "cache" else ""),
        required=options.required,
        env=env,
        size=options.size_bytes or None,
        mode=options.mode,
        uid=options.uid,
        gid=options.gid,
    )


def _last(path: str) -> str:
    return posixpath.basename(path.rstrip("/")) or "/"
