"""What a command takes away of the caches that package managers leave."""

from __future__ import annotations

from dfopt.shell.model import Command
from dfopt.tools.caches import CLEANING, cache_path
from dfopt.tools.effects import effects
from dfopt.tools.model import Cleaned, Setting
from dfopt.tools.paths import EVERYTHING, Place, covers
from dfopt.tools.recognise import recognise

NOTHING_CLEANED = Cleaned()
_CLEANERS = frozenset(("delete", "clean", "query"))


def cleans(command: Command, setting: Setting | None = None) -> Cleaned:
    """Give what a command removes of the known caches, as ``rm -rf /var/lib/apt/lists/*`` or ``npm cache clean`` do.

    A path counts for a family where the command certainly removes everything at one of the family's cache paths; the
    paths given for the family are those of its table.
    """
    invocation = recognise(command)
    if invocation is None or invocation.action not in _CLEANERS:
        return NOTHING_CLEANED
    setting = setting or Setting()
    place = Place.of(command, setting)
    removed = effects(command, setting).removes
    if not removed:
        return NOTHING_CLEANED
    families: dict[str, tuple[str, ...]] = {}
    for family, cleaning in CLEANING.items():
        gone = tuple(
            path for path in cleaning.paths if any(_empties(one, path, cache_path(path, place)) for one in removed)
        )
        if gone:
            families[family] = gone
    return Cleaned(removed, families)


def _empties(pattern: str, path: str, place: str) -> bool:
    """Tell whether removing a pattern leaves nothing at a cache path."""
    if pattern == EVERYTHING:
        return False
    if not path.startswith(("/", "~")):
        return pattern.rstrip("/*").endswith("/" + path.rstrip("/"))
    place = place.rstrip("/")
    if covers(pattern.rstrip("/") or "/", place):
        return True
    # ".../lists/*" empties the folder without removing it; "*.deb" and "partial/*" do not.
    folder, _, last = pattern.rstrip("/").rpartition("/")
    return last in ("*", "**", "*.*", "?*") and "**" not in folder and covers(folder or "/", place)
