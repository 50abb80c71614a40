# One engine: its namespaces, its daemons, its base state.

# inside ENGINE USER CMD…: runs CMD in the engine (enter does not return; this does).
inside() {
    local engine=$1 user=$2
    shift 2
    alive "$engine" || die "engine '$engine' is not up"
    (enter "$holder" "$user" / "$@")
}

# start ENGINE: namespaces, registries, daemon or service, base images. Output of the daemons goes to the state's logs.
start() {
    local engine=$1 run=$LAB/run/$1 state=$LAB/state/$1 tries root
    root=$(root_of "$engine")
    mkdir -p "$run" "$state"/{log,store,home,registry}
    chown 1001:1001 "$state/home"
    cut -d' ' -f2 "$LAB/roots/$root.engine" >"$run/version"
    rm -f "$run/pid" "$run/pid.new" "$state/ready"
    refill "$engine"
    # shellcheck disable=SC2016
    printf 'ci:%s\n' "$(perl -e 'print crypt("secret", q{$2y$05$abcdefghijklmnopqrstuu})')" >"$state/htpasswd"
    registry_config open 127.0.0.1:5000 >"$state/open.yml"
    registry_config auth 127.0.0.1:5001 >"$state/auth.yml"
    setsid unshare --mount --net --pid --ipc --uts --fork "$SELF" __hold "$engine" "$root" </dev/null >"$run/log" 2>&1 &
    disown
    for ((tries = 0; ; tries++)); do
        [ ! -e "$state/ready" ] || break
        [ $tries -lt 100 ] || { cat "$run/log" >&2; die "$engine did not start"; }
        sleep 0.1
    done
    mv "$run/pid.new" "$run/pid"
    # shellcheck disable=SC2016
    [ "$engine" = docker ] || inside "$engine" ci sh -c 'setsid podman system service --time 0 unix:///run/lab-ci/engine.sock </dev/null >/run/lab-ci/log 2>&1 &'
    inside "$engine" root sh -c "$(<"$HERE/inside/daemons.sh")" daemons "$engine"
    answers "$engine" 300 || { tail -n 5 "$state"/log/* >&2; stop "$engine"; die "$engine did not come up"; }
    reset "$engine"
    say "$engine is up"
}

# answers ENGINE TRIES: whether registries and engine answer, within that many tenths of a second.
answers() {
    local sockets=(/run/lab/engine.sock /run/lab-ci/engine.sock)
    [ "$1" != docker ] || sockets=(/run/docker.sock)
    inside "$1" root sh -c "$(<"$HERE/inside/ready.sh")" ready "$2" "${sockets[@]}"
}

# hold ENGINE ROOT: runs as PID 1 of the new namespaces; builds the mount tree, then stays as the holder.
hold() {
    local engine=$1 tree=$LAB/roots/$2 state=$LAB/state/$1 pid stat node user
    # /proc is still the machine's, so this is the PID that the machine sees.
    read -r stat </proc/self/stat
    pid=${stat%% *}
    stat=(${stat##*) })
    echo "$pid ${stat[19]}" >"$LAB/run/$engine/pid.new"

    mount --make-rprivate /
    mount --bind "$tree" "$tree"
    mount -t proc proc "$tree/proc"
    mount -t sysfs sysfs "$tree/sys"
    mount --rbind /sys/fs/cgroup "$tree/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
    mkdir -p "$tree"/dev/{pts,shm,mqueue,net}
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$tree/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
    mount -t mqueue mqueue "$tree/dev/mqueue"
    for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 fuse:10:229 net/tun:10:200; do
        IFS=: read -r node major minor <<<"$node"
        mknod -m 666 "$tree/dev/$node" c "$major" "$minor"
    done
    ln -s pts/ptmx "$tree/dev/ptmx"
    ln -s /proc/self/fd "$tree/dev/fd"
    for node in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${node%:*}" "$tree/dev/${node#*:}"; done
    mount -t tmpfs -o mode=755 tmpfs "$tree/run"
    mkdir -p "$tree"/run/{lock,lab,lab-ci,user/1001}
    chmod 1777 "$tree/run/lock"
    chmod 700 "$tree/run/user/1001"
    chown 1001:1001 "$tree"/run/{lab-ci,user/1001}
    mount -t tmpfs -o mode=1777 tmpfs "$tree/tmp"
    mkdir -p "$tree"/lab/{desk,state,tools,debian12}
    # Compose 1 is Debian 12's, and takes its Python from there wherever it runs.
    mount --bind "$LAB/roots/bookworm" "$tree/lab/debian12"
    mount -o remount,bind,ro "$tree/lab/debian12"
    mount --bind "$LAB/desk" "$tree/lab/desk"
    mount --bind "$state" "$tree/lab/state"
    mount --bind "$LAB/tools" "$tree/lab/tools"
    if [ "$engine" = docker ]; then
        mkdir -p "$tree/var/lib/docker"
        mount --bind "$state/store" "$tree/var/lib/docker"
    else
        mkdir -p "$tree/var/lib/containers" "$tree/home/ci/.local/share/containers" "$tree/lab/bin"
        chown -R 1001:1001 "$tree/home/ci/.local"
        mount --bind "$state/store" "$tree/var/lib/containers"
        mount --bind "$state/home" "$tree/home/ci/.local/share/containers"
        mount --bind "$LAB/bin" "$tree/lab/bin"
        mkdir -p "$tree/usr/libexec/docker/cli-plugins"
        ln -sfn /lab/tools/docker-compose "$tree/usr/libexec/docker/cli-plugins/docker-compose"
    fi
    echo "$engine" >/proc/sys/kernel/hostname
    cd "$tree"
    pivot_root . .
    umount -l .
    cd /
    PATH=/usr/sbin:/usr/bin:/sbin:/bin
    ip link set lo up
    # A way out that leads nowhere, at once: rootless networking wants a default route, and nothing may leave the lab.
    ip link add lab0 type veth peer name lab1
    ip address add 192.0.2.2/24 dev lab0
    ip link set lab1 up
    ip link set lab0 up
    ip route add default via 192.0.2.1
    nft -f - <<'RULES'
table inet lab {
  chain output { type filter hook output priority -10; oifname "lab0" reject with icmpx type host-unreachable; }
  chain forward { type filter hook forward priority -10; oifname "lab0" reject with icmpx type host-unreachable; }
}
RULES
    # Orphans fall to PID 1; ignoring SIGCHLD lets the kernel bury them. Somebody has to listen where programs log.
    # shellcheck disable=SC2016
    exec env -i PATH="$PATH" LAB_ENGINE="$engine" perl -MSocket -e '
        $0 = "docker-shim-lab $ENV{LAB_ENGINE}";
        $SIG{CHLD} = "IGNORE";
        socket(my $log, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
        bind($log, sockaddr_un("/dev/log")) && chmod(0666, "/dev/log") or die "/dev/log: $!";
        open(my $ready, ">", "/lab/state/ready") or die "ready: $!";
        my $line;
        recv($log, $line, 65536, 0) while 1'
}

# stop ENGINE: back to the base state (so that no cgroup of a container stays behind), then the namespaces go.
stop() {
    local engine=$1
    alive "$engine" || return 0
    (reset "$engine") >>"$LAB/run/$engine/log" 2>&1 || :
    alive "$engine" || return 0
    kill -9 "$holder"
    while alive "$engine"; do sleep 0.05; done
    rm -f "$LAB/run/$engine/pid"
    say "$engine is down"
}

# refill ENGINE: registry data as it was made.
refill() {
    local kind data
    for kind in open auth; do
        data=$LAB/state/$1/registry/$kind
        mkdir -p "$data"
        rm -rf "$data/docker"
        cp -a "$LAB/images/$kind/docker" "$data/docker"
    done
}

# registry_config open|auth ADDRESS: a docker-registry configuration.
registry_config() {
    cat <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: /lab/state/registry/$1}, delete: {enabled: true}}
http: {addr: "$2", secret: lab}
CONF
    [ "$1" = open ] || echo 'auth: {htpasswd: {realm: lab, path: /lab/state/htpasswd}}'
}

# reset ENGINE: no containers, volumes, networks or logins; only the base images; registry data as made.
reset() {
    local engine=$1 kind=podman users=(root ci) user
    if [ "$engine" = docker ]; then kind=docker users=(root); fi
    for user in "${users[@]}"; do
        inside "$engine" "$user" sh -c "$(<"$HERE/inside/reset-$kind.sh")" reset "$BASE_IMAGES" </dev/null || { say "could not reset $engine ($user)"; return 1; }
    done
    if [ "$(listing "$LAB/state/$engine/registry")" != "$(listing "$LAB/images")" ]; then refill "$engine"; fi
}

# listing DIR: what the registry data under DIR consists of.
listing() { find "$1/open" "$1/auth" -type f -printf '%P %s %T@\n' | sort; }
