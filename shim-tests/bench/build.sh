#!/bin/sh
# Wall time of `docker build` of 30 steps, cold (--no-cache) and cached, beside the engine's own `podman build` of the same.
# Run in the lab: shim-tests/lab/lab try - <shim-tests/bench/build.sh; prints milliseconds, the medians of RUNS (5) runs each.
cd "$(mktemp -d)" || exit
{ echo FROM busybox; for n in $(seq 29); do echo "RUN echo $n >/f$n"; done; } >Dockerfile
median() {
    for _ in $(seq "${RUNS:-5}"); do
        began=$(date +%s%N); "$@" >/dev/null 2>&1; echo $((($(date +%s%N) - began) / 1000000))
    done | sort -n | sed -n "$(((${RUNS:-5} + 1) / 2))p"
}
own=$(command -v podman || true)
if [ -n "$own" ]; then
    echo "podman cold $(median podman build --no-cache --format docker -t p:1 .)"
    echo "docker cold $(median docker build --no-cache -t p:1 .)"
    echo "podman cached $(median podman build --format docker -t p:1 .)"
else
    echo "docker cold $(median docker build --no-cache -t p:1 .)"
fi
docker build -t p:1 . >/dev/null 2>&1
echo "docker cached $(median docker build -t p:1 .)"
