//! The tool cache of build agents as its tasks find it, and what docker-shim says there: seeded clients, policy in both CI systems' words,
//! clients that were downloaded, and the scans. Where npm is at hand, Microsoft's own library looks for the clients.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SHIM: &str = env!("CARGO_BIN_EXE_docker-shim");
/// What pipelines write, and where DockerInstaller looks for it.
const VERSIONS: [(&str, &str); 7] = [
    ("19.03.4", "19.3.4"),
    ("19.03.15", "19.3.15"),
    ("20.10.24", "20.10.24"),
    ("17.09.0-ce", "17.9.0-ce"),
    ("18.06.1-ce", "18.6.1-ce"),
    ("24.0.9", "24.0.9"),
    ("28.5.2", "28.5.2"),
];
const ARCH: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };

/// A machine of a test's own: docker-shim as `bin/docker`, a tool cache and a home of the agent's user (nobody, where root runs the tests).
struct Agent {
    dir: PathBuf,
    user: u32,
}

impl Agent {
    fn new(name: &str) -> Agent {
        let dir = std::env::temp_dir().join(format!("docker-shim-agent-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        for sub in ["bin", "tools", "home/.config/containers", "temp"] {
            fs::create_dir_all(dir.join(sub)).unwrap();
        }
        // By a process of its own: what another test starts meanwhile would hold a file open that is being written, and nobody could run it.
        // The commands that get as far as Podman only show it.
        let make = "cp \"$1\" docker; cp \"$1\" docker-shim; printf '#!/bin/sh\\necho podman \"$@\"\\n' >podman; chmod 755 podman";
        let made = Command::new("sh").args(["-ec", make, "sh", SHIM]).current_dir(dir.join("bin")).status();
        assert!(made.unwrap().success());
        let me = nix::unistd::geteuid().as_raw();
        let user = if me == 0 { 65534 } else { me };
        for sub in ["tools", "home", "temp"] {
            chown(dir.join(sub), Some(user), Some(user)).unwrap();
        }
        Agent { dir, user }
    }
    fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
    fn client(&self, clean: &str) -> PathBuf {
        self.at(&format!("tools/docker-stable/{clean}/{ARCH}/docker"))
    }
    fn settings(&self, text: &str) {
        fs::write(self.at("home/.config/containers/docker-shim.toml"), text).unwrap();
    }
    /// docker-shim by its own name, as whoever runs the tests.
    fn shim(&self, args: &[&str]) -> Output {
        let mut command = Command::new(self.at("bin/docker-shim"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.at("home")).env("AGENT_TOOLSDIRECTORY", self.at("tools"));
        command.args(args).output().unwrap()
    }
    fn toolcache(&self, verb: &str, more: &[&str]) -> String {
        let program = self.at("bin/docker");
        let given: &[&str] = if verb == "scan" { &[] } else { &["--program", program.to_str().unwrap()] };
        let output = self.shim(&[&["toolcache", verb], given, more].concat());
        assert!(output.status.success() && output.stderr.is_empty(), "{verb}: {output:?}");
        text(&output.stdout)
    }
    /// A program as the agent's user starts it, in a job of this CI (`TF_BUILD`, `GITHUB_ACTIONS`, or none).
    fn start(&self, program: impl AsRef<std::ffi::OsStr>, ci: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display())).env("HOME", self.at("home"));
        command.env("DOCKER_SHIM_PODMAN", self.at("bin/podman")).env("AGENT_TEMPDIRECTORY", self.at("temp")).stdin(Stdio::null());
        command.env("AGENT_TOOLSDIRECTORY", self.at("tools")).current_dir("/");
        if !ci.is_empty() {
            command.env(ci, "True");
        }
        if nix::unistd::geteuid().is_root() {
            command.uid(self.user).gid(self.user);
        }
        command
    }
    fn run(&self, program: &Path, ci: &str, args: &[&str]) -> Output {
        self.start(program, ci).args(args).output().unwrap()
    }
    /// A client as DockerInstaller leaves it: any program will do.
    fn download(&self, clean: &str) -> PathBuf {
        let client = self.client(clean);
        let script = format!("mkdir -p {0} && cp /bin/echo {0}/docker && : >{0}.complete", client.parent().unwrap().display());
        assert!(self.run(Path::new("/bin/sh"), "", &["-c", &script]).status.success());
        client
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every path below a directory.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        found.push(entry.path());
        found.extend(below(&entry.path()));
    }
    found
}

#[test]
fn seeded_clients_are_the_agents_and_say_what_was_asked_for() {
    let agent = Agent::new("seed");
    let wanted = VERSIONS.map(|(version, _)| version).join(",");
    let planned = agent.toolcache("seed", &["--versions", &wanted, "--dry-run"]);
    assert_eq!(planned.lines().count(), VERSIONS.len());
    assert_eq!(below(&agent.at("tools")).len(), 0, "a dry run does nothing");
    assert_eq!(agent.toolcache("seed", &["--versions", &wanted]), planned);
    assert_eq!(agent.toolcache("seed", &["--versions", &wanted]), "", "a second time there is nothing to do");
    for (version, clean) in VERSIONS {
        let client = agent.client(clean);
        assert!(client.parent().unwrap().with_file_name(format!("{ARCH}.complete")).exists(), "{version} is marked complete");
        // What the task does with what it finds.
        assert!(agent.run(Path::new("/bin/chmod"), "", &["755", client.to_str().unwrap()]).status.success(), "{version} is the user's own");
        let output = agent.run(&client, "", &["--version"]);
        assert!(text(&output.stdout).starts_with(&format!("Docker version {version}, ")), "{version}: {output:?}");
        assert!(output.stderr.is_empty() && output.status.success());
        let output = agent.run(&client, "", &["exec", "c1", "a b"]);
        assert_eq!(text(&output.stdout), "podman exec c1 a b\n", "{version}: commands go to Podman");
    }
    // Started by its name alone, as scripts do, and by a relative path.
    for start in [&["-c", "cd \"$0\"; PATH=$0; docker --version"][..], &["-c", "cd \"$0\"; ./docker --version"]] {
        let dir = agent.client("19.3.4").parent().unwrap().to_owned();
        let output = agent.start("/bin/sh", "").args(start).arg(dir).output().unwrap();
        assert!(text(&output.stdout).starts_with("Docker version 19.03.4"), "{start:?}: {output:?}");
    }
    assert!(below(&agent.at("tools")).iter().all(|path| fs::metadata(path).unwrap().uid() == agent.user), "all of it is the user's");
    assert_eq!(agent.toolcache("unseed", &[]).lines().count(), VERSIONS.len());
    assert_eq!(below(&agent.at("tools")).len(), 0, "unseeding leaves nothing");
}

#[test]
fn every_release_can_be_seeded_and_odd_words_cannot() {
    let agent = Agent::new("all");
    let count = agent.toolcache("seed", &["--channel", "stable,edge"]).lines().count();
    assert!(count > 300 && count % 2 == 0, "{count}");
    for odd in ["../../x", "19.03", "latest", "19.03.4/../..", ""] {
        assert!(!agent.shim(&["toolcache", "seed", "--versions", odd]).status.success(), "{odd:?}");
    }
    assert!(!agent.shim(&["toolcache", "seed", "--channel", "../x"]).status.success());
    let output = agent.shim(&["toolcache", "seed", "--tools-dir", "/nonexistent/tools"]);
    assert!(!output.status.success() && text(&output.stderr).contains("/nonexistent/tools"));
}

#[test]
fn what_is_not_ours_stays() {
    let agent = Agent::new("foreign");
    let real = agent.download("24.0.9");
    let report = agent.toolcache("seed", &["--versions", "24.0.9,19.03.4"]);
    assert!(report.contains(&format!("left {}", real.display())), "{report}");
    agent.toolcache("unseed", &[]);
    assert!(fs::read(&real).unwrap().starts_with(b"\x7fELF"), "a downloaded client is nobody's to remove");
    // A link that somebody put in the way is followed with that user's rights alone.
    if nix::unistd::geteuid().is_root() {
        fs::create_dir(agent.at("roots")).unwrap();
        std::os::unix::fs::symlink(agent.at("roots"), agent.at("tools/docker-edge")).unwrap();
        let output = agent.shim(&["toolcache", "seed", "--versions", "19.03.4", "--channel", "edge"]);
        assert!(!output.status.success() && below(&agent.at("roots")).is_empty(), "{output:?}");
    }
}

#[test]
fn downloaded_clients_are_taken_over_and_given_back() {
    let agent = Agent::new("takeover");
    let client = agent.download("18.9.9");
    let half = agent.download("18.9.8");
    fs::remove_file(half.parent().unwrap().with_file_name(format!("{ARCH}.complete"))).unwrap();
    assert!(agent.toolcache("takeover", &["--dry-run"]).contains("18.09.9"));
    assert!(fs::read(&client).unwrap().starts_with(b"\x7fELF"));
    assert_eq!(agent.toolcache("takeover", &[]), format!("took over {} (18.09.9)\n", client.display()), "what is being copied waits");
    assert!(text(&agent.run(&client, "", &["--version"]).stdout).starts_with("Docker version 18.09.9, "));
    assert_eq!(agent.toolcache("takeover", &[]), "");
    assert_eq!(agent.toolcache("restore", &[]), format!("restored {}\n", client.display()));
    assert_eq!(text(&agent.run(&client, "", &["a", "b"]).stdout), "a b\n");
    agent.toolcache("takeover", &[]);
    agent.toolcache("unseed", &[]);
    assert_eq!(text(&agent.run(&client, "", &["again"]).stdout), "again\n", "so does unseeding");
}

#[test]
fn old_clients_are_warned_of_on_the_installers_check_alone() {
    let agent = Agent::new("warn");
    agent.toolcache("seed", &["--versions", "19.03.4,28.5.2"]);
    let (old, new) = (agent.client("19.3.4"), agent.client("28.5.2"));
    for (ci, start) in [("TF_BUILD", "##vso[task.logissue type=warning]"), ("GITHUB_ACTIONS", "::warning::")] {
        let output = agent.run(&old, ci, &["--version"]);
        let said = text(&output.stdout);
        let mut lines = said.lines();
        let warning = lines.next().unwrap();
        assert!(warning.starts_with(start) && warning.contains("19.03.4") && warning.contains("20.10.0"), "{ci}: {said}");
        assert!(warning.contains("dockerVersion") && lines.next().unwrap().starts_with("Docker version 19.03.4"), "{ci}: {said}");
        assert!(output.status.success() && output.stderr.is_empty());
        let output = agent.run(&old, ci, &["exec", "c1", "id"]);
        assert_eq!((text(&output.stdout), output.stderr.len()), ("podman exec c1 id\n".into(), 0), "{ci}: output that is read stays clean");
        assert!(text(&agent.run(&new, ci, &["--version"]).stdout).starts_with("Docker version 28.5.2"), "{ci}: newer ones are no matter");
    }
    let output = agent.run(&old, "", &["--version"]);
    assert!(text(&output.stdout).starts_with("Docker version 19.03.4") && output.stderr.is_empty(), "nobody reads it here");
}

#[test]
fn refused_clients_do_nothing() {
    let agent = Agent::new("refuse");
    agent.toolcache("seed", &["--versions", "19.03.4,20.10.24"]);
    agent.settings("[installer]\nbelow_minimum = \"refuse\"\ntext = \"Ask: build@corp.example; 100%]\\n##vso[task.setvariable variable=a]b\\n::add-path::/x\"\n");
    let (old, new) = (agent.client("19.3.4"), agent.client("20.10.24"));
    let azure = "##vso[task.logissue type=error]The Docker client 19.03.4 that DockerInstaller was asked for is not allowed here. Set its input \
                 dockerVersion to 20.10.0 or newer, or remove the task. Ask: build@corp.example%3B 100%25%5D%0A#vso[task.setvariable \
                 variable=a%5Db%0A::add-path::/x\n";
    let github = "::error::The Docker client 19.03.4 that DockerInstaller was asked for is not allowed here. Set its input dockerVersion to \
                  20.10.0 or newer, or remove the task. Ask: build@corp.example; 100%25]%0A#vso[task.setvariable \
                  variable=a]b%0A::add-path::/x\n";
    for (ci, said) in [("TF_BUILD", azure), ("GITHUB_ACTIONS", github)] {
        for args in [&["--version"][..], &["ps"], &["build", "."], &["nonsense"]] {
            let output = agent.run(&old, ci, args);
            assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(1), said.to_string(), String::new()));
        }
        assert_eq!(agent.run(&new, ci, &["exec", "c1", "id"]).status.code(), Some(0));
    }
    let output = agent.run(&old, "", &["ps"]);
    assert!(output.status.code() == Some(1) && output.stdout.is_empty() && text(&output.stderr).starts_with("docker: The Docker client"));
    // A version on its own.
    agent.settings("[installer]\n[[installer.exceptions]]\nfrom = \"20.10.20\"\nto = \"20.10.24\"\nverdict = \"refuse\"\n");
    assert_eq!(agent.run(&new, "TF_BUILD", &["ps"]).status.code(), Some(1));
    assert_eq!(agent.run(&old, "TF_BUILD", &["exec", "c1", "id"]).status.code(), Some(0));
}

#[test]
fn an_older_client_ahead_on_path_is_told_of_once_a_job() {
    let agent = Agent::new("ahead");
    let old = agent.download("19.3.4");
    let path = format!("{}:{}:/usr/bin:/bin", old.parent().unwrap().display(), agent.at("bin").display());
    let docker = |ci: &str, args: &[&str]| agent.start(agent.at("bin/docker"), ci).env("PATH", &path).args(args).output().unwrap();
    let output = docker("TF_BUILD", &["exec", "c1", "id"]);
    assert_eq!((text(&output.stdout), output.stderr.len()), ("podman exec c1 id\n".into(), 0), "nothing is said where it could be read");
    for args in [&["version", "--format", "{{.Client.Version}}"][..], &["ps"]] {
        assert!(!text(&docker("TF_BUILD", args).stdout).contains("##vso"), "{args:?}");
    }
    let said = text(&docker("TF_BUILD", &["--version"]).stdout);
    let (warning, version) = said.split_once('\n').unwrap();
    assert!(warning.starts_with("##vso[task.logissue type=warning]The Docker client 19.03.4 before docker-shim on PATH"), "{said}");
    assert!(warning.contains("toolcache takeover") && version.starts_with("Docker version "), "{said}");
    assert!(text(&docker("TF_BUILD", &["--version"]).stdout).starts_with("Docker version "), "the second time it is known");
    fs::remove_dir_all(agent.at("temp")).unwrap();
    assert!(text(&docker("GITHUB_ACTIONS", &["--version"]).stdout).starts_with("::warning::"));
    // Taken over, or a client that is new enough, is no matter.
    agent.toolcache("takeover", &[]);
    assert!(text(&docker("GITHUB_ACTIONS", &["--version"]).stdout).starts_with("Docker version "));
}

#[test]
fn a_scan_tells_whose_clients_there_are_and_what_they_serve() {
    let agent = Agent::new("scan");
    agent.download("18.9.9");
    agent.toolcache("seed", &["--versions", "19.03.4,19.03.15,17.09.0-ce"]);
    let found: serde_json::Value = serde_json::from_str(&agent.toolcache("scan", &["--json"])).unwrap();
    let of =
        |version: &str| found.as_array().unwrap().iter().find(|f| f["version"] == version).unwrap_or_else(|| panic!("{version}: {found}"));
    assert_eq!(of("18.09.9")["dockerShim"], false);
    assert_eq!((&of("18.09.9")["builds"], &of("18.09.9")["policy"]), (&"no".into(), &"warn".into()));
    assert_eq!(of("18.09.9")["serves"], serde_json::json!(["18.09.9", "18.09.x", "18.x"]));
    assert_eq!((&of("19.03.4")["dockerShim"], &of("19.03.4")["builds"]), (&true.into(), &"yes".into()));
    assert_eq!(of("19.03.4")["serves"], serde_json::json!(["19.03.4"]));
    assert_eq!(of("19.03.15")["serves"], serde_json::json!(["19.03.15", "19.03.x", "19.x", "x"]));
    assert_eq!(of("17.09.0-ce")["serves"], serde_json::json!(["17.09.0-ce"]), "a pre-release fits no range");
    let table = agent.toolcache("scan", &[]);
    let mut lines = table.lines();
    let heading: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["PATH", "VERSION", "DOCKER-SHIM", "BUILDS", "POLICY", "SERVES"]);
    assert_eq!(lines.filter(|line| line.contains("/docker-stable/")).count(), 4, "{table}");
}

#[test]
fn pipelines_are_scanned_with_a_verdict_and_a_status() {
    let agent = Agent::new("pipelines");
    let dir = agent.at("repo/templates");
    fs::create_dir_all(&dir).unwrap();
    let pipeline =
        "steps:\n- task: DockerInstaller@0\n  inputs:\n    dockerVersion: 19.03.4\n- task: Docker@2\n  inputs: { command: build }\n";
    fs::write(agent.at("repo/azure-pipelines.yml"), pipeline).unwrap();
    fs::write(dir.join("build.yaml"), "steps:\n- ${{ if x }}:\n  - task: DockerInstaller@0 # newest\n    inputs:\n      dockerVersion: '28.5.2'\n- task: DockerCompose@1\n").unwrap();
    let repo = agent.at("repo");
    let output = agent.shim(&["scan-pipelines", repo.to_str().unwrap()]);
    let rows: Vec<Vec<String>> = text(&output.stdout)
        .lines()
        .map(|line| line.split_whitespace().map(|word| word.rsplit('/').next().unwrap().to_string()).collect())
        .collect();
    assert_eq!(
        rows,
        [
            ["PLACE", "TASK", "VERSION", "POLICY"],
            ["azure-pipelines.yml:2", "DockerInstaller@0", "19.03.4", "warn"],
            ["azure-pipelines.yml:5", "Docker@2", "-", "allow"],
            ["build.yaml:3", "DockerInstaller@0", "28.5.2", "allow"],
            ["build.yaml:6", "DockerCompose@1", "-", "allow"],
        ]
    );
    assert_eq!(output.status.code(), Some(1));
    agent.settings("[installer]\nbelow_minimum = \"refuse\"\n");
    let output = agent.shim(&["scan-pipelines", "--json", repo.to_str().unwrap()]);
    let tasks: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&tasks[0]["line"], &tasks[0]["policy"], tasks.as_array().unwrap().len()), (&2.into(), &"refuse".into(), 4));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(agent.shim(&["scan-pipelines", dir.to_str().unwrap()]).status.code(), Some(0));
    assert_eq!(agent.shim(&["scan-pipelines", "/nonexistent.yml"]).status.code(), Some(3));
}

/// DockerInstaller's own steps, by the published libraries that it is made of.
#[test]
fn the_published_tool_library_finds_seeded_clients() {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("azure-pipelines-tool-lib");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim-tests/azure/find.js");
    if !library.join("node_modules/azure-pipelines-tool-lib").exists() {
        fs::create_dir_all(&library).unwrap();
        let packages = ["azure-pipelines-tool-lib@2.279.1", "azure-pipelines-task-lib@5.281.0"];
        let npm = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix"])
            .arg(&library)
            .args(packages)
            .output();
        if !npm.as_ref().is_ok_and(|output| output.status.success()) {
            println!("not tested: npm cannot install azure-pipelines-tool-lib here");
            return;
        }
    }
    let agent = Agent::new("library");
    agent.toolcache("seed", &["--versions", &VERSIONS.map(|(version, _)| version).join(",")]);
    // Where the agent's user can read it.
    assert!(Command::new("cp").arg("-r").arg(library.join("node_modules")).arg(agent.at("node_modules")).status().unwrap().success());
    fs::copy(script, agent.at("find.js")).unwrap();
    let output = agent.start("node", "TF_BUILD").arg(agent.at("find.js")).args(VERSIONS.map(|(version, _)| version)).output().unwrap();
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    for (version, clean) in VERSIONS {
        let found = format!("{version} found {} Docker version {version}, build", agent.client(clean).display());
        assert!(said.lines().any(|line| line.starts_with(&found)), "{version}: {said}");
    }
    assert_eq!(said.matches("##vso[task.logissue type=warning]").count(), 4, "{said}");
}
