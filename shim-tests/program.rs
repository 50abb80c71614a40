//! The program as its callers start it, against a podman that only tells what it was given: how podman is found, what
//! reaches it byte for byte, and how odd surroundings are survived.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SHIM: &str = env!("CARGO_BIN_EXE_docker-shim");

/// A directory of a test's own, with docker-shim in it as `bin/docker`.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let dir = std::env::temp_dir().join(format!("docker-shim-program-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        for sub in ["bin", "home", "run"] {
            fs::create_dir_all(dir.join(sub)).unwrap();
        }
        fs::set_permissions(dir.join("run"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::hard_link(SHIM, dir.join("bin/docker")).or_else(|_| fs::copy(SHIM, dir.join("bin/docker")).map(drop)).unwrap();
        let place = Place(dir);
        // Each argument ends with a NUL; `version` stands for what --version says, `calls` counts the starts.
        let script = "#!/bin/sh\necho x >>\"${0%/*}/calls\"\nif [ \"$1\" = --version ]; then echo 'podman version 4.3.1'; exit; fi\n\
                      for a; do printf '%s\\0' \"$a\"; done\n";
        place.script("podman", script);
        // A store that holds alpine: an image that is not there would be pulled first.
        let images = place.at("store/overlay-images");
        fs::create_dir_all(&images).unwrap();
        let index = r#"[{"id":"0123","names":["docker.io/library/alpine:latest"],"layer":""}]"#;
        fs::write(images.join("images.json"), index).unwrap();
        fs::write(place.at("storage.conf"), format!("[storage]\ngraphroot = \"{}\"\n", place.at("store").display())).unwrap();
        place
    }
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        // By a process of its own: what another test starts meanwhile would hold the file open for writing, and nobody could run it.
        let made = Command::new("sh").args(["-ec", "printf %s \"$1\" >\"$0\"; chmod 755 \"$0\""]).arg(&path).arg(text).status();
        assert!(made.unwrap().success());
        path
    }
    /// A start of docker with an environment of nothing but what is needed.
    fn docker(&self) -> Command {
        let mut command = Command::new(self.at("bin/docker"));
        command.env_clear().env("HOME", self.at("home")).env("PATH", "/usr/bin:/bin").env("XDG_RUNTIME_DIR", self.at("run"));
        command.env("DOCKER_SHIM_PODMAN", self.at("podman")).env("CONTAINERS_STORAGE_CONF", self.at("storage.conf"));
        command.stdin(Stdio::null());
        command
    }
    /// How often the podman of this place was started.
    fn calls(&self) -> usize {
        fs::read_to_string(self.at("calls")).map_or(0, |text| text.lines().count())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn args_of(output: &Output) -> Vec<OsString> {
    let mut args: Vec<_> = output.stdout.split(|b| *b == 0).map(|a| OsString::from_vec(a.to_vec())).collect();
    args.pop();
    args
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The arguments without what makes a container's defaults Docker's.
fn given_of(output: &Output) -> Vec<OsString> {
    const DEFAULTS: [&str; 11] = [
        "--http-proxy=false",
        "--unsetenv=container",
        "--unsetenv=TERM",
        "--passwd=false",
        "--pids-limit=-1",
        "--shm-size=64m",
        "--sysctl=net.ipv4.ip_unprivileged_port_start=0",
        "--sysctl=net.ipv4.ping_group_range=0 2147483647",
        "--cap-add=AUDIT_WRITE",
        "--cap-add=MKNOD",
        "--cap-add=NET_RAW",
    ];
    let dockerenv = |arg: &OsString| arg.to_str().is_some_and(|arg| arg.ends_with("/docker-shim-dockerenv:/.dockerenv:ro"));
    let ours = |arg: &OsString| arg == "--group-add=0" || dockerenv(arg) || DEFAULTS.iter().any(|default| arg == default);
    let label = |arg: OsString| {
        if arg.as_bytes().starts_with(br#"--label=io.docker-shim.create={"Image":"alpine""#) { GIVEN_ALPINE.into() } else { arg }
    };
    args_of(output).into_iter().filter(|arg| !ours(arg)).map(label).collect()
}

/// What a container's creation keeps of the caller's own words.
const GIVEN_ALPINE: &str = r#"--label=io.docker-shim.create={"Image":"alpine"}"#;

#[test]
fn called_as_the_plugin_of_a_real_client() {
    let place = Place::new("plugin");
    symlink(place.at("bin/docker"), place.at("bin/docker-buildx")).unwrap();
    let plugin = |args: &[&str]| {
        let command = place.docker();
        let mut plugin = Command::new(place.at("bin/docker-buildx"));
        plugin.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        plugin.args(args).stdin(Stdio::null()).output().unwrap()
    };
    let metadata = plugin(&["docker-cli-plugin-metadata"]);
    assert!(String::from_utf8_lossy(&metadata.stdout).contains("\"SchemaVersion\": \"0.1.0\""), "{metadata:?}");
    let listed = plugin(&["buildx", "ls", "--format", "{{.Name}}"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "default\ndefault\n");
    assert_eq!(plugin(&["ls", "--format", "{{.Name}}"]).stdout, listed.stdout);
    assert_eq!(plugin(&["--debug", "buildx", "ls", "--format", "{{.Name}}"]).stdout, listed.stdout);
}

#[test]
fn bake_files_that_only_buildx_reads() {
    let place = Place::new("bake");
    fs::create_dir_all(place.at("home/.docker/cli-plugins")).unwrap();
    fs::write(place.at("docker-bake.hcl"), "target \"a\" {}\n").unwrap();
    let bake = |args: &[&str]| run(place.docker().args(["buildx", "bake"]).args(args).current_dir(&place.0));
    // Neither a plugin that is missing nor one that is ourselves can help.
    for linked in [false, true] {
        if linked {
            symlink(place.at("bin/docker"), place.at("home/.docker/cli-plugins/docker-buildx")).unwrap();
        }
        let refused = bake(&[]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains("docker-bake.hcl is no JSON; that takes the parser"), "{refused:?}");
    }
    fs::remove_file(place.at("home/.docker/cli-plugins/docker-buildx")).unwrap();
    let plugin = r#"#!/bin/sh
case "$1" in docker-cli-plugin-metadata) echo '{"Vendor":"Docker Inc."}'; exit;; esac
echo "$@" >>"${0%/*}/asked"
for word; do last=$word; done
case $last in nosuch) echo 'ERROR: failed to find target nosuch' >&2; exit 1;; esac
printf '%s\n' '{"group":{"default":{"targets":["a"]}},"target":{"a":{"context":".","dockerfile":"Dockerfile","dockerfile-inline":"FROM alpine\nRUN $${X}","args":{"X":"$${Y}"},"tags":["t:1"]}}}'
"#;
    place.script("home/.docker/cli-plugins/docker-buildx", plugin);
    let plan = run(place
        .docker()
        .args(["buildx", "bake", "--set", "a.args.X=1", "--metadata-file=m"])
        .env("DOCKER_SHIM_EXPLAIN", "1")
        .current_dir(&place.0));
    let said = text(&plan.stdout);
    assert!(said.contains("--build-arg=X=${Y}") && said.contains("--tag=docker.io/library/t:1"), "{said}");
    assert!(bake(&["--print"]).stdout.starts_with(b"{\"group\""));
    let failed = bake(&["nosuch"]);
    assert_eq!((failed.status.code(), text(&failed.stderr)), (Some(1), "ERROR: failed to find target nosuch\n".to_string()));
    let asked = fs::read_to_string(place.at("home/.docker/cli-plugins/asked")).unwrap();
    assert_eq!(asked, "bake --set=a.args.X=1 --print --\nbake --print=true --\nbake --print -- nosuch\n");
    assert_eq!(place.calls(), 0);
}

#[test]
fn arguments_reach_podman_byte_for_byte() {
    let place = Place::new("bytes");
    let odd = [b"\xff\xfe".as_slice(), b"", b"two\nlines", b"-x", b"--", b"a b", b"\xc3\xa9", b"$(id)", b"*"];
    let mut docker = place.docker();
    docker.args(["exec", "-e"]).arg(OsStr::from_bytes(b"A=\xff\n'")).arg("c1").args(odd.map(OsStr::from_bytes));
    let output = run(&mut docker);
    let mut wanted: Vec<OsString> = vec!["exec".into(), OsString::from_vec(b"--env=A=\xff\n'".to_vec()), "c1".into()];
    wanted.extend(odd.map(|a| OsStr::from_bytes(a).to_os_string()));
    assert_eq!(args_of(&output), wanted);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn ten_thousand_arguments_and_long_ones() {
    let place = Place::new("many");
    let many: Vec<String> = (0..10_000).map(|n| format!("argument-{n}")).chain(["x".repeat(120_000)]).collect();
    let output = run(place.docker().args(["exec", "c1"]).args(&many));
    assert_eq!(args_of(&output).len(), many.len() + 2);
}

#[test]
fn it_becomes_podman() {
    let place = Place::new("becomes");
    place.script("podman", "#!/bin/sh\necho $$\n");
    let child = place.docker().args(["run", "alpine"]).stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout).trim(), id.to_string());
}

#[test]
fn the_pass_through_path_starts_nothing_and_writes_nothing() {
    let place = Place::new("quiet");
    let output = run(place.docker().args(["run", "--rm", "alpine", "true"]));
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(place.calls(), 1, "podman is started once");
    assert_eq!(fs::read_dir(place.at("run")).unwrap().count() + fs::read_dir(place.at("home")).unwrap().count(), 0);
}

#[test]
fn podman_is_found_and_never_ourselves() {
    let place = Place::new("found");
    // Called podman, we would start ourselves for ever.
    symlink(place.at("bin/docker"), place.at("bin/podman")).unwrap();
    let mut docker = place.docker();
    let output = run(docker.env("DOCKER_SHIM_PODMAN", place.at("bin/podman")).args(["ps"]));
    assert_eq!(output.status.code(), Some(127), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("apt install podman"), "{}", text(&output.stderr));

    let output = run(place.docker().env("DOCKER_SHIM_PODMAN", "/nonexistent/podman").args(["ps"]));
    assert_eq!(output.status.code(), Some(127));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));

    // A script that calls docker again is another program, and ends all the same.
    place.script("podman", &format!("#!/bin/sh\nexec {} \"$@\"\n", place.at("bin/docker").display()));
    let output = run(place.docker().args(["ps"]));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("leads back"), "{}", text(&output.stderr));

    fs::set_permissions(place.script("podman", "not a program"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(place.docker().args(["run", "--pull=never", "alpine"]));
    assert_eq!(output.status.code(), Some(126), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr).lines().count(), 1);
}

#[test]
fn the_version_is_asked_once_and_only_where_it_matters() {
    let place = Place::new("version");
    run(place.docker().args(["ps"]));
    assert_eq!(place.calls(), 1, "ps needs no version");
    // --dns-option is Podman's only from 4.3 on.
    let wanted: Vec<OsString> = ["run", "--dns-option=x", GIVEN_ALPINE, "docker.io/library/alpine"].map(OsString::from).to_vec();
    assert_eq!(given_of(&run(place.docker().args(["run", "--dns-option", "x", "alpine"]))), wanted);
    assert_eq!(place.calls(), 3, "asked once");
    run(place.docker().args(["run", "--dns-option", "x", "alpine"]));
    assert_eq!(place.calls(), 4, "kept");
    let cache = place.at("run/docker-shim/podman-version");
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o600);

    // Another podman under the same name is asked again.
    let mut script = fs::read_to_string(place.at("podman")).unwrap();
    script = script.replace("4.3.1", "3.0.1");
    fs::rename(place.at("podman"), place.at("podman-old")).unwrap();
    place.script("podman", &script);
    let output = run(place.docker().args(["run", "--dns-option", "x", "alpine"]));
    assert_eq!(output.status.code(), Some(125));
    assert!(text(&output.stderr).contains("needs Podman 4.3.1 or newer; this is Podman 3.0.1"), "{}", text(&output.stderr));

    // A link in the cache's place is not followed.
    let victim = place.at("victim");
    fs::rename(&cache, &victim).unwrap();
    let before = fs::read(&victim).unwrap();
    symlink(&victim, &cache).unwrap();
    run(place.docker().args(["run", "--dns-option", "x", "alpine"]));
    assert_eq!(fs::read(&victim).unwrap(), before);
}

#[test]
fn a_privileged_copy_does_not_listen_to_its_caller() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not root: a set-user-ID copy cannot be made, so this was not tried");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI this test has to run as root");
        return;
    }
    let place = Place::new("setuid");
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = place.at("bin/setuid-docker");
    assert!(Command::new("cp").arg(SHIM).arg(&copy).status().unwrap().success());
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).unwrap();
    place.script("podman", "#!/bin/sh\necho mine\n");
    let mut docker = Command::new(&copy);
    docker.env_clear().env("DOCKER_SHIM_PODMAN", place.at("podman")).env("PATH", place.at("bin")).env("DOCKER_SHIM_EXPLAIN", "1");
    let output = run(docker.args(["ps"]).uid(65534).gid(65534));
    assert!(!text(&output.stdout).contains(place.at("podman").to_str().unwrap()), "{}", text(&output.stdout));
}

#[test]
fn explain_says_what_would_be_done_and_does_nothing() {
    let place = Place::new("explain");
    let output = run(place.docker().env("DOCKER_SHIM_EXPLAIN", "1").args(["run", "-v", "/nonexistent-source/x:/x", "alpine"]));
    let plan = text(&output.stdout);
    assert!(plan.starts_with("mkdir /nonexistent-source/x\ntouch "), "{plan}");
    assert!(
        plan.contains("\nexec ")
            && plan.contains("run --volume=/nonexistent-source/x:/x ")
            && plan.contains("'--label=io.docker-shim.create={"),
        "{plan}"
    );
    assert!(plan.trim_end().ends_with("' docker.io/library/alpine"), "{plan}");
    assert_eq!(place.calls(), 0);
    assert!(!Path::new("/nonexistent-source").exists());
    let mut by_verb = Command::new(SHIM);
    by_verb.env_clear().env("DOCKER_SHIM_PODMAN", place.at("podman")).env("HOME", place.at("home"));
    by_verb.env("CONTAINERS_STORAGE_CONF", place.at("storage.conf"));
    let output = run(by_verb.args(["explain", "docker", "run", "-v", "/nonexistent-source/x:/x", "alpine"]));
    assert_eq!(text(&output.stdout), plan);
}

#[test]
fn odd_surroundings() {
    let place = Place::new("odd");
    for (name, value) in
        [("HOME", "/nonexistent"), ("HOME", ""), ("XDG_RUNTIME_DIR", "/proc"), ("XDG_CONFIG_HOME", "relative"), ("LANG", "C")]
    {
        let output = run(place.docker().env(name, value).args(["ps"]));
        assert_eq!(output.status.code(), Some(0), "{name}={value}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{name}={value}");
    }
    let gone = place.at("gone");
    fs::create_dir(&gone).unwrap();
    let mut in_gone = Command::new("/bin/sh");
    in_gone.env_clear().env("DOCKER_SHIM_PODMAN", place.at("podman")).current_dir(&gone).arg("-c");
    let output = run(in_gone.arg(format!("rmdir {0}; exec {1} run -v ./x:/x alpine", gone.display(), place.at("bin/docker").display())));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut closed = Command::new("/bin/sh");
    closed.env_clear().env("DOCKER_SHIM_PODMAN", place.at("podman")).arg("-c");
    let output = run(closed.arg(format!("{} ps <&- >&- 2>&-", place.at("bin/docker").display())));
    assert!(output.status.success());
    let mut full = Command::new("/bin/sh");
    full.env_clear().arg("-c").arg(format!("{} --help >/dev/full", place.at("bin/docker").display()));
    assert_eq!(run(&mut full).status.code(), Some(1));
}

#[test]
fn a_reader_that_leaves_early_ends_it() {
    let place = Place::new("pipe");
    // Asked whether the container is there, it answers at once.
    place.script("podman", "#!/bin/sh\n[ \"$1\" = container ] || exec yes\n");
    for command in ["run alpine", "logs -f c1"] {
        let script = format!("{} {command} | head -n 1", place.at("bin/docker").display());
        let mut sh = Command::new("/bin/sh");
        sh.env_clear().env("PATH", "/usr/bin:/bin").env("DOCKER_SHIM_PODMAN", place.at("podman"));
        sh.env("CONTAINERS_STORAGE_CONF", place.at("storage.conf"));
        let output = run(sh.args(["-c", &script]));
        assert_eq!(text(&output.stdout), "y\n", "{command}");
    }
}

#[test]
fn signals_reach_podman_and_its_end_is_ours() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::io::{BufRead, BufReader};

    let place = Place::new("signals");
    place.script(
        "podman",
        "#!/bin/sh\ntrap 'echo term; [ $1 = import ] || exit 7; exit 0' TERM\ntrap 'echo int; exit 8' INT\necho ready\nwhile :; do sleep 0.05; done\n",
    );
    // `run` is podman itself; `import` has us wait for it, and ends as Docker's client does, whatever podman makes of the signal.
    for (words, signal, said, status) in [
        (["run", "alpine"], Signal::SIGTERM, "term", 7),
        (["run", "alpine"], Signal::SIGINT, "int", 8),
        (["import", "-"], Signal::SIGTERM, "term", 143),
        (["import", "-"], Signal::SIGINT, "int", 130),
    ] {
        let mut child = place.docker().args(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), said, "{words:?} {signal}");
        assert_eq!(child.wait().unwrap().code(), Some(status), "{words:?} {signal}");
    }
    // Killed by a signal, we die by the same one.
    place.script("podman", "#!/bin/sh\nkill -SEGV $$\n");
    for words in [["run", "alpine"], ["import", "-"], ["pull", "a"]] {
        assert_eq!(run(place.docker().args(words)).status.signal(), Some(Signal::SIGSEGV as i32), "{words:?}");
    }
}

#[test]
fn global_flags() {
    let place = Place::new("globals");
    place.script("podman", "#!/bin/sh\nprintf '%s ' \"$@\"\necho \"config=$DOCKER_CONFIG\"\n");
    let said = |words: &[&str]| {
        let output = run(place.docker().args(words));
        (output.status.code(), text(&output.stdout).trim().to_string(), text(&output.stderr).trim().to_string())
    };
    let named = place.at("named");
    fs::create_dir(&named).unwrap();
    fs::write(named.join("config.json"), "{}").unwrap();
    let named = named.display().to_string();
    assert_eq!(said(&["--config", &named, "wait", "a"]).1, format!("wait a config={named}"));
    assert_eq!(said(&["-l", "debug", "-D", "-c", "default", "wait", "a"]).1, "wait a config=");
    assert_eq!(said(&["-l", "error", "wait", "a"]).1, "--log-level=error wait a config=");
    assert_eq!(said(&["-l", "bogus", "ps"]), (Some(1), String::new(), "Unable to parse logging level: bogus".into()));
    assert_eq!(said(&["-H", "unix:///var/run/docker.sock", "wait", "a"]).1, "wait a config=");
    assert_eq!(
        said(&["-H", "ssh://u@h/run/podman/podman.sock", "wait", "a"]).1,
        "--remote --url=ssh://u@h/run/podman/podman.sock wait a config="
    );
    assert_eq!(said(&["-H", "somewhere:2375", "wait", "a"]).1, "--remote --url=tcp://somewhere:2375 wait a config=");
    let (status, out, err) =
        said(&["-H", "tcp://h:2376", "--tls", "--tlscacert='ca.pem'", "--tlscert='c.pem'", "--tlskey='k.pem'", "wait", "a"]);
    assert!(status == Some(1) && out.is_empty() && err.contains("TLS") && err.lines().count() == 1, "{err}");
    assert_eq!(said(&["--tls", "--tlscacert='ca.pem'", "wait", "a"]).1, "wait a config=");
    let (status, out, err) = said(&["-c", "elsewhere", "ps"]);
    assert!(status == Some(1) && out.is_empty() && err.contains("context \"elsewhere\": context not found"), "{err}");
    let (status, _, err) = said(&["-c", "default", "-H", "tcp://h", "ps"]);
    assert_eq!((status, err.as_str()), (Some(1), "conflicting options: cannot specify both --host and --context"));

    let output = run(place.docker().env("DOCKER_HOST", "tcp://10.0.0.1:2375").args(["wait", "a"]));
    assert_eq!(text(&output.stdout).trim(), "--remote --url=tcp://10.0.0.1:2375 wait a config=");

    // Contexts that Docker made, under the digest of their name, and the one that is current.
    const FAR: &str = "512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868";
    let docker = place.at("home/.docker");
    fs::create_dir_all(docker.join("contexts/meta").join(FAR)).unwrap();
    fs::write(docker.join("contexts/meta").join(FAR).join("meta.json"), r#"{"Name":"far","Endpoints":{"docker":{"Host":"ssh://far"}}}"#)
        .unwrap();
    fs::write(docker.join("config.json"), r#"{"auths":{},"currentContext":"far"}"#).unwrap();
    let config = format!("config={}", docker.display());
    assert_eq!(said(&["wait", "a"]).1, format!("--remote --url=ssh://far wait a {config}"));
    assert_eq!(said(&["-c", "default", "wait", "a"]).1, format!("wait a {config}"));
}

#[test]
fn podmans_own_words_only_where_they_are_asked_for() {
    let place = Place::new("extras");
    let refused = run(place.docker().args(["run", "--userns-uid=1", "alpine"]));
    assert_eq!(refused.status.code(), Some(125));
    assert_eq!(run(place.docker().args(["pod", "ls"])).status.code(), Some(1));
    let settings = place.at("home/.config/containers");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("docker-shim.toml"), "podman_extras = true\n").unwrap();
    let wanted: Vec<OsString> = ["run", "--rm", "--pod=x", GIVEN_ALPINE, "docker.io/library/alpine"].map(OsString::from).to_vec();
    assert_eq!(given_of(&run(place.docker().args(["run", "--rm", "--pod=x", "alpine"]))), wanted);
    assert_eq!(args_of(&run(place.docker().args(["pod", "ls"]))), ["pod", "ls"]);
    assert_eq!(run(place.docker().args(["rm", "-fa"])).status.code(), Some(125), "never short letters");
}

#[test]
fn doctor_follows_an_image_by_files_of_the_users() {
    let place = Place::new("doctor");
    let containers = place.at("home/.config/containers");
    fs::create_dir_all(&containers).unwrap();
    let write = |name: &str, text: &str| fs::write(containers.join(name), text).unwrap();
    let doctor = |args: &[&str]| {
        let mut command = Command::new(SHIM);
        command.env_clear().env("HOME", place.at("home")).env("PATH", "/usr/bin:/bin").env("XDG_RUNTIME_DIR", place.at("run"));
        let output = run(command.env("DOCKER_SHIM_PODMAN", place.at("podman")).arg("doctor").args(args).stdin(Stdio::null()));
        (text(&output.stdout), output.status.code())
    };
    let policy = r#"{"default": [{"type": "reject"}], "transports": {"docker": {
        "docker.io/library": [{"type": "insecureAcceptAnything"}], "quay.io": [{"type": "signedBy", "keyType": "GPGKeys", "keyData": "aGk="}]}}}"#;
    write("policy.json", policy);
    let mirror = "[[registry.mirror]]\nlocation = \"mirror.example.com\"\n";
    let blocked = "[[registry]]\nlocation = \"docker.io/library/old\"\nblocked = true\n";
    let hub = "[[registry]]\nprefix = \"docker.io\"\nlocation = \"own.example.com/docker\"\n";
    write("registries.conf", &format!("{hub}{mirror}{blocked}"));
    let (file, rules) = (containers.join("registries.conf").display().to_string(), containers.join("policy.json").display().to_string());
    let wanted = format!(
        "docker.io/library/busybox:1\n  from      mirror.example.com/library/busybox:1\n  from      own.example.com/docker/library/busybox:1\n\
         \x20 registry  {file}, prefix docker.io: allowed\n  policy    {rules}, rule for docker.io/library: accepted\n"
    );
    assert_eq!(doctor(&["image", "busybox:1"]), (wanted, Some(0)));
    for (name, status, words) in [
        ("old", 1, "prefix docker.io/library/old: blocked"),
        ("me/app", 1, "rule \"default\": rejected"),
        ("quay.io/a", 0, "rule for quay.io: accepted where signed"),
    ] {
        let (said, got) = doctor(&["image", name]);
        assert!(got == Some(status) && said.contains(words), "{name}: {got:?} {said}");
    }
    let (said, status) = doctor(&["image", "--json", "old"]);
    assert!(status == Some(1) && said.contains("\"open\":false") && said.contains("\"blocked\":true"), "{said}");

    write("policy.json", &policy.replace("\"reject\"}", "\"reject\""));
    let (said, status) = doctor(&["image", "busybox:1"]);
    assert!(status == Some(1) && said.contains("cannot be read") && said.contains("the { of line 1 is not closed before the ]"), "{said}");
    let (said, status) = doctor(&[]);
    assert!(status == Some(1) && said.starts_with("error ") && said.contains(&format!("{rules}, line 1, column ")), "{said}");
}
