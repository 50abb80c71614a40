# Runs inside an engine: starts its registries and its daemon, or Podman's API service for root. $1 is the engine's name.
exec >/dev/null 2>&1 </dev/null
for kind in open auth; do
    setsid /lab/tools/docker-registry serve /lab/state/$kind.yml >/lab/state/log/registry-$kind 2>&1 &
done
if [ "$1" = docker ]; then
    setsid dockerd --registry-mirror http://127.0.0.1:5000 >/lab/state/log/dockerd 2>&1 &
else
    setsid podman system service --time 0 unix:///run/lab/engine.sock >/lab/state/log/service 2>&1 &
fi
