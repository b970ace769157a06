"""Operands that have a form of their own: ports, signals, file modes and checksums."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_SIGNAL_NAMES = """
ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN
TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX
"""
_SIGNALS = frozenset(
    (
        *_SIGNAL_NAMES.split(),
        *(f"RTMIN+{number}" for number in range(1, 16)),
        *(f"RTMAX-{number}" for number in range(1, 15)),
    )
)
_SYMBOLIC = re.compile(r"[ugoa]*(?:[-+=](?:[ugo]|[rwxXst]*))+", re.ASCII)
_LARGEST_PORT = 65535


class Port(NamedTuple):
    """A word of EXPOSE: the container ports it opens, and what else stands in it."""

    first: int
    last: int
    protocol: str
    written_protocol: str
    host: bool
    """Whether an address or a port of the host stands in front."""

    @property
    def names(self) -> list[str]:
        """The ports as an image configuration names them."""
        return [f"{number}/{self.protocol}" for number in range(self.first, self.last + 1)]


def parse_port(text: str) -> Port:
    """Read ``[[address:]host:]port[/protocol]``. Raises ValueError with the reason."""
    head, _, tail = text.rpartition(":")
    address, _, host = head.rpartition(":")
    port, _, written = tail.partition("/")
    if not port:
        raise ValueError("the port is missing")
    protocol = (written or "tcp").lower()
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"{written} is none of tcp, udp and sctp")
    if address:
        _check_address(address)
    first, last = _range(port)
    if host:
        low, high = _range(host)
        if last - first not in (0, high - low):
            raise ValueError("both ranges must be of the same length")
    return Port(first, last, protocol, written, bool(host or address))


def _check_address(address: str) -> None:
    import ipaddress

    if address.startswith("["):
        if not address.endswith("]"):
            raise ValueError(f"{address} is no address")
        address = address[1:-1]
    try:
        ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        raise ValueError(f"{address} is no address") from None


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    numbers = [first, last] if dash else [first, first]
    if not all(_NUMBER.fullmatch(number) and int(number) <= _LARGEST_PORT for number in numbers):
        raise ValueError(f"{text} is no number up to {_LARGEST_PORT}, nor a range of them")
    if int(numbers[0]) > int(numbers[1]):
        raise ValueError(f"the range {text} runs backwards")
    return int(numbers[0]), int(numbers[1])


def is_signal(text: str) -> bool:
    """Tell whether STOPSIGNAL accepts a text: any number but 0, or a name with or without SIG in any case."""
    if re.fullmatch(r"[-+]?[0-9]+", text, re.ASCII):
        return int(text) != 0 and abs(int(text)) < 2**63
    return text.upper().removeprefix("SIG") in _SIGNALS


def is_mode(text: str) -> bool:
    """Tell whether ``--chmod`` accepts a text: octal digits up to 07777, or a symbolic mode."""
    if text[:1].isdigit():
        return re.fullmatch("[0-7]+", text, re.ASCII) is not None and int(text, 8) <= 0o7777
    return all(_SYMBOLIC.fullmatch(part) for part in text.split(","))


def check_digest(text: str) -> None:
    """Check a digest ``algorithm:hex`` such as ``--checksum`` takes for URLs. Raises ValueError with the reason."""
    algorithm, colon, value = text.partition(":")
    if not colon or not re.fullmatch(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*", algorithm, re.ASCII):
        raise ValueError("it is no digest such as sha256:...")
    length = {"sha256": 64, "sha384": 96, "sha512": 128}.get(algorithm)
    if length is None:
        raise ValueError(f"the algorithm {algorithm} is not supported")
    if not re.fullmatch(rf"[a-f0-9]{{{length}}}", value, re.ASCII):
        raise ValueError(f"a {algorithm} digest has {length} hexadecimal digits")
