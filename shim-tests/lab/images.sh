# The stand-in images, written straight into the storage layout of a registry: no engine makes them, so every engine
# pulls the same bytes and agrees on digests and IDs. The data lies in $LAB/images/{open,auth} and is copied per engine.

# images_current: whether the registry data is there and was made by this file.
images_current() { [ "$(cat "$LAB/images/done" 2>/dev/null)" = "$(cksum <"$HERE/images.sh")" ]; }

# make_images: makes the registry data, and fetches the tools that all engines use.
make_images() {
    mkdir -p "$LAB/tools"
    cp -f "$LAB/roots/bookworm/usr/bin/docker-registry" "$LAB/roots/bookworm/bin/busybox" "$LAB/tools/"
    rm -rf "$LAB/images"
    mkdir -p "$LAB/images"/{open,auth,layers}
    local layers=$LAB/images/layers architecture
    architecture=$(dpkg --print-architecture)

    busybox_tree "$layers/busybox"
    layer busybox
    mkdir -p "$layers/alpine/etc"
    echo 3.19.9 >"$layers/alpine/etc/alpine-release"
    printf '%s\n' 'NAME="Alpine Linux"' ID=alpine VERSION_ID=3.19.9 >"$layers/alpine/etc/os-release"
    layer alpine
    mkdir -p "$layers/app/srv"
    echo 'hello from the app' >"$layers/app/srv/hello"
    layer app
    mkdir -p "$layers/data/data"
    echo seed >"$layers/data/data/seed"
    layer data

    local path='"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'
    STORE=$LAB/images/open
    image "$architecture" "$path],\"Cmd\":[\"sh\"]" busybox
    tag library/busybox latest; tag library/busybox 1.36
    image "$architecture" "$path],\"Cmd\":[\"/bin/sh\"]" busybox alpine
    tag library/alpine 3.19; tag library/alpine latest
    image "$architecture" "$path,\"A=1\"],\"Entrypoint\":[\"echo\",\"app\"],\"Cmd\":[\"started\"],\"Labels\":{\"k\":\"v\"},\"ExposedPorts\":{\"80/tcp\":{}},\"WorkingDir\":\"/srv\"" busybox app
    tag myorg/app 1.0; tag myorg/app latest
    local app=$DIGEST app_size=$SIZE
    image "$architecture" "$path],\"Cmd\":[\"id\",\"-un\"],\"User\":\"nobody\"" busybox app
    tag myorg/app nobody
    image "$architecture" "$path],\"Cmd\":[\"cat\",\"/data/seed\"],\"Volumes\":{\"/data\":{}}" busybox data
    tag myorg/app volume
    image "$architecture" "$path],\"Cmd\":[\"sh\"],\"OnBuild\":[\"RUN echo onbuild >/onbuild\"],\"StopSignal\":\"SIGINT\"" busybox
    tag myorg/app onbuild
    image arm64 "$path],\"Entrypoint\":[\"echo\",\"app\"],\"Cmd\":[\"arm\"]" busybox app
    index "$architecture:$app:$app_size" "arm64:$DIGEST:$SIZE"
    tag myorg/multi 1.0

    STORE=$LAB/images/auth
    image "$architecture" "$path],\"Cmd\":[\"echo\",\"private\"]" busybox app
    tag private/app 1.0
    rm -rf "$layers"
    cksum <"$HERE/images.sh" >"$LAB/images/done"
}

# busybox_tree DIR: the file system of the image `busybox`.
busybox_tree() {
    local tree=$1 applet
    mkdir -p "$tree"/{bin,etc,home,root,tmp,usr/bin,var/www}
    chmod 700 "$tree/root"
    chmod 1777 "$tree/tmp"
    cp "$LAB/tools/busybox" "$tree/bin/busybox"
    for applet in $("$LAB/tools/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
    done
    ln -s ../../bin/busybox "$tree/usr/bin/env"
    printf '%s\n' root:x:0:0:root:/root:/bin/sh daemon:x:1:1:daemon:/usr/sbin:/bin/false bin:x:2:2:bin:/bin:/bin/false \
        www-data:x:33:33:www-data:/var/www:/bin/false operator:x:37:37:Operator:/var:/bin/false nobody:x:65534:65534:nobody:/home:/bin/false >"$tree/etc/passwd"
    printf '%s\n' root:x:0: daemon:x:1: bin:x:2: adm:x:4: tty:x:5: www-data:x:33: operator:x:37: staff:x:50: nobody:x:65534: >"$tree/etc/group"
}

# layer NAME: packs $LAB/images/layers/NAME the same way every time; leaves NAME.gz, NAME.diff (digest of the tar) and NAME.blob.
layer() {
    local base=$LAB/images/layers/$1
    tar --sort=name --mtime=@1704067200 --owner=0 --group=0 --numeric-owner -C "$base" -cf "$base.tar" .
    echo "sha256:$(sha256sum <"$base.tar" | cut -c1-64)" >"$base.diff"
    gzip -n <"$base.tar" >"$base.gz"
    rm -rf "$base" "$base.tar"
}

# put FILE: stores a blob in $STORE; sets DIGEST and SIZE.
put() {
    local hex
    hex=$(sha256sum <"$1" | cut -c1-64)
    DIGEST=sha256:$hex
    SIZE=$(stat -c %s "$1")
    mkdir -p "$STORE/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex"
    cp "$1" "$STORE/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex/data"
}

# image ARCHITECTURE CONFIG LAYER…: an image of the named layers; CONFIG is the inside of its "config" object.
# Sets DIGEST and SIZE (of the manifest), and BLOBS for `tag`. Each image is a day younger than the one before, so that
# lists sorted by age have one order.
image() {
    local architecture=$1 config=$2 base=$LAB/images/layers file=$LAB/images/layers/json name diffs='' layers='' history='' created
    shift 2
    DAY=$((${DAY:-0} + 1))
    created=$(printf '2024-01-%02dT00:00:00Z' "$DAY")
    BLOBS=()
    for name; do
        put "$base/$name.gz"
        BLOBS+=("$DIGEST")
        layers+=",{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":$SIZE,\"digest\":\"$DIGEST\"}"
        diffs+=",\"$(cat "$base/$name.diff")\""
        history+=",{\"created\":\"$created\",\"created_by\":\"ADD $name.tar.gz / # buildkit\",\"comment\":\"buildkit.dockerfile.v0\"}"
    done
    history+=",{\"created\":\"$created\",\"created_by\":\"CMD # buildkit\",\"comment\":\"buildkit.dockerfile.v0\",\"empty_layer\":true}"
    printf '{"architecture":"%s","config":{%s},"created":"%s","history":[%s],"os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}' \
        "$architecture" "$config" "$created" "${history#,}" "${diffs#,}" >"$file"
    put "$file"
    BLOBS+=("$DIGEST")
    printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":%s,"digest":"%s"},"layers":[%s]}' \
        "$SIZE" "$DIGEST" "${layers#,}" >"$file"
    put "$file"
    MANIFESTS=("$DIGEST")
}

# index ARCHITECTURE:DIGEST:SIZE…: a manifest list (DIGEST itself has a colon); sets DIGEST, SIZE and MANIFESTS.
index() {
    local entry architecture digest list='' all=() file=$LAB/images/layers/json
    for entry; do
        architecture=${entry%%:*} digest=${entry#*:}
        all+=("${digest%:*}")
        list+=",{\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"size\":${digest##*:},\"digest\":\"${digest%:*}\",\"platform\":{\"architecture\":\"$architecture\",\"os\":\"linux\"}}"
    done
    printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[%s]}' "${list#,}" >"$file"
    put "$file"
    # The parts' own blobs: simplest is to let the repository know every blob there is.
    BLOBS=($(cd "$STORE/docker/registry/v2/blobs/sha256" && printf 'sha256:%s\n' ??/* | sed 's,:../,:,'))
    MANIFESTS=("${all[@]}" "$DIGEST")
}

# tag REPOSITORY TAG: names the manifest DIGEST, which `image` or `index` made last.
tag() {
    local repository=$STORE/docker/registry/v2/repositories/$1 digest
    for digest in "${BLOBS[@]}"; do link "$repository/_layers/sha256/${digest#*:}" "$digest"; done
    for digest in "${MANIFESTS[@]}"; do link "$repository/_manifests/revisions/sha256/${digest#*:}" "$digest"; done
    link "$repository/_manifests/tags/$2/current" "$DIGEST"
    link "$repository/_manifests/tags/$2/index/sha256/${DIGEST#*:}" "$DIGEST"
}
link() {
    mkdir -p "$1"
    printf %s "$2" >"$1/link"
}
