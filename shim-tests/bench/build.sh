#!/bin/sh
# Wall time of `docker build` of 30 steps, cold (--no-cache) and cached, beside the engine's own `podman build` of the same.
# Run in the lab: shim-tests/lab/lab try - <shim-tests/bench/build.sh; prints milliseconds, the medians of RUNS (5) runs each.
# The two take turns: every build makes the store larger and the next one slower, whoever builds.
cd "$(mktemp -d)" || exit
{ echo FROM busybox; for n in $(seq 29); do echo "RUN echo $n >/f$n"; done; } >Dockerfile
clients=docker
! command -v podman >/dev/null || clients='podman docker'
# measure NAME FLAG…
measure() {
    name=$1; shift
    for _ in $(seq "${RUNS:-5}"); do
        for client in $clients; do
            format=; [ "$client" = docker ] || format='--format docker'
            # shellcheck disable=SC2086
            began=$(date +%s%N); "$client" build "$@" $format -t p:1 . >/dev/null 2>&1; echo $((($(date +%s%N) - began) / 1000000)) >>"$client.$name"
        done
    done
    for client in $clients; do echo "$client $name $(sort -n "$client.$name" | sed -n "$(((${RUNS:-5} + 1) / 2))p")"; done
}
measure cold --no-cache
for client in $clients; do "$client" build -t p:1 . >/dev/null 2>&1; done
RUNS=$((${RUNS:-5} * 3)); measure cached
