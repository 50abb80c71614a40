# Runs inside a Podman engine, as root or as `ci`: nothing but the base images ($1) stays.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
base=/lab/state/base-images
auth=/run/containers/0/auth.json
store=/var/lib/containers/storage
socket=/run/podman/podman.sock
if [ "$(id -u)" != 0 ]; then
    base=~/.local/share/containers/base-images
    auth=$XDG_RUNTIME_DIR/containers/auth.json
    store=~/.local/share/containers/storage
    socket=$XDG_RUNTIME_DIR/podman/podman.sock
fi
# A service that docker-shim started for a program that speaks to Docker by itself.
if [ -S "$socket" ]; then
    for process in /proc/[0-9]*; do
        case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") in *" system service --time=300 unix://$socket ") kill "${process#/proc/}" ;; esac
    done
    rm -f "$socket"
fi
[ "$(id -u)" != 0 ] || rm -f /etc/containers/registries.conf.d/case.conf
rm -rf ~/.docker ~/.config/containers "$auth" "$store/docker-shim-digests.json"
set -- "$1" $(podman pod ps -q); [ $# = 1 ] || (shift; podman pod rm -f "$@" >/dev/null)
# With what failed builds have left behind.
set -- "$1" $(podman ps -aq --external); [ $# = 1 ] || (shift; podman rm -fv -t 0 "$@" >/dev/null)
set -- "$1" $(podman volume ls -q); [ $# = 1 ] || (shift; podman volume rm -f "$@" >/dev/null)
set -- "$1" $(podman network ls --format '{{.Name}}' | grep -vx podman); [ $# = 1 ] || (shift; podman network rm -f "$@" >/dev/null)
set -- "$1" $(podman secret ls -q); [ $# = 1 ] || (shift; podman secret rm "$@" >/dev/null)
# An image that was loaded again has not its registry's manifest any more.
have() { podman images -a --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Digest}}' | sort; }
want=$(cat $base 2>/dev/null)
if [ -z "$want" ] || [ "$(have)" != "$want" ]; then
    podman rmi -fa >/dev/null 2>&1
    for image in $1; do podman pull -q "$image" >/dev/null || exit 1; done
    have >$base
fi
:
