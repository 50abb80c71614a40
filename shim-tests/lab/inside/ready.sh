# Runs inside an engine: waits until its sockets ($2…) and both registries answer, $1 tenths of a second at most.
answers() {
    curl -fso /dev/null http://127.0.0.1:5000/v2/ && curl -so /dev/null http://127.0.0.1:5001/v2/ || return 1
    for socket; do curl -fso /dev/null --unix-socket "$socket" http://engine/_ping || return 1; done
}
left=$1
shift
until answers "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || exit 1
    sleep 0.1
done
