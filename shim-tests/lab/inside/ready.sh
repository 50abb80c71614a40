# Runs inside an engine: waits until the sockets ($@) and both registries answer, 30 seconds at most.
answers() {
    curl -fso /dev/null http://127.0.0.1:5000/v2/ && curl -so /dev/null http://127.0.0.1:5001/v2/ || return 1
    for socket; do curl -fso /dev/null --unix-socket "$socket" http://engine/_ping || return 1; done
}
tries=0
until answers "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || exit 1
    sleep 0.1
done
