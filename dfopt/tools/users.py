"""Programs that manage users and groups."""

from __future__ import annotations

from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import EVERYTHING, Place
from dfopt.tools.table import tool, verb

_DATABASE = (
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/subuid",
    "/etc/subgid",
    "/etc/passwd-",
    "/etc/group-",
    "/etc/shadow-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
)
_LOGS = ("/var/log/lastlog", "/var/log/faillog", "/var/mail/", "/var/spool/mail/")
_SETTINGS = ("/etc/login.defs", "/etc/default/useradd", "/etc/adduser.conf", "/etc/skel/")


def _add_user(invocation: Invocation, place: Place) -> Effects:
    # The home is made where an option or the program's habit says so.
    words = invocation.operands
    if invocation.has("-M", "--no-create-home", "-H"):
        return Effects()
    name = place.text(words[0]) if words else "**"
    home = place.option(invocation, "-d") or (
        place.option(invocation, "-h") if invocation.tool.names[0] == "adduser" else None
    )
    path = place.join(home) if home else f"/home/{name}"
    return Effects(writes=frozenset((path if path == EVERYTHING else path.rstrip("/") + "/",)))


def _change_user(invocation: Invocation, place: Place) -> Effects:
    # A new home may be moved; a new number changes the owner of the home.
    if invocation.has("-m", "-u", "-d"):
        home = place.option(invocation, "-d")
        return Effects(
            writes=frozenset((place.join(home + "/") if home else "/home/",)) | frozenset(("/home/",)),
            reads=frozenset(("/home/",)),
        )
    return Effects()


def _su(invocation: Invocation, place: Place) -> Effects:
    """``su -c`` runs its text as another user: nothing of it is seen from here."""
    return Effects(
        wall=True,
        reads=frozenset((EVERYTHING,)),
        writes=frozenset((EVERYTHING,)),
        reason="su: it runs a command as another user",
    )


TOOLS = (
    tool("useradd", "useradd", "user", verb("", "add-user", reads=(*_DATABASE, *_SETTINGS), writes=(*_DATABASE,
        *_LOGS), users=True, varies=True, shape=_add_user),
         opts="-b --base-dir =text | -c --comment =text | -d --home-dir --home =text | -D --defaults "
              "| -e --expiredate =text | -f --inactive =text | -g --gid =text | -G --groups =text | -k --skel =read "
              "| -K --key =text | -l --no-log-init | -m --create-home"
              "| -M --no-create-home | -N --no-user-group | -o --non-unique | -p --password =text | -r --system "
                  "| -R --root =tree | -s --shell =text | -u --uid =text | -U --user-group | -Z --selinux-user =text "
                  "| --badname | --badnames", doc="adds a user"),
    tool("adduser", "adduser", "user", verb("", "add-user", reads=(*_DATABASE, *_SETTINGS), writes=(*_DATABASE,
        *_LOGS), users=True, varies=True, shape=_add_user),
         opts="-d --home =text | -h =text | --shell -s =text | --uid -u =text | --gid =text | --ingroup -G =text "
              "| --gecos --comment -g -c =text | --system -S -r | --disabled-password --disabled-login -D "
              "| --no-create-home -H -M | --group | --force-badname --allow-badname --allow-bad-names | --quiet -q"
              "| --debug | --firstuid =text | --lastuid =text | --conf =read | --add_extra_groups | --encrypt-home "
                  "| -m | -k =read | -U | -N | -l | -p =text | -b =text | -o", doc="adds a user"),
    tool("groupadd addgroup", "groupadd", "user", verb("", "add-user", reads=_DATABASE, writes=_DATABASE, users=True,
        deterministic=True),
         opts="-g --gid =text | -r --system -S | -f --force | -o --non-unique | -K =text | -p =text | -R =tree "
              "| --quiet -q | --group | --gecos =text | --force-badname", doc="adds a group"),
    tool("usermod", "usermod", "user", verb("", "add-user", reads=_DATABASE, writes=_DATABASE, users=True,
        shape=_change_user),
         opts="-a --append | -A =text | -G --groups =text | -g --gid =text | -d --home =text | -m --move-home "
              "| -u --uid =text | -s --shell =text | -l --login =text | -L --lock | -U --unlock | -p --password =text "
              "| -c --comment =text | -o --non-unique | -e =text | -f =text | -aG =text | -v =text | -w =text",
         doc="changes a user"),
    tool("groupmod", "groupmod", "user", verb("", "add-user", reads=_DATABASE, writes=_DATABASE, users=True),
        opts="-g --gid =text | -n --new-name =text | -o --non-unique | -p =text", doc="changes a group"),
    tool("userdel deluser groupdel delgroup", "userdel", "user", verb("", "remove", reads=_DATABASE,
        writes=(*_DATABASE, *_LOGS, "/home/", "/var/mail/"), users=True), opts="-r --remove | -f --force "
            "| --remove-home | --quiet | --system | --group | --only-if-empty | --remove-all-files",
        doc="removes users and groups"),
    tool("passwd chpasswd gpasswd newusers chage chgpasswd", "passwd", "user", verb("", "add-user", reads=_DATABASE,
        writes=_DATABASE, users=True, varies=True),
         opts="-d --delete | -l --lock | -u --unlock | -e --encrypted | -c --crypt-method =text | -a --add =text "
              "| -A =text | -M =text | -q | -S | -E =text | -I =text | -m | -s =text | --stdin", doc="sets passwords"),
    tool("chsh chfn vipw pwconv pwunconv grpconv pwck grpck", "chsh", "user", verb("", "add-user", reads=_DATABASE,
        writes=_DATABASE, users=True), opts="-s --shell =text | -f =text | -o =text | -r | -q",
        doc="changes entries of users"),
    tool("su", "su", "user", verb("", "run", shape=_su), opts="-c --command =text | -s --shell =text | -l --login - "
            "| -m -p --preserve-environment | -g =text", doc="starts a shell as another user"),
    tool("visudo", "visudo", "user", verb("", "test", operands="read", reads=("/etc/sudoers", "/etc/sudoers.d/")),
        opts="-c | -f =read | -q | -s", doc="checks sudoers"),
)  # fmt: skip
