"""Facts of images from their registry: manifest and configuration only, a few kB, by the OCI distribution protocol."""

from __future__ import annotations

import hashlib
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any

from dfopt.images import facts as embedded_facts
from dfopt.images.built import BuiltImage, rows_of
from dfopt.images.model import ImageFacts
from dfopt.predict.model import RemoteSize
from dfopt.remote.credentials import Credentials, find_credentials
from dfopt.syntax.reference import ImageReference

_HUB = "registry-1.docker.io"
_AGENT = "dfopt (asks for the size of an image)"
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_LIMIT_BYTES = 8_000_000
_TIMEOUT_SECONDS = 10.0
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?")
_AGAIN = frozenset((429, 500, 502, 503, 504))


class RegistryError(Exception):
    """A registry did not answer, or not as it should; the message is for people."""


class RegistryFacts:
    """A source of facts that asks registries about images.

    Per image two to four small requests are made; layers are never fetched. ``platform`` is the one to look for,
    ``mirrors`` are asked before Docker Hub for its images (``host`` or ``http://host``), ``insecure`` are hosts that
    speak plain HTTP; those of the own machine are tried so anyway. ``timeout_seconds`` bounds each request from its
    beginning to its last byte. Answers are kept, failures too: ``failures`` says why an image gave nothing.
    """

    def __init__(
        self,
        *,
        platform: str = "linux/amd64",
        timeout_seconds: float = _TIMEOUT_SECONDS,
        mirrors: Iterable[str] = (),
        insecure: Iterable[str] = (),
        credentials: Callable[[str], Credentials | None] = find_credentials,
    ) -> None:
        self.platform = platform
        self.timeout_seconds = timeout_seconds
        self.mirrors = tuple(mirrors)
        self.insecure = frozenset(insecure)
        self.credentials = credentials
        self.failures: dict[str, str] = {}
        self._images: dict[str, ImageFacts | None] = {}
        self._headers: dict[tuple[str, str], str] = {}
        self._dead: dict[str, str] = {}
        self._opener = urllib.request.build_opener(_Redirects())

    def image(self, reference: str) -> ImageFacts | None:
        """Give the facts of an image from its registry; None where it does not tell."""
        if reference not in self._images:
            try:
                self._images[reference] = self.built(reference).facts(embedded_facts(reference))
            except RegistryError as error:
                self._images[reference] = None
                self.failures[reference] = str(error)
        return self._images[reference]

    def remote(self, url: str) -> RemoteSize | None:
        """Give nothing: downloads are not this source's business."""
        return None

    def built(self, reference: str) -> BuiltImage:
        """Ask for an image's manifest and configuration. Raises RegistryError."""
        try:
            name = ImageReference.parse(reference)
        except ValueError as error:
            raise RegistryError(f"is no image reference: {error}") from error
        wanted = name.digest or name.tag or "latest"
        hosts = [*self.mirrors, _HUB] if name.domain == "docker.io" else [name.domain]
        problems: list[str] = []
        for host in hosts:
            try:
                return self._built(host, name.path, wanted, reference)
            except RegistryError as error:
                problems.append(f"{host}: {error}")
        raise RegistryError("; ".join(problems))

    def _built(self, host: str, repository: str, wanted: str, reference: str) -> BuiltImage:
        manifest, digest = self._manifest(host, repository, wanted)
        if manifest.get("mediaType") in _INDEXES or "manifests" in manifest:
            manifest, digest = self._manifest(host, repository, _choose(manifest, self.platform))
        layers = manifest.get("layers")
        config = manifest.get("config")
        if not isinstance(layers, list) or not isinstance(config, dict):
            raise RegistryError("the manifest is of a kind that is not understood")
        settings = self._json(host, repository, "blobs", str(config.get("digest", "")), verify=True)[0]
        sizes = [int(layer.get("size", 0)) for layer in layers if isinstance(layer, dict)]
        return BuiltImage(
            reference,
            rows_of(settings, [None] * len(sizes), sizes),
            settings.get("config") or {},
            f"the registry's manifest {digest.removeprefix('sha256:')[:12]}",
        )

    def _manifest(self, host: str, repository: str, wanted: str) -> tuple[dict[str, Any], str]:
        return self._json(host, repository, "manifests", wanted, verify=wanted.startswith("sha256:"))

    def _json(self, host: str, repository: str, kind: str, wanted: str, *, verify: bool) -> tuple[dict[str, Any], str]:
        """Fetch a manifest or configuration; what is named by its digest must have it."""
        data = self._fetch(host, repository, f"/v2/{repository}/{kind}/{wanted}")
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if verify and wanted.startswith("sha256:") and digest != wanted:
            raise RegistryError(f"what it sent is not {wanted[:19]}")
        try:
            answer = json.loads(data)
        except ValueError as error:
            raise RegistryError(f"its answer is no JSON: {error}") from error
        if not isinstance(answer, dict):
            raise RegistryError("its answer is no JSON object")
        return answer, digest

    # ------------------------------------------------------------------ requests

    def _fetch(self, host: str, repository: str, path: str) -> bytes:
        if host in self._dead:
            raise RegistryError(self._dead[host])
        url = self._base(host) + urllib.parse.quote(path, safe="/:@")
        headers = {"Accept": ", ".join((*_INDEXES, *_MANIFESTS, "application/json")), "User-Agent": _AGENT}
        known = self._headers.get((host, repository))
        if known is not None:
            headers["Authorization"] = known
        for attempt in range(3):
            try:
                return self._read(urllib.request.Request(url, headers=headers))
            except urllib.error.HTTPError as error:
                challenge = error.headers.get("WWW-Authenticate") or ""
                if error.code == 401 and challenge and "Authorization" not in headers:
                    headers["Authorization"] = self._authorize(host, repository, challenge)
                    self._headers[host, repository] = headers["Authorization"]
                elif error.code in _AGAIN and attempt < 2:
                    time.sleep(min(0.2 * (attempt + 1), self.timeout_seconds / 10))
                else:
                    raise RegistryError(_said(error)) from error
            except (OSError, HTTPException) as error:
                reason = _reason(error)
                self._dead[host] = reason
                raise RegistryError(reason) from error
        raise RegistryError("it goes on asking for credentials")

    def _base(self, host: str) -> str:
        if "://" in host:
            return host.rstrip("/")
        plain = host in self.insecure or _LOOPBACK.fullmatch(host) is not None
        return f"{'http' if plain else 'https'}://{host}"

    def _authorize(self, host: str, repository: str, challenge: str) -> str:
        """Answer a challenge: basic credentials, or a token that the named service gives for them."""
        scheme, _, rest = challenge.partition(" ")
        name = urllib.parse.urlsplit(self._base(host)).netloc
        own = self.credentials(name)
        if scheme.lower() == "basic":
            if own is None:
                raise RegistryError("it asks for credentials, and docker's configuration has none for it")
            return own.basic
        if scheme.lower() != "bearer":
            raise RegistryError(f"it asks for authentication by {scheme}, which is not known")
        fields = dict(_CHALLENGE.findall(rest))
        realm = fields.get("realm", "")
        if urllib.parse.urlsplit(realm).scheme not in ("http", "https"):
            raise RegistryError("it names no place that gives tokens")
        scope = fields.get("scope") or f"repository:{repository}:pull"
        query = {"service": fields.get("service", ""), "scope": scope}
        if own is not None and not _is_safe(realm):
            own = None  # A password is not sent over plain HTTP to another machine.
        try:
            data = self._read(_token_request(realm, query, own))
            answer = json.loads(data)
        except urllib.error.HTTPError as error:
            raise RegistryError(f"the token service says: {_said(error)}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise RegistryError(f"the token service does not answer: {_reason(error)}") from error
        token = (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
        if not token:
            raise RegistryError("the token service gives no token")
        return f"Bearer {token}"

    def _read(self, request: urllib.request.Request) -> bytes:
        """Read an answer to its end, within the time-out as a whole."""
        end = time.monotonic() + self.timeout_seconds
        with self._opener.open(request, timeout=self.timeout_seconds) as answer:
            data = bytearray()
            while True:
                if time.monotonic() > end:
                    raise TimeoutError(f"it takes longer than {self.timeout_seconds:g} s")
                # One piece at a time: a server that sends a byte now and then must not hold us for ever.
                piece = answer.read1(65_536)
                if not piece:
                    length = answer.headers.get("Content-Length")
                    if length and length.isdigit() and int(length) > len(data):
                        raise ConnectionError("it broke off in the middle of its answer")
                    return bytes(data)
                data += piece
                if len(data) > _LIMIT_BYTES:
                    raise RegistryError("its answer is too large for a manifest")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, without carrying credentials to another host."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Make the request to follow."""
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and urllib.parse.urlsplit(newurl).netloc != urllib.parse.urlsplit(req.full_url).netloc:
            request.remove_header("Authorization")
        return request


def _token_request(realm: str, query: Mapping[str, str], own: Credentials | None) -> urllib.request.Request:
    headers = {"User-Agent": _AGENT}
    if own is not None and own.identity_token:
        form = {**query, "grant_type": "refresh_token", "refresh_token": own.identity_token, "client_id": "dfopt"}
        return urllib.request.Request(realm, data=urllib.parse.urlencode(form).encode(), headers=headers)
    if own is not None:
        headers["Authorization"] = own.basic
    given = {name: value for name, value in query.items() if value}
    joiner = "&" if "?" in realm else "?"
    return urllib.request.Request(realm + joiner + urllib.parse.urlencode(given), headers=headers)


def _is_safe(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "https" or _LOOPBACK.fullmatch(parts.netloc) is not None


def _choose(index: Mapping[str, Any], platform: str) -> str:
    """Choose the manifest of a platform from an index. Raises RegistryError."""
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    found: list[tuple[bool, str]] = []
    for entry in index.get("manifests") or ():
        place = entry.get("platform") or {} if isinstance(entry, dict) else {}
        if place.get("os") == system and place.get("architecture") == architecture:
            found.append((bool(variant) and place.get("variant") != variant, str(entry.get("digest", ""))))
    if not found:
        raise RegistryError(f"there is no image for {platform}")
    return min(found)[1]


def _said(error: urllib.error.HTTPError) -> str:
    if error.code == 404:
        return "there is no such image"
    if error.code in (401, 403):
        return "access is denied"
    return f"HTTP {error.code} {error.reason}".strip()


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)
    if isinstance(inner, TimeoutError):
        return str(inner) if "longer" in str(inner) else "it does not answer in time"
    return str(inner) or type(inner).__name__
