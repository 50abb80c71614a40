//! The lab of real engines (`shim-tests/lab/lab`), and running a case in one of them.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};

use crate::cases::Case;
use crate::normalise;
use crate::probe::{Probe, State};
use crate::records::Answer;

/// The user `ci` in every engine.
const CI: u32 = 1001;

pub struct Lab {
    tool: PathBuf,
    /// Where it lives ($DOCKER_SHIM_LAB).
    place: PathBuf,
}

impl Lab {
    /// Brings the lab up. Engines that cannot be had are missing afterwards; the lab's own warnings go to stderr.
    pub fn up(tool: &Path) -> Result<Lab> {
        let _ = Command::new(tool).arg("up").stdin(Stdio::null()).stdout(Stdio::null()).status().context("lab up")?;
        let lab = Lab { tool: tool.to_owned(), place: PathBuf::new() };
        let place = lab.ask(&["path"])?;
        Ok(Lab { place: place.trim().into(), ..lab })
    }

    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.tool).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Puts the shim where the Podman engines find it as `docker`, replaced in one step: another run may be using it.
    pub fn install(&self, shim: &Path) -> Result<()> {
        for name in ["docker", "docker-shim"] {
            let fresh = self.place.join(format!("bin/.{name}.{}", std::process::id()));
            fs::copy(shim, &fresh)?;
            fs::set_permissions(&fresh, Permissions::from_mode(0o755))?;
            fs::rename(&fresh, self.place.join("bin").join(name))?;
        }
        Ok(())
    }

    /// The running engines.
    pub fn engines(&self) -> Result<Vec<Engine>> {
        let mut engines = Vec::new();
        for line in self.ask(&["engines", "--pids"])?.lines() {
            let [name, version, pid] = line.split_whitespace().collect::<Vec<_>>()[..] else { bail!("lab engines says '{line}'") };
            engines.push(Engine {
                name: name.to_owned(),
                version: version.to_owned(),
                root: PathBuf::from(format!("/proc/{pid}/root")),
                tool: self.tool.clone(),
                place: self.place.clone(),
            });
        }
        Ok(engines)
    }
}

pub struct Engine {
    pub name: String,
    pub version: String,
    /// Its file system, seen from here.
    pub root: PathBuf,
    tool: PathBuf,
    pub place: PathBuf,
}

/// What an engine did with a case.
pub struct Run {
    pub answer: Answer,
    pub took: Duration,
}

impl Engine {
    pub fn is_docker(&self) -> bool {
        self.name == "docker"
    }

    /// Runs the cases, each from the base state, while nobody else may use the engine. A case that the lab
    /// cannot run has that as its status; the error is for an engine that cannot be used any more.
    pub fn run<'a>(&self, cases: &[&'a Case]) -> Result<Vec<(&'a Case, Run)>> {
        let _lock = self.lock()?;
        self.reset()?;
        let mut probes: Vec<(&str, Probe, State)> = Vec::new();
        let mut runs = Vec::new();
        for case in cases {
            if !probes.iter().any(|(user, ..)| *user == case.user) {
                let probe = Probe::new(self, &case.user);
                let base = probe.state()?;
                probes.push((&case.user, probe, base));
            }
            let Some((_, probe, base)) = probes.iter().find(|(user, ..)| *user == case.user) else { continue };
            let run = match self.case(case, probe, base) {
                Ok(run) => run,
                Err(error) => {
                    self.reset().with_context(|| format!("case {}: {error:#}", case.name))?;
                    let status = format!("the lab failed: {error:#}");
                    Run { answer: Answer { status, ..Answer::default() }, took: Duration::ZERO }
                }
            };
            runs.push((*case, run));
        }
        let _ = fs::remove_dir_all(self.desk());
        Ok(runs)
    }

    /// Waits until nobody else uses the engine.
    fn lock(&self) -> Result<Flock<File>> {
        let file = File::create(self.place.join("run").join(&self.name).join("lock"))?;
        Flock::lock(file, FlockArg::LockExclusiveNonblock).or_else(|(file, _)| {
            println!("{}: waiting for another run to end", self.name);
            Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno.into())
        })
    }

    /// Runs one case, looks at what it left, and cleans up.
    fn case(&self, case: &Case, probe: &Probe, base: &State) -> Result<Run> {
        let began = Instant::now();
        let desk = self.desk();
        let _ = fs::remove_dir_all(&desk);
        fs::create_dir_all(desk.join("case"))?;
        if case.user == "ci" {
            chown(desk.join("case"), Some(CI), Some(CI))?;
        }
        let native = format!("native() {{ /usr/bin/{} \"$@\"; }}\n", if self.is_docker() { "docker" } else { "podman" });
        if !case.setup.is_empty() {
            let setup = self.sh(case, "setup", &(native.clone() + "set -e\n" + &case.setup.join("\n")))?;
            if setup.0 != "0" {
                bail!("the setup failed with {}: {}{}", setup.0, setup.1, setup.2);
            }
        }
        let (status, stdout, stderr) = self.sh(case, "script", &case.script)?;
        let took = began.elapsed();
        let mut state = probe.state()?;
        if state.is_running() {
            // Docker lists a container as running for a moment after `docker run` has told its exit status.
            thread::sleep(Duration::from_millis(200));
            state = probe.state()?;
        }
        let mut lines = state.difference(base);
        for command in &case.probe {
            let (status, stdout, stderr) = self.sh(case, "probe", &(native.clone() + command))?;
            lines.push(format!("$ {command}"));
            lines.extend(self.lines(&(stdout + &stderr)));
            if status != "0" {
                lines.push(format!("exit {status}"));
            }
        }
        if !probe.clean(&state, base, case.script.contains("build"))? {
            self.reset()?;
            let left = probe.state()?.difference(base);
            if !left.is_empty() {
                bail!("cannot be brought back to the base state: {left:?}");
            }
        }
        let answer = Answer { status, stdout: self.lines(&stdout), stderr: self.lines(&stderr), state: lines };
        Ok(Run { answer, took })
    }

    /// Runs a script of a case with sh: its status (or "timed out"), stdout and stderr. Both go to files, so a process
    /// left behind cannot hold anything up.
    fn sh(&self, case: &Case, name: &str, script: &str) -> Result<(String, String, String)> {
        let desk = self.desk();
        fs::write(desk.join(name), script)?;
        let inside = |name: &str| format!("/lab/desk/differential/{}/{name}", self.name);
        let seconds = case.limit.as_secs();
        let began = Instant::now();
        let status = Command::new(&self.tool)
            .args(["exec", "--user", &case.user, "--dir", &inside("case"), &self.name, "--"])
            .args(["timeout", "-k", "5", &seconds.to_string(), "sh", &inside(name)])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DOCKER_SHIM_LAB", &self.place)
            .stdin(Stdio::null())
            .stdout(File::create(desk.join("stdout"))?)
            .stderr(File::create(desk.join("stderr"))?)
            .status()?;
        let read = |name: &str| -> Result<String> { Ok(readable(&fs::read(desk.join(name))?)) };
        let status = match status.code() {
            _ if began.elapsed() >= case.limit => "timed out".to_owned(),
            Some(code) => code.to_string(),
            None => "killed".to_owned(),
        };
        Ok((status, read("stdout")?, read("stderr")?))
    }

    /// Where this engine's cases are laid out: the script, its output, and the directory `case` it runs in.
    fn desk(&self) -> PathBuf {
        self.place.join("desk/differential").join(&self.name)
    }

    fn lines(&self, text: &str) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        let desk = format!("/lab/desk/differential/{}", self.name);
        normalise::text(text, &desk).split('\n').map(str::to_owned).collect()
    }

    fn reset(&self) -> Result<()> {
        let status = Command::new(&self.tool).args(["reset", &self.name]).stdin(Stdio::null()).status()?;
        if !status.success() {
            bail!("{} cannot be reset", self.name);
        }
        Ok(())
    }
}

/// Bytes as text; what is not UTF-8 or would disturb a terminal is spelled out.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => text.push(character),
                _ if character.is_control() => text.extend(character.escape_default()),
                _ => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            text += &format!("\\x{byte:02x}");
        }
    }
    text
}
