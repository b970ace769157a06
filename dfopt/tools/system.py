"""Programs that set up a system: services, locales, alternatives, certificates, keys, web servers, PHP images."""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import SYSTEM, tool, verb

_PHP_READS = ("/usr/", "/etc/")


def _php_install(invocation: Invocation, place: Place) -> Effects:
    """Extensions that were unpacked below PHP's own sources are built with them."""
    return Effects(environment=frozenset(("PHP_*", "PHPIZE_DEPS", "CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")))


def _gpg(invocation: Invocation, place: Place) -> Effects:
    # gpg works on its home; receiving keys asks the network; files are checked, decrypted or turned to binary.
    home = place.environment.get("GNUPGHOME") if "GNUPGHOME" in place.environment else "~/.gnupg"
    folder = place.join((place.option(invocation, "--homedir") or home or "/tmp/**") + "/")
    reads = frozenset(
        place.path(word) for word in invocation.operands if "/" in place.text(word) or "." in place.text(word)
    )
    network = invocation.has("--recv-keys", "--keyserver", "--refresh-keys", "--fetch-keys", "--locate-keys")
    made = (
        frozenset(path + ".gpg" for path in reads)
        if invocation.has("--dearmor") and not invocation.has("-o")
        else frozenset[str]()
    )
    return Effects(
        reads=reads | frozenset((folder,)),
        writes=frozenset((folder,)) | made,
        fetches=frozenset(("keys",)) if network else frozenset(),
        varies=network or invocation.has("--gen-key", "--batch-gen-key", "--full-generate-key", "-s", "-b"),
        environment=frozenset(("GNUPGHOME",)),
    )


def _openssl(invocation: Invocation, place: Place) -> Effects:
    # What is made is named by options; keys and numbers are random.
    action = place.text(invocation.operands[0]) if invocation.operands else ""
    return Effects(
        varies=action
        in ("rand", "genrsa", "req", "genpkey", "ecparam", "dhparam", "passwd", "s_client", "ca", "x509", "gendsa")
    )


TOOLS = (
    tool("update-alternatives alternatives", "update-alternatives", "service", verb("", "configure",
        reads=("/etc/alternatives/", "/var/lib/dpkg/alternatives/", "/var/lib/alternatives/", "/usr/", "/opt/"),
        writes=("/etc/alternatives/", "/var/lib/dpkg/alternatives/", "/var/lib/alternatives/", "/usr/bin/",
        "/usr/local/bin/", "/usr/sbin/", "/usr/lib/", "/usr/share/", "/var/log/alternatives.log", "/bin/", "/etc/"),
        deterministic=True),
         opts="--quiet | --force | --verbose | --skip-auto", permutes=False, doc="chooses among alternatives"),
    tool("update-ca-certificates update-ca-trust trust", "ca-certificates", "service", verb("", "configure",
        reads=("/usr/share/ca-certificates/", "/usr/local/share/ca-certificates/", "/etc/ca-certificates.conf",
        "/etc/ca-certificates/", "/etc/ssl/", "/etc/pki/"), writes=("/etc/ssl/certs/", "/etc/pki/",
        "/etc/ca-certificates/", "/usr/share/ca-certificates/"), seconds=2), opts="-f --fresh | -v", permutes=False,
        doc="makes the bundle of trusted certificates"),
    tool("locale-gen localedef update-locale setlocale", "locale", "service", verb("", "configure",
        reads=("/etc/locale.gen", "/etc/default/locale", "/usr/share/i18n/", "/usr/lib/locale/", "/etc/locale.conf",
        "/var/lib/locales/"), writes=("/usr/lib/locale/", "/etc/locale.gen", "/etc/default/locale",
        "/etc/locale.conf", "/usr/share/locale/", "/var/lib/locales/"), deterministic=True, seconds=5),
         opts="-i =text | -f =text | -c | -A =text | --purge | --no-archive | --reset | -v", permutes=True,
         environment=("LANG", "LC_*", "LANGUAGE"), doc="makes locales"),
    tool("systemctl service update-rc.d chkconfig rc-update rc-service initctl invoke-rc.d systemd-tmpfiles "
            "sysv-rc-conf journalctl openrc systemd-sysusers systemd-machine-id-setup dbus-uuidgen supervisorctl "
            "loginctl timedatectl hostnamectl insserv", "service", "service", verb("", "configure", reads=("/etc/",
        "/usr/lib/systemd/", "/lib/systemd/", "/run/"), writes=("/etc/", "/var/", "/run/", "/lib/systemd/", "/tmp/"),
        wall=False, varies=True, seconds=2), permutes=False, doc="starts, stops and enables services"),
    tool("a2enmod a2dismod a2ensite a2dissite a2enconf a2disconf a2query", "apache", "service", verb("", "configure",
        reads=("/etc/apache2/",), writes=("/etc/apache2/", "/var/lib/apache2/"), deterministic=True),
        opts="-q | -f | -m | -p", doc="switches parts of Apache"),
    tool("phpenmod phpdismod php5enmod php5dismod phpquery lighty-enable-mod lighttpd-enable-mod nginx_ensite "
            "nginx_dissite", "php-mods", "service", verb("", "configure", reads=("/etc/",), writes=("/etc/php/",
        "/etc/php5/", "/var/lib/php/", "/etc/lighttpd/", "/etc/nginx/"), deterministic=True),
        opts="-v =text | -s =text", doc="switches parts of PHP and web servers"),
    tool("docker-php-ext-install", "docker-php", "build", verb("", "install", reads=_PHP_READS, writes=("/usr/local/",
        "/usr/src/"), shape=_php_install, seconds=40), opts="-j =text | --ini-name =text",
        doc="builds PHP extensions in the official image"),
    tool("docker-php-ext-configure docker-php-ext-enable docker-php-source docker-php-serversideup-dep-install",
        "docker-php", "build", verb("", "configure", reads=_PHP_READS, writes=("/usr/local/", "/usr/src/"),
        shape=_php_install, seconds=3), permutes=False, doc="prepares PHP extensions in the official image"),
    tool("install-php-extensions", "docker-php", "build", verb("", "install", network=True, reads=_PHP_READS,
        writes=SYSTEM, changes_packages=True, seconds=60), database=("dpkg", "apk"),
        doc="installs PHP extensions with what they need"),
    tool("pecl pear", "pecl", "package-manager",
         verb("install|upgrade|upgrade-all", "install", "-f --force | -o --onlyreqdeps | -a --alldeps | -s --soft "
                 "| -n --nodeps | -D =text | -R =tree", network=True, reads=_PHP_READS, writes=("/usr/local/",
              "/usr/lib/php/", "/usr/share/", "/etc/php/"), leaves=("/tmp/pear/",), seconds=30),
         verb("uninstall|channel-update|update-channels|channel-discover|config-set|config-create|run-tests"
                 "|run-scripts|build|makerpm|package|download", "configure", network=True, writes=("/usr/local/",
              "/usr/share/", "/tmp/pear/", "~/.pearrc")),
         verb("clear-cache", "clean", removes=("/tmp/pear/cache/",)),
              verb("list|info|config-get|config-show|version|list-upgrades|search|remote-info|help", "query"),
         opts="-d =text | -q | -v | -V | -y", cleaning=CLEANING["pecl"], pin="-", doc="PHP's C extensions"),
    tool("gpg gpg2 gpgv gpgconf gpg-agent gpg-connect-agent dirmngr", "gpg", "service", verb("", "test", shape=_gpg,
        seconds=2),
         opts="-o --output =write | --keyserver =text | --recv-keys --recv-key --recv | --import | --verify "
              "| --batch | --no-default-keyring | --keyring =write | --homedir =text | --export | -a --armor "
              "| --dearmor | -q --quiet | -v | --yes | -d --decrypt | --fingerprint | --list-keys -k "
              "| --keyserver-options =text | --primary-keyring =write | --no-tty | --status-fd =text"
              "| --passphrase =text | --passphrase-file =read | --passphrase-fd =text | --pinentry-mode =text "
                  "| --gen-key | --batch-gen-key | --full-generate-key | --refresh-keys | --fetch-keys "
                  "| --locate-keys | --kill =text | --trust-model =text | -s --sign | -b --detach-sign "
                  "| -u --local-user =text | -r --recipient =text | -e --encrypt | -c --symmetric "
                  "| --import-ownertrust"
              "| --with-fingerprint | --with-colons | --no-options | --always-trust | --default-key =text "
                  "| --delete-keys | --edit-key =text | --show-keys | --logger-fd =text | --display-charset =text "
                  "| --no-auto-check-trustdb | --version", doc="checks signatures and manages keys"),
    tool("openssl", "openssl", "service", verb("", "other", shape=_openssl, seconds=1), syntax="single",
         opts="-out =write | -keyout =write | -in =read | -inkey =read | -CA =read | -CAkey =read | -CAserial =write "
              "| -key =read | -signkey =read | -config =read | -extfile =read | -extensions =text | -subj =text "
              "| -days =text | -newkey =text | -passout =text | -passin =text | -pass =text | -name =text | -export "
              "| -nodes | -x509 | -new | -sha256 | -set_serial =text | -rand =write | -hex | -base64 | -d | -a "
              "| -salt | -CAfile =read"
              "| -connect =text | -servername =text | -showcerts | -noout | -text | -algorithm =text "
                  "| -pkeyopt =text | -addext =text | -outform =text | -inform =text | -CAcreateserial | -k =text "
                  "| -iter =text | -pbkdf2 | -certfile =read | -genkey | -batch | -req | -reqexts =text | -md5 "
                  "| -dgst | -verify =text | -signature =read", environment=("OPENSSL_CONF", "RANDFILE"),
              doc="keys, certificates, checksums"),
    tool("ssh-keygen ssh-add ssh-agent ssh-copy-id dropbearkey make-ssl-cert mkcert certbot easyrsa htpasswd "
            "htdigest step cfssl minisign age", "keys", "service", verb("", "configure", varies=True,
        reads=("/etc/ssh/", "~/.ssh/", "/etc/ssl/"), writes=("/etc/ssh/", "~/.ssh/", "/etc/ssl/", "/root/.ssh/",
        "./")), opts="-f =write | -t =text | -N =text | -b =text | -q | -A | -C =text | -P =text | -y | -l "
            "| -R =text | -F =text | -H | -i =read | -m =text | -c | -B | -r =write | -s =text", doc="makes keys"),
    tool("crontab", "crontab", "service", verb("", "configure", operands="read", writes=("/var/spool/cron/",
        "/etc/crontabs/")), opts="-l | -r | -e | -u =text", doc="sets timed jobs"),
    tool("fc-cache mkfontscale mkfontdir update-mime-database update-desktop-database gtk-update-icon-cache "
            "glib-compile-schemas gdk-pixbuf-query-loaders gtk-query-immodules-3.0 update-mime texhash mktexlsr "
            "fmtutil-sys updmap-sys update-icon-caches xdg-mime xdg-settings desktop-file-install update-menus "
            "update-initramfs depmod mandb catalog update-gconf-defaults gsettings dconf gconftool-2", "caches",
        "service",
         verb("", "configure", reads=("/usr/", "/etc/"), writes=("/usr/share/", "/var/cache/", "/usr/lib/", "/etc/",
              "~/.cache/", "/var/lib/", "~/.config/"), seconds=2), permutes=False,
              doc="renews caches of installed files"),
    tool("rabbitmq-plugins elasticsearch-plugin kibana-plugin logstash-plugin opensearch-plugin plugin grafana-cli "
            "jenkins-plugin-cli install-plugins.sh wp-cli neo4j-admin nifi rabbitmqctl gitlab-ctl confluent-hub "
            "bitbucket solr create-core precreate-core flink", "plugins", "service",
         verb("", "install", network=True, wall=True, reason="it changes a server's own files", seconds=10),
              local=True, permutes=False, doc="installs plugins of a server"),
    tool("postconf newaliases postmap postalias sendmailconfig update-exim4.conf dovecot saslpasswd2", "mail",
        "service", verb("", "configure", reads=("/etc/",), writes=("/etc/",), operands=""), opts="-e | -c =text",
        doc="sets up mail"),
    tool("mysql mysqld mysqld_safe mysqladmin mysql_install_db mariadb mariadb-install-db psql pg_ctl initdb "
            "createdb createuser createlang dropdb pg_ctlcluster pg_createcluster pg_dropcluster pg_restore pg_dump "
            "pg_lsclusters mongo mongod mongosh redis-cli redis-server sqlite3 sqlcmd cqlsh influx influxd rethinkdb "
            "cassandra nodetool"
         " postgres mysqldump slapd slapadd slaptest ldapadd ldapmodify rabbitmq-server memcached elasticsearch isql "
              "sqlplus couchdb rndc named-checkconf nginx httpd apache2 apache2ctl apachectl lighttpd caddy haproxy "
              "php-fpm supervisord dockerd containerd sshd cron crond rsyslogd consul etcd nats-server zookeeper "
              "kafka-topics catalina.sh standalone.sh jboss-cli.sh Xvfb vncserver vncpasswd tomcat varnishd squid",
         "servers", "service",
         verb("", "run", wall=True, reason="it is a server or talks to one", seconds=5), permutes=False, local=True,
              doc="servers and their clients"),
    tool("sysctl modprobe insmod swapon swapoff hwclock dmsetup mkfs mkfs.ext4 mke2fs fdisk parted sfdisk sgdisk "
            "qemu-img qemu-system-x86_64 virt-customize grub-install grub-mkconfig update-grub mkinitramfs dracut "
            "mkinitcpio genisoimage mkisofs xorriso mkswap resize2fs kpartx udevadm", "kernel", "service", verb("",
        "other", wall=True, reason="it concerns the machine"), permutes=False, doc="the kernel and disks"),
    tool("ansible ansible-playbook puppet chef-client chef-solo salt-call ansible-pull librarian-puppet r10k berks "
            "cloud-init", "configuration-management", "service", verb("", "run", wall=True, runs_project_code=True,
        network=True, seconds=60), permutes=False, doc="runs recipes of the project"),
    tool("ansible-galaxy", "ansible-galaxy", "package-manager",
        verb("install|collection install|role install|role|collection", "install",
        "-r --role-file =read | -p --roles-path =tree | -f --force | -c | -n", network=True, writes=("~/.ansible/",
        "/etc/ansible/", "/usr/share/ansible/"), seconds=10), verb("list|search|info|init", "query"),
        doc="fetches Ansible roles"),
    tool("sdkmanager avdmanager android", "android", "package-manager", verb("", "install", network=True,
        reads=("/opt/", "/usr/", "~/"), writes=("/opt/", "/usr/", "~/.android/", "/root/", "/home/", "/sdk/"),
        wall=False, seconds=60), local=True, opts="--sdk_root =tree | --package_file =read | --licenses | --update "
            "| --list | --verbose | --channel =text | --no_https", environment=("ANDROID_*", "JAVA_*"),
        doc="installs Android's SDK"),
    tool("rbenv pyenv rvm jenv gvm phpbrew phpenv goenv kerl kiex swiftenv sdk chruby ruby-install ruby-build "
            "python-build tfenv evm perlbrew plenv ghcup juliaup rustup-init sdkman coursier cs", "version-manager",
        "package-manager", verb("", "install", network=True, wall=True,
        reason="it builds or installs a language in its own way", seconds=60), permutes=False,
        doc="installs language runtimes"),
    tool("convert mogrify magick identify ffmpeg ffprobe sox gs inkscape optipng jpegoptim pngcrush pngquant "
            "rsvg-convert cwebp tesseract exiftool potrace dot mscgen plantuml soffice libreoffice unoconv "
            "wkhtmltopdf pdftk qpdf", "media", "other", verb("", "edit", wall=True,
        reason="which files it writes its words do not tell"), permutes=False, doc="converts media"),
    tool("dbus-daemon dbus-launch Xorg startx xhost xset xdotool vglrun fluxbox openbox google-chrome chromium "
            "firefox wine wine64 winetricks wineboot wineserver winecfg steamcmd msiexec xvfb", "desktop", "other",
        verb("", "run", wall=True, seconds=10), permutes=False, doc="graphical programs"),
    tool("wp drush drupal artisan symfony phpunit phpcs phpstan phing deployer box magento n98-magerun typo3 occ "
            "joomla craft", "php-app", "build", verb("", "run", wall=True, runs_project_code=True, seconds=10),
        permutes=False, local=True, doc="tools of PHP applications"),
    tool("rails django-admin manage.py flask gunicorn uwsgi celery alembic scrapy streamlit mlflow airflow superset "
            "odoo", "web-app", "build", verb("", "run", wall=True, runs_project_code=True, seconds=10),
        permutes=False, doc="tools of web applications"),
    tool("jupyter jupyter-labextension jupyter-nbextension jupyter-serverextension jupyter-contrib ipython ipcluster "
            "nbstripout jupyter-nbconvert", "jupyter", "build", verb("", "install", network=True,
        runs_project_code=False, reads=("/opt/", "/usr/", "~/"), writes=("/opt/", "/usr/", "~/", "/etc/jupyter/",
        "/tmp/"), seconds=30), permutes=False, environment=("JUPYTER*", "PYTHON*", "NODE_*"),
        doc="sets up notebooks"),
    tool("spacy nltk huggingface-cli hf kaggle dvc fairseq-train transformers-cli gdown.pl textblob playwright "
            "puppeteer", "models", "fetch", verb("", "fetch", network=True, reads=("~/",), writes=("/usr/", "/opt/",
        "~/", "/tmp/", "./"), seconds=30), permutes=False, python_module=True, doc="fetches models and browsers"),
    tool("mkpasswd cracklib-check authconfig pam-auth-update addgnupghome update-motd sudoedit ssh-import-id "
            "unattended-upgrade needrestart deborphan bleachbit localepurge purge-old-kernels cloud-localds "
            "unminimize", "admin", "service", verb("", "configure", reads=("/etc/", "/usr/", "/var/"), writes=SYSTEM,
        varies=True, changes_packages=True), database=("dpkg",), permutes=False, doc="sets up the system"),
)  # fmt: skip
