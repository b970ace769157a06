"""Well-known files of well-known images: what a COPY --from of them brings."""

from __future__ import annotations

import re
from functools import lru_cache

from dfopt.predict.model import Estimate

_MB = 1_000_000
_TABLE = r"""
(^|/)composer(:|$|@)  /usr/bin/composer|/usr/local/bin/composer  3 1.8 3.6
astral-sh/uv(:|$|@)  /uv  48 25 70
astral-sh/uv(:|$|@)  /uvx  0.4 0.2 0.8
astral-sh/uv(:|$|@)  /bin  48 25 70
(^|/)golang(:|$|@)  /usr/local/go  250 200 540
(^|/)node(:|$|@)  /usr/local/bin/node  100 40 130
(^|/)node(:|$|@)  /usr/local/bin  100 40 130
(^|/)node(:|$|@)  /usr/local/lib/node_modules  17 10 30
(^|/)node(:|$|@)  /usr/local/include  40 1 60
(^|/)node(:|$|@)  /usr/local/lib  17 10 30
(^|/)node(:|$|@)  /opt(/yarn.*)?  5.3 4.5 5.6
(^|/)node(:|$|@)  /usr/local  160 110 190
(^|/)docker(:|$|@)  /usr/local/bin/docker  40 25 80
(^|/)docker(:|$|@)  /usr/local/bin/  160 80 260
docker/buildx-bin|buildx  /buildx  60 40 90
(^|/)busybox(:|$|@)  /bin/(busybox|sh|wget|ls|cat)  1.2 0.7 2.2
mlocati/php-extension-installer  /usr/bin/install-php-extensions  0.15 0.05 0.3
hadolint  /bin/hadolint  15 4 60
bitnami/kubectl|rancher/kubectl  .*/kubectl  50 35 65
(^|/)nginx(:|$|@)  /etc/nginx/.*  0.005 0.0005 0.05
gcr\.io/kaniko  /kaniko/executor  45 25 70
tonistiigi/xx  /  0.1 0.02 0.3
(^|/)debian(:|$|@)  /etc  0.17 0.15 0.3
(^|/)debian(:|$|@)  (/usr)?/bin  21.5 18 25
(^|/)debian(:|$|@)  (/usr)?/sbin  5.5 4 7
(^|/)debian(:|$|@)  (/usr)?/lib/x86_64-linux-gnu  39 36 45
(^|/)debian(:|$|@)  (/usr)?/lib  41 38 48
(^|/)debian:.*slim  /usr/share/doc  1 0.8 1.2
(^|/)debian:.*slim  /usr/share/(man|locale|info)  0 0 0.1
(^|/)debian:.*slim  /usr/share  3 2.5 3.5
(^|/)debian:.*slim  /usr  72 65 80
(^|/)debian(:|$|@)  /usr/share/doc  7.6 6 9
(^|/)debian(:|$|@)  /usr/share/man  2.9 2 4
(^|/)debian(:|$|@)  /usr/share/locale  31.8 25 36
(^|/)debian(:|$|@)  /usr/share  45 36 52
(^|/)debian(:|$|@)  /usr  112 105 125
(^|/)debian(:|$|@)  /var/lib/dpkg  2.75 2 4
(^|/)debian(:|$|@)  /var  4.3 3.5 6
(^|/)(debian|python|node|ruby|golang|nginx)(:|$|@)  /usr/share/zoneinfo  1.3 0.5 6
.*  (/usr)?/bin/bash  1.27 0.9 1.5
.*  /etc/ssl/certs/ca-certificates\.crt|/etc/pki/tls/certs/ca-bundle\.crt  0.214 0.18 0.3
.*  /etc/ssl/certs|/etc/ssl  0.222 0.18 0.7
.*  /etc/(passwd|group)(_\w+)?  0.0012 0.0002 0.003
.*  /usr/share/zoneinfo  3 0.4 6
.*  /usr/local/go/lib/time/zoneinfo\.zip  0.4 0.35 0.45
.*  /etc/(nsswitch\.conf|localtime|timezone|hosts|os-release|mime\.types)  0.001 0.0001 0.05
.*  /lib64?(/x86_64-linux-gnu)?/ld-linux-x86-64\.so\.2|/lib/ld-musl-x86_64\.so\.1  0.22 0.15 0.65
(^|/)python(:|$|@)  /usr/local/lib/python3\.\d+/site-packages  11 8 16
(^|/)python(:|$|@)  /usr/local/lib/python3\.\d+  43 33 80
(^|/)python(:|$|@)  /usr/local/lib  48 35 90
(^|/)python(:|$|@)  /usr/local  55 40 100
(^|/)python(:|$|@)  /usr/local/bin  0.03 0.005 0.2
(^|/)(openjdk|eclipse-temurin|amazoncorretto)(:|$|@)  /opt/java(/openjdk)?|/usr/local/openjdk-\d+  280 130 350
"""
"""A pattern of the image, a pattern of the path, value, low and high in MB; fields stand two blanks apart.

The folders of Debian and Python were measured; the rest are figures of the projects' release files and of their
official images in 2023 to 2026. They grow by release, hence the intervals.
"""


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[str, re.Pattern[str], Estimate], ...]:
    """Read the table."""
    rows: list[tuple[str, re.Pattern[str], Estimate]] = []
    for line in _TABLE.replace("\\\n", "").strip().splitlines():
        image, path, figures = re.split(r" {2,}", line)
        value, low, high = (float(number) * _MB for number in figures.split())
        rows.append((image, re.compile(path.rstrip("/") or "/"), Estimate(value, low, high)))
    return tuple(rows)


def known_path(reference: str | None, path: str, *, generic: bool = True) -> Estimate | None:
    """Estimate what lies at a path of an image; None where nothing is recorded.

    Without ``generic``, only what is recorded of this very image counts, not what most images have.
    """
    wanted = path.rstrip("/") or "/"
    for image, pattern, size in _rows():
        if image == ".*" and not generic:
            continue
        if pattern.fullmatch(wanted) and (image == ".*" or (reference and re.search(image, reference))):
            return size
    return None
