# The engines' roots: small Debian trees made by mmdebstrap, once, and kept under $LAB/roots.

# usual_engine ROOT: the engine name that a root is expected to give, before it exists.
usual_engine() {
    case $1 in
        docker) echo docker ;;
        bookworm) echo podman-4.3.1 ;;
        trixie) echo podman-5.4.2 ;;
        sid) echo podman-5.8.6 ;;
    esac
}

# engine_of ROOT: the name of the engine in a finished root; fails when there is none.
# The file beside a root says: name, version, and the stamp of what the root was made by.
engine_of() {
    local name rest
    [ -r "$LAB/roots/$1.engine" ] || return 1
    read -r name rest <"$LAB/roots/$1.engine"
    echo "$name"
}

# root_of ENGINE, version_of ENGINE: where its root is, and the version of one that was started.
root_of() {
    local root
    for root in "${ROOTS[@]}"; do
        if [ "$(engine_of "$root")" = "$1" ]; then echo "$root"; return; fi
    done
    return 1
}
version_of() { echo "$(<"$LAB/run/$1/version")"; }

# debian_mirror: the Debian archive that this machine's own apt uses.
debian_mirror() {
    local uri
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 2>/dev/null | grep -v security | head -n 1) || :
    if [ -z "$uri" ]; then
        uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null \
            | sed -n 's/^\(deb \(\[[^]]*\] \)\{0,1\}\|URIs: *\)\(http[^ ]*\/debian\)\/\{0,1\}\( .*\)\{0,1\}$/\3/p' | head -n 1) || :
    fi
    echo "${uri:-http://deb.debian.org/debian}"
}

# ensure_tools: what the machine itself must have.
ensure_tools() {
    local tool missing=
    for tool in mmdebstrap:mmdebstrap unshare:util-linux nsenter:util-linux flock:util-linux mount:mount perl:perl-base tar:tar gpg:gpg; do
        command -v "${tool%%:*}" >/dev/null || missing+=" ${tool##*:}"
    done
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=" debian-archive-keyring"
    [ -n "$missing" ] || return 0
    say "installing$missing"
    # shellcheck disable=SC2086
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $missing; } >"$LAB/apt.log" 2>&1 \
        || { cat "$LAB/apt.log" >&2; die "apt-get could not install$missing"; }
}

# ensure_root ROOT: makes the root unless it is there; complains and fails when it cannot be had.
ensure_root() {
    local root=$1
    ! is_current "$root" || return 0
    [ "$root" = bookworm ] || ensure_root bookworm || return 1
    case $root in
        docker) bootstrap sid docker "$DOCKER_PACKAGES" \
            || { say "WARNING: no Docker from sid; taking trixie's, whose answers differ"; bootstrap trixie docker "$DOCKER_PACKAGES"; } ;;
        bookworm) bootstrap bookworm bookworm "$PODMAN_PACKAGES,$TOOL_PACKAGES" ;;
        *) bootstrap "$root" "$root" "$PODMAN_PACKAGES" ;;
    esac || { say "WARNING: no root '$root' could be made; going on without $(usual_engine "$root")"; return 1; }
}

# stamp_of ROOT, is_current ROOT: what a root is made by, as a number; whether the root that is there was made by it.
stamp_of() {
    local packages=$PODMAN_PACKAGES
    case $1 in
        docker) packages=$DOCKER_PACKAGES ;;
        bookworm) packages+=,$TOOL_PACKAGES ;;
    esac
    { echo "$packages"; declare -f configure; } | cksum | cut -d' ' -f1
}
is_current() {
    local name version stamp
    { read -r name version stamp <"$LAB/roots/$1.engine"; } 2>/dev/null && [ "$stamp" = "$(stamp_of "$1")" ]
}

# bootstrap SUITE ROOT PACKAGES: mmdebstrap, our configuration, and last the file that says which engine it is.
bootstrap() {
    local suite=$1 root=$2 packages=$3 tree=$LAB/roots/$2 mirror
    mirror=$(debian_mirror)
    say "making the root '$root' from Debian $suite (half a minute)"
    rm -rf --one-file-system "$tree.engine" "$tree" "$tree.new"
    mmdebstrap --quiet --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' --include="$packages" \
        "$suite" "$tree.new" "$mirror" >"$LAB/roots/$root.log" 2>&1 9>&- || { tail -n 5 "$LAB/roots/$root.log" >&2; rm -rf --one-file-system "$tree.new"; return 1; }
    mv "$tree.new" "$tree"
    configure "$root"
}

# configure ROOT: settings that this kind of machine needs, the user `ci`, and the engine's name.
configure() {
    local root=$1 tree=$LAB/roots/$1 version
    mkdir -p "$tree"/lab/{desk,state}
    echo 'nameserver 192.0.2.53' >"$tree/etc/resolv.conf"
    # Nothing answers for Docker Hub here: a name that the stand-in does not have must fail at once.
    printf '%s\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost ip6-loopback' '127.0.0.1 registry-1.docker.io index.docker.io auth.docker.io' >"$tree/etc/hosts"
    grep -q '^ci:' "$tree/etc/passwd" || chroot "$tree" useradd --uid 1001 --create-home --shell /bin/sh ci || return 1
    if [ "$root" = docker ]; then
        chroot "$tree" usermod -aG docker ci || return 1
        version=$(with_proc "$tree" docker --version | sed -n 's/^Docker version \([0-9.]*\).*/\1/p')
        [ -n "$version" ] || { say "no docker in $tree"; return 1; }
        echo "docker $version $(stamp_of "$root")" >"$tree.engine"
        return
    fi
    mkdir -p "$tree"/lab/bin "$tree"/etc/containers/{containers.conf.d,registries.conf.d}
    echo ci:100000:65536 | tee "$tree/etc/subuid" >"$tree/etc/subgid"
    # No CAP_SYS_RESOURCE to count on, no systemd, perhaps cgroups v1 in hybrid mode, which crun refuses.
    cat >"$tree/etc/containers/containers.conf.d/lab.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
    cat >"$tree/etc/containers/registries.conf.d/lab.conf" <<'CONF'
[[registry]]
prefix = "docker.io"
location = "127.0.0.1:5000"
insecure = true
CONF
    version=$(with_proc "$tree" podman --version | sed -n 's/^podman version \([0-9.]*\).*/\1/p')
    [ -n "$version" ] || { say "no podman in $tree"; return 1; }
    echo "podman-$version $version $(stamp_of "$root")" >"$tree.engine"
}

# lend_compose: the reference's compose for every engine, as it answers for itself: it is the same program beside Podman.
lend_compose() {
    local plugin=$LAB/roots/docker/usr/libexec/docker/cli-plugins/docker-compose
    [ ! -e "$plugin" ] || cmp -s "$plugin" "$LAB/tools/docker-compose" || cp -f "$plugin" "$LAB/tools/docker-compose"
}

# with_proc TREE CMD…: runs CMD in the tree with /proc there, which some programs need even for their version.
with_proc() {
    # shellcheck disable=SC2016
    unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$@"
}
