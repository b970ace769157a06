"""Which module describes which program: one lookup, so that only the tables a file needs are loaded.

Written down from the modules' own tables; a test compares both.
"""

from __future__ import annotations

_PROGRAMS = {
    "apk": """
        apk apk-install setup-apkrepos setup-timezone setup-hostname abuild abuild-keygen abuild-sign
    """,
    "apt": """
        apt-get apt apt-fast aptitude install_packages apt-install apt-cache apt-mark apt-key add-apt-repository
        apt-add-repository dpkg dpkg-deb dpkg-query dpkg-architecture dpkg-vendor dpkg-parsechangelog dpkg-reconfigure
        dpkg-divert dpkg-statoverride debconf-set-selections gdebi gdebi-core dpkg-buildpackage debuild dh_auto_build
        dh_make debchange dch mk-build-deps equivs-build equivs-control dpkg-source
    """,
    "archive": """
        tar bsdtar gtar star unzip zip gunzip gzip pigz xz unxz lzma unlzma bzip2 bunzip2 pbzip2 zstd unzstd lz4 unlz4
        compress uncompress lzip brotli xzdec lbunzip2 unpigz 7z 7za 7zr 7zz p7zip cpio unrar rar unace unar lha
        cabextract innoextract msiextract dpkg-split unsquashfs mksquashfs
    """,
    "cargo": """
        cargo cross xx-cargo cargo-chef rustup rustc
    """,
    "dnf": """
        dnf dnf5 yum microdnf tdnf dnf-3 yum-deprecated yum-config-manager dnf-config-manager yum-builddep
        dnf-builddep yumdownloader repoquery repotrack package-cleanup dnf-automatic update-crypto-policies rpm
        rpmkeys rpm2cpio rpmbuild rpmdev-setuptree mock spectool subscription-manager
    """,
    "fetch": """
        curl wget wget2 aria2c axel lftp ftp http https httpie fetch youtube-dl yt-dlp gdown scp sftp ssh sshpass
        autossh ssh-keyscan ping ping6 nslookup dig host nc netcat ncat telnet traceroute ip ifconfig route netstat ss
        arp whois nmap iptables ip6tables ethtool aws gsutil gcloud az s3cmd mc doctl heroku gh hub glab vault kubectl
        helm terraform packer oc minikube kind eksctl sops wrangler vercel netlify firebase serverless pulumi flyctl
        docker docker-compose podman buildah skopeo crane ctr nerdctl kaniko img
    """,
    "files": """
        rm rmdir unlink shred mkdir cp mv ln install ginstall touch truncate fallocate mkfifo mknod mktemp tempfile dd
        find rsync rename prename cat tac nl zcat bzcat xzcat gzcat zstdcat lz4cat ls dir tree vdir stat du df file
        readlink realpath lsattr getfattr wc cksum namei ldd readelf objdump nm strings scanelf size pax-utils od
        hexdump xxd lddtree md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum shasum sum crc32 md5 sync
        fsync mount umount losetup mountpoint fuser lsof setfattr setfacl getfacl chattr chcon restorecon semanage
        setsebool
    """,
    "gcc": """
        gcc g++ cc c++ clang clang++ c89 c99 tcc gfortran f77 f95 musl-gcc icc icpc ifort nvcc mpicc mpicxx mpic++
        mpif90 cpp hipcc ld gold lld ld.gold ld.lld as nasm yasm ar gcc-ar llvm-ar ranlib strip patchelf chrpath
        execstack sstrip install_name_tool objcopy upx upx-ucl javac ecj jar jlink jpackage native-image jmod jdeps
        java javaw jshell jrunscript keytool ldconfig pkg-config pkgconf llvm-config mysql_config pg_config apxs apxs2
        curl-config xml2-config php-config freetype-config
    """,
    "go": """
        go xx-go go-wrapper gofmt goimports golint golangci-lint staticcheck gosec gocov gotestsum ginkgo statik
        go-bindata packr packr2 stringer mockgen wire swag goreleaser gox mage garble ko gobindata esc easyjson
        protoc-gen-go buffalo revel bee air sqlc templ dep glide govendor godep gpm gom gb trash vndr gvt
    """,
    "jvm": """
        mvn mvnw maven mvnd gradle gradlew sbt sbtx mill activator scala-cli amm dotnet nuget msbuild xbuild mono mcs
        csc paket
    """,
    "languages": """
        gem bundle bundler rake rspec cucumber middleman guard foreman puma unicorn passenger sidekiq whenever
        bootsnap ruby jruby irb erb composer composer.phar php php-cgi php-cli hhvm phpdbg python pypy micropython
        jython mix cabal stack opam cpan cpanm cpm carton luarocks opm lit lpm Rscript R r r-base install2.r install.r
        installGithub.r installBioc.r installDeps.r littler conda mamba micromamba tlmgr krew pip-audit pipdeptree
        quicklisp cocoapods pod carthage ponyc corral hex ballerina bal dart pub flutter fvm roswell vsce code-server
        code codium apm wasmer wapm jbang k6 pulsar-admin sqlpackage ollama
    """,
    "make": """
        make gmake bmake checkinstall remake cmake ccmake cmake3 ctest cpack ninja ninja-build samu meson muon
        configure config Configure configure.sh config.guess config.sub bootstrap bootstrap.sh autogen.sh autogen
        buildconf autobuild autoreconf autoconf automake aclocal autoheader libtoolize libtool gettextize autopoint
        intltoolize glibtoolize phpize gtkdocize autoupdate bazel bazelisk buck scons waf b2 bjam xmake qmake gyp gn
        premake5 xcodebuild xmkmf tup jam ant buildr redo just task lein boot shake fastlane thor capistrano invoke
        fab doit sphinx-build mkdocs hugo jekyll pelican gitbook mdbook asciidoctor asciidoc doxygen xsltproc pandoc
        latexmk pdflatex xelatex makeinfo help2man msgfmt rebar3 rebar erl erlc elixir elixirc iex nim nimble zig
        crystal shards dub dmd ldc2 v vlang swift swiftc ghc runghc hpack idris ocamlfind ocamlbuild ocamlc ocamlopt
        dune jbuilder esy fpc lazbuild gnat raku zef rakudo moar kotlinc kotlin scalac scala groovy groovyc clojure
        clj julia sbcl ros gsi guile racket raco csi janet jpm haxe haxelib wasm-pack emcc em++ emmake emconfigure
        emsdk trunk buf protoc flatc thrift swig conan vcpkg catkin catkin_make catkin_init_workspace rosdep colcon
        wstool vcs rosinstall roscore rosrun ros2 rosinstall_generator catkin_make_isolated
    """,
    "npm": """
        npm npx pnpx bunx yarn yarnpkg pnpm bun corepack bower jspm typings tsd webpack vite next nuxt ng
        vue-cli-service rollup parcel esbuild gatsby react-scripts astro svelte-kit remix turbo nx lerna expo eleventy
        hexo gridsome quasar tsup swc babel postcss ember vitepress vuepress docusaurus rspack storybook nest sails
        meteor ionic cordova browserify uglifyjs terser stencil tsc sass node-sass lessc stylus gulp grunt mocha jest
        karma eslint tslint prettier cypress protractor ava tap nyc typedoc jsdoc brunch broccoli node-gyp
        node-pre-gyp prebuild-install node nodejs deno ts-node tsx nvm n fnm volta asdf mise rtx
    """,
    "owner": """
        chown chgrp chmod setcap getcap fix-permissions fix-perms
    """,
    "pip": """
        pip pipx easy_install pipenv pdm virtualenv -m_venv pyvenv -m_ensurepip -m_compileall -m_py_compile -m_build
        twine pip-compile pip-sync flit hatch maturin auditwheel tox nox cython cythonize pytest -m_unittest mypy
        flake8 black ruff pylint coverage isort bandit pre-commit
    """,
    "poetry": """
        poetry uv uvx
    """,
    "shellbuiltins": """
        cd pushd popd dirs set shopt setopt emulate unset export declare typeset local readonly alias unalias let
        shift getopts enable disown hash rehash bindkey autoload zmodload true false : exit return break continue wait
        jobs fg bg times ulimit type builtin complete compgen caller help history fc logout suspend test [ [[ command
        env xargs umask read mapfile readarray sleep usleep kill killall pkill killall5 skill renice source . eval
        trap coproc sh bash dash ash ksh zsh fish csh tcsh rbash powershell pwsh cmd cmd.exe powershell.exe script
        timeout nohup stdbuf nice ionice setsid eatmydata catchsegv dumb-init tini catatonit unbuffer time linux32
        linux64 fakeroot chronic ccache sccache distcc retry fix-attrs doas busybox noglob xvfb-run dbus-run-session
        faketime proot unshare with-contenv strace ltrace valgrind gosu su-exec setuidgid s6-setuidgid chpst setarch
        setpriv capsh runuser flock chroot nsenter parallel watch entr at batch expect autoexpect spawn
    """,
    "system": """
        update-alternatives alternatives update-ca-certificates update-ca-trust trust locale-gen localedef
        update-locale setlocale systemctl service update-rc.d chkconfig rc-update rc-service initctl invoke-rc.d
        systemd-tmpfiles sysv-rc-conf journalctl openrc systemd-sysusers systemd-machine-id-setup dbus-uuidgen
        supervisorctl loginctl timedatectl hostnamectl insserv a2enmod a2dismod a2ensite a2dissite a2enconf a2disconf
        a2query phpenmod phpdismod php5enmod php5dismod phpquery lighty-enable-mod lighttpd-enable-mod nginx_ensite
        nginx_dissite docker-php-ext-install docker-php-ext-configure docker-php-ext-enable docker-php-source
        docker-php-serversideup-dep-install install-php-extensions pecl pear gpg gpg2 gpgv gpgconf gpg-agent
        gpg-connect-agent dirmngr openssl ssh-keygen ssh-add ssh-agent ssh-copy-id dropbearkey make-ssl-cert mkcert
        certbot easyrsa htpasswd htdigest step cfssl minisign age crontab fc-cache mkfontscale mkfontdir
        update-mime-database update-desktop-database gtk-update-icon-cache glib-compile-schemas
        gdk-pixbuf-query-loaders gtk-query-immodules-3.0 update-mime texhash mktexlsr fmtutil-sys updmap-sys
        update-icon-caches xdg-mime xdg-settings desktop-file-install update-menus update-initramfs depmod mandb
        catalog update-gconf-defaults gsettings dconf gconftool-2 rabbitmq-plugins elasticsearch-plugin kibana-plugin
        logstash-plugin opensearch-plugin plugin grafana-cli jenkins-plugin-cli install-plugins.sh wp-cli neo4j-admin
        nifi rabbitmqctl gitlab-ctl confluent-hub bitbucket solr create-core precreate-core flink postconf newaliases
        postmap postalias sendmailconfig update-exim4.conf dovecot saslpasswd2 mysql mysqld mysqld_safe mysqladmin
        mysql_install_db mariadb mariadb-install-db psql pg_ctl initdb createdb createuser createlang dropdb
        pg_ctlcluster pg_createcluster pg_dropcluster pg_restore pg_dump pg_lsclusters mongo mongod mongosh redis-cli
        redis-server sqlite3 sqlcmd cqlsh influx influxd rethinkdb cassandra nodetool postgres mysqldump slapd slapadd
        slaptest ldapadd ldapmodify rabbitmq-server memcached elasticsearch isql sqlplus couchdb rndc named-checkconf
        nginx httpd apache2 apache2ctl apachectl lighttpd caddy haproxy php-fpm supervisord dockerd containerd sshd
        cron crond rsyslogd consul etcd nats-server zookeeper kafka-topics catalina.sh standalone.sh jboss-cli.sh Xvfb
        vncserver vncpasswd tomcat varnishd squid sysctl modprobe insmod swapon swapoff hwclock dmsetup mkfs mkfs.ext4
        mke2fs fdisk parted sfdisk sgdisk qemu-img qemu-system-x86_64 virt-customize grub-install grub-mkconfig
        update-grub mkinitramfs dracut mkinitcpio genisoimage mkisofs xorriso mkswap resize2fs kpartx udevadm ansible
        ansible-playbook puppet chef-client chef-solo salt-call ansible-pull librarian-puppet r10k berks cloud-init
        ansible-galaxy sdkmanager avdmanager android rbenv pyenv rvm jenv gvm phpbrew phpenv goenv kerl kiex swiftenv
        sdk chruby ruby-install ruby-build python-build tfenv evm perlbrew plenv ghcup juliaup rustup-init sdkman
        coursier cs convert mogrify magick identify ffmpeg ffprobe sox gs inkscape optipng jpegoptim pngcrush pngquant
        rsvg-convert cwebp tesseract exiftool potrace dot mscgen plantuml soffice libreoffice unoconv wkhtmltopdf
        pdftk qpdf dbus-daemon dbus-launch Xorg startx xhost xset xdotool vglrun fluxbox openbox google-chrome
        chromium firefox wine wine64 winetricks wineboot wineserver winecfg steamcmd msiexec xvfb wp drush drupal
        artisan symfony phpunit phpcs phpstan phing deployer box magento n98-magerun typo3 occ joomla craft rails
        django-admin manage.py flask gunicorn uwsgi celery alembic scrapy streamlit mlflow airflow superset odoo
        jupyter jupyter-labextension jupyter-nbextension jupyter-serverextension jupyter-contrib ipython ipcluster
        nbstripout jupyter-nbconvert spacy nltk huggingface-cli hf kaggle dvc fairseq-train transformers-cli gdown.pl
        textblob playwright puppeteer mkpasswd cracklib-check authconfig pam-auth-update addgnupghome update-motd
        sudoedit ssh-import-id unattended-upgrade needrestart deborphan bleachbit localepurge purge-old-kernels
        cloud-localds unminimize
    """,
    "text": """
        echo printf sed gsed grep egrep fgrep zgrep rg ag jq yq gojq awk gawk mawk nawk perl tee sponge sort shuf uniq
        tr head tail cut paste rev fold fmt expand unexpand column join comm pr base64 base32 uuencode uudecode diff
        cmp sdiff envsubst seq yes expr bc dc factor numfmt tput clear reset basename dirname pathchk nproc arch uname
        hostname hostid uptime free logname tty who w users whoami id groups getconf getent locale printenv
        lsb_release lscpu lsblk lspci lsmod ps pgrep pstree top vmstat dmesg pwd last cal which whereis whatis apropos
        man command-not-found stty figlet cowsay lolcat banner fortune screenfetch neofetch date uuidgen pwgen
        makepasswd mcookie apg dos2unix unix2dos mac2unix iconv recode crudini augtool confd ed ex vi vim nano emacs
        xmlstarlet xmllint tidy dasel ini-file split csplit patch
    """,
    "users": """
        useradd adduser groupadd addgroup usermod groupmod userdel deluser groupdel delgroup passwd chpasswd gpasswd
        newusers chage chgpasswd chsh chfn vipw pwconv pwunconv grpconv pwck grpck su visudo
    """,
    "vcs": """
        git svn svnadmin hg bzr brz cvs darcs fossil p4 repo gclient
    """,
    "zypper": """
        zypper pacman yay paru pacstrap pacman-key pacman-db-upgrade pacman-mirrors reflector makepkg emerge
        emerge-webrsync emaint eselect xbps-install xbps-remove xbps-query xbps-reconfigure swupd opkg urpmi urpme
        urpmi.update pkg brew nix nix-env nix-channel nix-shell nix-build nix-store nix-collect-garbage guix snap
        flatpak chisel chisel-wrapper debootstrap multistrap mmdebstrap cdebootstrap
    """,
}

MODULES: dict[str, str] = {name: module for module, names in _PROGRAMS.items() for name in names.split()}
"""The module of ``dfopt.tools`` that describes a program."""
