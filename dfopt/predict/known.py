"""Well-known files of well-known images: what a COPY --from of them brings."""

from __future__ import annotations

import re

from dfopt.predict.model import Estimate

_MB = 1_000_000
# Image (a pattern on the whole reference), path (a pattern), value, low, high in MB. Figures of the projects' release
# files and of their official images in 2023 to 2026; they grow by release, hence the intervals.
_TABLE: tuple[tuple[str, str, float, float, float], ...] = (
    (r"(^|/)composer(:|$|@)", r"/usr/bin/composer|/usr/local/bin/composer", 3.0, 1.8, 3.6),
    (r"astral-sh/uv(:|$|@)", r"/uv", 48, 25, 70),
    (r"astral-sh/uv(:|$|@)", r"/uvx", 0.4, 0.2, 0.8),
    (r"astral-sh/uv(:|$|@)", r"/bin", 48, 25, 70),
    (r"(^|/)golang(:|$|@)", r"/usr/local/go", 250, 200, 540),
    (r"(^|/)node(:|$|@)", r"/usr/local/bin/node", 100, 40, 130),
    (r"(^|/)node(:|$|@)", r"/usr/local/bin", 100, 40, 130),
    (r"(^|/)node(:|$|@)", r"/usr/local/lib/node_modules", 17, 10, 30),
    (r"(^|/)node(:|$|@)", r"/usr/local/include", 40, 1, 60),
    (r"(^|/)node(:|$|@)", r"/usr/local/lib", 17, 10, 30),
    (r"(^|/)node(:|$|@)", r"/opt(/yarn.*)?", 5.3, 4.5, 5.6),
    (r"(^|/)node(:|$|@)", r"/usr/local", 160, 110, 190),
    (r"(^|/)docker(:|$|@)", r"/usr/local/bin/docker", 40, 25, 80),
    (r"(^|/)docker(:|$|@)", r"/usr/local/bin/", 160, 80, 260),
    (r"docker/buildx-bin|buildx", r"/buildx", 60, 40, 90),
    (r"(^|/)busybox(:|$|@)", r"/bin/(busybox|sh|wget|ls|cat)", 1.2, 0.7, 2.2),
    (r"mlocati/php-extension-installer", r"/usr/bin/install-php-extensions", 0.15, 0.05, 0.3),
    (r"hadolint", r"/bin/hadolint", 15, 4, 60),
    (r"bitnami/kubectl|rancher/kubectl", r".*/kubectl", 50, 35, 65),
    (r"(^|/)nginx(:|$|@)", r"/etc/nginx/.*", 0.005, 0.0005, 0.05),
    (r"gcr\.io/kaniko", r"/kaniko/executor", 45, 25, 70),
    (r"tonistiigi/xx", r"/", 0.1, 0.02, 0.3),
    (r".*", r"/etc/ssl/certs/ca-certificates\.crt|/etc/pki/tls/certs/ca-bundle\.crt", 0.214, 0.18, 0.3),
    (r".*", r"/etc/ssl/certs|/etc/ssl", 0.222, 0.18, 0.7),
    (r".*", r"/etc/(passwd|group)(_\w+)?", 0.0012, 0.0002, 0.003),
    (r".*", r"/usr/share/zoneinfo", 3.0, 0.4, 6.0),
    (r".*", r"/usr/local/go/lib/time/zoneinfo\.zip", 0.4, 0.35, 0.45),
    (r".*", r"/etc/(nsswitch\.conf|localtime|timezone|hosts|os-release|mime\.types)", 0.001, 0.0001, 0.05),
    (r".*", r"/lib64?(/x86_64-linux-gnu)?/ld-linux-x86-64\.so\.2|/lib/ld-musl-x86_64\.so\.1", 0.22, 0.15, 0.65),
    (r"(^|/)python(:|$|@)", r"/usr/local/lib/python3\.\d+/site-packages", 11.5, 8, 22),
    (r"(^|/)python(:|$|@)", r"/usr/local/bin", 0.03, 0.005, 0.2),
    (r"(^|/)(openjdk|eclipse-temurin|amazoncorretto)(:|$|@)", r"/opt/java(/openjdk)?|/usr/local/openjdk-\d+", 280, 130, 350),
)  # fmt: skip


def known_path(reference: str | None, path: str) -> Estimate | None:
    """Estimate what lies at a path of an image; None where nothing is recorded."""
    wanted = path.rstrip("/") or "/"
    for image, pattern, value, low, high in _TABLE:
        if re.fullmatch(pattern.rstrip("/") or "/", wanted) and (image == ".*" or (reference and re.search(image, reference))):
            return Estimate(value * _MB, low * _MB, high * _MB)
    return None
