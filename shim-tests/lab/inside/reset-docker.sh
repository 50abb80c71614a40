# Runs inside the docker engine: nothing but the base images ($1) stays. Asks the real client, whatever is first in PATH.
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG
PATH=/usr/sbin:/usr/bin:/sbin:/bin
rm -rf ~/.docker
set -- "$1" $(docker ps -aq); [ $# = 1 ] || (shift; docker rm -fv "$@" >/dev/null)
set -- "$1" $(docker volume ls -q); [ $# = 1 ] || (shift; docker volume rm -f "$@" >/dev/null)
set -- "$1" $(docker network ls -q --filter type=custom); [ $# = 1 ] || (shift; docker network rm "$@" >/dev/null)
# An image that was loaded again has no digest of its registry any more.
have() { docker images -a --no-trunc --digests --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Digest}}' | sort; }
want=$(cat /lab/state/base-images 2>/dev/null)
if [ -z "$want" ] || [ "$(have)" != "$want" ]; then
    ids=$(docker images -aq --no-trunc | sort -u)
    [ -z "$ids" ] || docker rmi -f $ids >/dev/null 2>&1
    for image in $1; do docker pull -q "$image" >/dev/null || exit 1; done
    have >/lab/state/base-images
fi
docker builder prune -af >/dev/null 2>&1
:
