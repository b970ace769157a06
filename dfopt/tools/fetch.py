"""Programs that fetch files: curl, wget, aria2c and the like."""

from __future__ import annotations

import posixpath
from urllib.parse import urlsplit

from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import EVERYTHING, Place
from dfopt.tools.table import tool, verb


def remote_name(url: str) -> str:
    """Give the file name at the end of an address; ``**`` where it has none or it cannot be known.

    The query does not belong to the name, as curl has it; wget keeps it, see ``_wget``.
    """
    if url.startswith("**"):
        tail = url.rpartition("/")[2]
        return tail if tail and not tail.startswith("**") else "**"
    scheme, separator, rest = url.partition("://")
    path = urlsplit(url).path if separator else "/" + url.partition("/")[2].split("?")[0]
    del scheme, rest
    return posixpath.basename(path) or "**"


def _urls(invocation: Invocation, place: Place) -> list[str]:
    return [place.text(word) for word in invocation.operands] + [
        place.text(word) for role, word, _ in invocation.places if role == "url"
    ]


def _curl(invocation: Invocation, place: Place) -> Effects:
    """``-o`` names the file, ``-O`` takes the name of the address, otherwise it is printed."""
    urls = _urls(invocation, place)
    if invocation.has("-V", "-h") and not urls:
        return Effects()
    folder = place.option(invocation, "--output-dir")
    where = place.inside(place.join(folder)) if folder else place
    writes = set[str]()
    if invocation.has("-O", "--remote-name-all"):
        name_unknown = invocation.has("-J")
        writes.update(where.join("./**" if name_unknown else f"./{remote_name(url)}") for url in urls)
    for name in ("-o", "-D", "-c", "--trace"):
        writes.update(where.path(word) for word in invocation.values(name) if where.text(word) != "-")
    reads = frozenset(place.join(url[7:]) for url in urls if url.startswith("file://"))
    return Effects(
        reads=reads | frozenset((place.join("~/.curlrc"), place.join("~/.netrc"))),
        writes=frozenset(writes),
        fetches=frozenset(urls),
        varies=True,
        environment=frozenset(("CURL_*", "SSL_CERT_FILE", "SSL_CERT_DIR")),
    )


def _wget(invocation: Invocation, place: Place) -> Effects:
    """``-O`` names the file, ``-P`` the folder; otherwise the name comes from the address, query included."""
    urls = _urls(invocation, place)
    if invocation.has("-V", "--help") and not urls:
        return Effects()
    writes = set[str]()
    folder = place.option(invocation, "-P")
    where = place.inside(place.join(folder)) if folder else place
    if invocation.has("-O"):
        target = place.option(invocation, "-O") or "**"
        if target not in ("-", "/dev/stdout", "/dev/null"):
            writes.add(place.join(target))
    elif not invocation.has("--spider"):
        recursive = invocation.has("-r", "-m", "-p") or invocation.has("-i") or invocation.has("--content-disposition")
        for url in urls:
            name = remote_name(url)
            writes.add(where.join("./" if recursive else f"./{name}"))
            if "?" in url and not recursive:
                writes.add(where.join(f"./{name}**"))
        if recursive and not urls:
            writes.add(where.join("./"))
    return Effects(
        reads=frozenset(("/etc/wgetrc", place.join("~/.wgetrc"))),
        writes=frozenset(writes) | frozenset((place.join("~/.wget-hsts"),)),
        fetches=frozenset(urls) or frozenset(("index",)),
        varies=True,
        environment=frozenset(("WGETRC",)),
    )


def _named_or_last(invocation: Invocation, place: Place) -> Effects:
    # Downloads into the working directory unless options name a place.
    urls = _urls(invocation, place)
    named = any(role in ("write", "tree") for role, _, _ in invocation.places)
    writes = (
        frozenset[str]()
        if named
        else frozenset(place.join(f"./{remote_name(url)}") for url in urls) or frozenset((place.join("./"),))
    )
    return Effects(writes=writes, fetches=frozenset(urls), varies=True)


def _copy_remote(invocation: Invocation, place: Place) -> Effects:
    """Remote copies: the last operand is written where it is a path of this machine."""
    words = invocation.operands
    if len(words) < 2:
        return Effects(varies=True, fetches=frozenset(("index",)))
    target = place.text(words[-1])
    remote = "://" in target or (":" in target.split("/")[0])
    return Effects(
        reads=frozenset(place.path(word) for word in words[:-1] if ":" not in place.text(word)),
        writes=frozenset()
        if remote
        else frozenset((place.tree(words[-1]), EVERYTHING) if target.startswith("**") else (place.tree(words[-1]),)),
        fetches=frozenset(place.text(word) for word in words[:-1] if ":" in place.text(word)),
        varies=True,
    )


_CURL = """
-o --output =text | -O --remote-name | --remote-name-all | -J --remote-header-name | -L --location
--location-trusted | -f --fail | --fail-with-body | -s --silent | -S --show-error | -k --insecure | -# --progress-bar
-i --include --show-headers
-I --head | -v --verbose | -q --disable | -g --globoff | -C --continue-at =text | -H --header =text
-A --user-agent =text | -e --referer =text | -u --user =text | -x --proxy =text | -U --proxy-user =text
-X --request =text
-d --data --data-ascii =text | --data-binary =text | --data-raw =text | --data-urlencode =text | -F --form =text
-T --upload-file =read | -G --get | -b --cookie =text | -c --cookie-jar =text | -j | -D --dump-header =text
-r --range =text
-m --max-time =text | --connect-timeout =text | --retry =text | --retry-delay =text | --retry-max-time =text
--retry-connrefused | --retry-all-errors | -w --write-out =text | -K --config =read | -n --netrc | --netrc-file =read
-E --cert =read
--key =read | --cacert =read | --capath =read | --compressed | --create-dirs | --output-dir =text | --url =url
-4 --ipv4 | -6 --ipv6 | -1 --tlsv1 | -2 | -3 | -0 --http1.0 | --tlsv1.2 | --tlsv1.3 | --tlsv1.0 | --http1.1 | --http2
--proto =text | --proto-redir =text
--proto-default =text | --ciphers =text | --tls-max =text | --ssl-reqd | -N --no-buffer | -R --remote-time
-z --time-cond =text | -Y =text | -y =text | --speed-time =text | --speed-limit =text | --limit-rate =text
--max-redirs =text
--resolve =text | --interface =text | --noproxy =text | --unix-socket =text | --oauth2-bearer =text | --json =text
--stderr =write | --trace =text | --trace-ascii =text | -V --version | -h --help | --ssl-no-revoke
--no-progress-meter | --basic | --digest | --anyauth | -Z --parallel | --etag-save =write | --etag-compare =read
--doh-url =text | --dns-servers =text
"""
_WGET = """
-O --output-document =text | -P --directory-prefix =text | -o --output-file =write | -a --append-output =write
-q --quiet | -nv --no-verbose | -v --verbose | -d --debug | -i --input-file =read | -c --continue | -N --timestamping
-nc --no-clobber | -b --background
-t --tries =text | -T --timeout =text | -w --wait =text | --waitretry =text | --random-wait | -Q --quota =text
--progress =text | --show-progress | --no-check-certificate | --header =text | -U --user-agent =text | --user =text
--password =text | --http-user =text
--http-password --http-passwd =text | --post-data =text | --post-file =read | --method =text | --body-data =text
--body-file =read | --referer =text | --load-cookies =read | --save-cookies =write | --keep-session-cookies
--no-cookies | --content-disposition | --trust-server-names
-r --recursive | -l --level =text | -m --mirror | -p --page-requisites | -k --convert-links | -np --no-parent
-nH --no-host-directories | -nd --no-directories | -x --force-directories | --cut-dirs =text | -A --accept =text
-R --reject =text | -D --domains =text
-X --exclude-directories =text | -I --include-directories =text | -H --span-hosts | -E --adjust-extension
-S --server-response | --spider | --no-proxy | -e --execute =text | --limit-rate =text | --ca-certificate =read
--ca-directory =read | --certificate =read | --private-key =read
--secure-protocol =text | --max-redirect =text | --retry-connrefused | --no-dns-cache | --dns-timeout =text
--connect-timeout =text | --read-timeout =text | --no-hsts | --https-only | --inet4-only -4 | --inet6-only -6
--prefer-family =text | --auth-no-challenge | -B --base =text | -F --force-html
--unlink | --backups [=text] | -V --version | --help -h | --compression =text | --accept-regex =text
--reject-regex =text | --retry-on-http-error =text | -Y =text | --no-http-keep-alive | --no-cache | --ignore-length
--preserve-permissions | --restrict-file-names =text | --bind-address =text | --passive-ftp | --no-passive-ftp
--ftp-user =text | --ftp-password =text | --use-askpass =text | --no-netrc | --start-pos =text | --report-speed =text
--xattr | --no-config | --config =read
"""

TOOLS = (
    tool("curl", "curl", "fetch", verb("", "fetch", shape=_curl, network=False, seconds=3), opts=_CURL,
        doc="fetches addresses"),
    tool("wget wget2", "wget", "fetch", verb("", "fetch", shape=_wget, seconds=3), opts=_WGET, doc="fetches addresses"),
    tool("aria2c", "aria2c", "fetch", verb("", "fetch", shape=_named_or_last, seconds=3),
        opts="-d --dir =tree | -o --out =text | -x --max-connection-per-server =text | -s --split =text "
            "| -k --min-split-size =text | -q --quiet | -j =text | -i --input-file =read | -c --continue "
            "| --checksum =text", doc="fetches addresses"),
    tool("axel lftp ftp http https httpie fetch youtube-dl yt-dlp gdown", "axel", "fetch", verb("", "fetch",
        shape=_named_or_last, seconds=3), opts="-o --output -O =write | -n =text | -q | -a | -e =text | -d =text",
        doc="fetches addresses"),
    tool("scp sftp", "scp", "fetch", verb("", "fetch", shape=_copy_remote, seconds=3),
        opts="-r | -P =text | -i =read | -o =text | -q | -p | -C | -v | -B | -F =read",
        doc="copies from other machines"),
    tool("ssh sshpass autossh", "ssh", "fetch", verb("", "run", wall=True, network=True,
        reason="it runs something on another machine"), permutes=False, doc="runs something on another machine"),
    tool("ssh-keyscan", "ssh", "fetch", verb("", "fetch", network=True, seconds=1),
        opts="-t =text | -p =text | -H | -T =text | -f =read", doc="asks for host keys"),
    tool("ping ping6 nslookup dig host nc netcat ncat telnet traceroute ip ifconfig route netstat ss arp whois nmap "
            "iptables ip6tables ethtool", "network", "service", verb("", "query", network=True), syntax="raw",
        doc="asks the network"),
    tool("aws gsutil gcloud az s3cmd mc doctl heroku gh hub glab vault kubectl helm terraform packer oc minikube "
            "kind eksctl sops wrangler vercel netlify firebase serverless pulumi flyctl", "cloud", "fetch", verb("",
        "other", network=True, reads=("./", "~/"), writes=("./", "~/", "/tmp/", "/usr/local/", "/usr/lib/"),
        varies=True, seconds=5), permutes=False,
         environment=("AWS_*", "GOOGLE_*", "CLOUDSDK_*", "AZURE_*", "GITHUB_TOKEN", "GH_TOKEN", "HELM_*", "KUBE*",
         "TF_*"), doc="talks to a service"),
    tool("docker docker-compose podman buildah skopeo crane ctr nerdctl kaniko img", "containers", "other", verb("",
        "run", wall=True, network=True, seconds=10), permutes=False, environment=("DOCKER_*",),
        doc="talks to a container engine"),
)  # fmt: skip
