//! What docker/cli refuses of `run` and `create` before it asks the daemon (`cli/command/container/opts.go`, `parse`), and
//! what the daemon refuses of a container's settings (moby `daemon/container.go`), in their words and order.

use std::path::Path;

use crate::invocation::Uses;
use crate::plan::{Context, Refusal};

/// All of them. Errors: the first that applies.
pub fn of(context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    if uses.0.is_empty() {
        return Ok(());
    }
    client(uses, context).map_err(|words| context.as_usage(words))?;
    daemon(uses, context).map_err(|words| context.as_docker(format!("Error response from daemon: {words}")))
}

fn text<'a>(uses: &'a Uses, name: &str) -> std::borrow::Cow<'a, str> {
    uses.text(name).unwrap_or_default().to_string_lossy()
}

fn number(uses: &Uses, name: &str) -> Option<i64> {
    text(uses, name).parse().ok()
}

type Check = Result<(), String>;

fn client(uses: &Uses, context: &Context) -> Check {
    let pull = text(uses, "pull");
    if !matches!(&*pull, "" | "always" | "missing" | "never") {
        return Err(format!("invalid pull option: '{pull}': must be one of \"always\", \"missing\" or \"never\""));
    }
    let mac = text(uses, "mac-address");
    if !mac.is_empty() && !is_mac(mac.trim()) {
        return Err(format!("{mac} is not a valid mac address"));
    }
    if let Some(swappiness) = number(uses, "memory-swappiness").filter(|n| *n != -1 && !(0..=100).contains(n)) {
        return Err(format!("invalid value: {swappiness}. Valid memory swappiness range is 0-100"));
    }
    uses.all("volume").try_for_each(|v| volume(&v.to_string_lossy()))?;
    uses.all("publish").try_for_each(|p| super::ports::standard(&p.to_string_lossy()).map(drop))?;
    uses.all("publish").try_for_each(|p| super::ports::parse(&p.to_string_lossy()).map(drop))?;
    uses.all("expose").try_for_each(|p| super::ports::expose(&p.to_string_lossy()))?;
    uses.all("device").try_for_each(|d| device(&d.to_string_lossy()))?;
    for file in uses.all("label-file") {
        let Some(text) = context.host.read(Path::new(file)) else {
            return Err(format!("open {}: no such file or directory", file.to_string_lossy()));
        };
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
        if let Some(name) = lines.filter_map(|line| line.split('=').next()).find(|name| name.contains([' ', '\t'])) {
            return Err(format!("invalid env file ({}): variable '{name}' contains whitespaces", file.to_string_lossy()));
        }
    }
    let of_container = |mode: &str| mode.strip_prefix("container:").is_some_and(|name| !name.is_empty());
    let pid = text(uses, "pid");
    if !(matches!(&*pid, "" | "host") || of_container(&pid)) {
        return Err("--pid: invalid PID mode".into());
    }
    for (flag, what) in [("uts", "UTS"), ("userns", "USER")] {
        if !matches!(&*text(uses, flag), "" | "host") {
            return Err(format!("--{flag}: invalid {what} mode"));
        }
    }
    if !matches!(&*text(uses, "cgroupns"), "" | "host" | "private") {
        return Err("--cgroupns: invalid CGROUP mode".into());
    }
    restart(&text(uses, "restart"))?;
    if text(uses, "log-driver") == "none" && uses.given("log-opt") {
        return Err("invalid logging opts for driver none".into());
    }
    uses.all("security-opt").try_for_each(|o| security(&o.to_string_lossy(), context))?;
    if uses.all("storage-opt").any(|o| !o.to_string_lossy().contains('=')) {
        return Err("invalid storage option".into());
    }
    health(uses)?;
    if uses.switch("rm") && !matches!(text(uses, "restart").split(':').next(), Some("" | "no")) {
        return Err("conflicting options: cannot specify both --restart and --rm".into());
    }
    super::networks::check(uses)
}

fn is_mac(text: &str) -> bool {
    let groups = |separator: char, each: usize| {
        let parts: Vec<&str> = text.split(separator).collect();
        let digits: usize = parts.iter().map(|p| p.len()).sum();
        matches!(digits, 12 | 16 | 40) && parts.iter().all(|p| p.len() == each && p.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    groups(':', 2) || groups('-', 2) || groups('.', 4)
}

/// docker/cli's `volumespec.Parse`.
fn volume(spec: &str) -> Check {
    if spec.is_empty() {
        return Err("invalid empty volume spec".into());
    }
    if spec.len() <= 2 {
        return Ok(());
    }
    let parts: Vec<&str> = spec.split(':').collect();
    // A letter alone is a Windows drive to it, and belongs to the next part.
    if parts.iter().any(|part| part.is_empty()) {
        return Err(format!("invalid spec: {spec}: empty section between colons"));
    }
    let drives = parts[..parts.len() - 1].iter().filter(|part| part.len() == 1 && part.as_bytes()[0].is_ascii_alphabetic()).count();
    if parts.len() - drives > 3 {
        return Err(format!("invalid spec: {spec}: too many colons"));
    }
    Ok(())
}

/// `validateDevice`.
fn device(value: &str) -> Check {
    let qualified = value.split_once('=').is_some_and(|(kind, name)| kind.contains('/') && !kind.starts_with('/') && !name.is_empty());
    if qualified {
        return Ok(());
    }
    let parts: Vec<&str> = value.split(':').collect();
    if parts.len() > 3 || parts[0].is_empty() {
        return Err(format!("bad format for path: {value}"));
    }
    let is_mode = |mode: &str| {
        let once = |c: char| mode.matches(c).count() <= 1;
        !mode.is_empty() && mode.chars().all(|c| "rwm".contains(c) && once(c))
    };
    let inside = match parts.as_slice() {
        [path] => path,
        [path, mode] if is_mode(mode) => path,
        [_, inside] => inside,
        [_, _, mode, ..] if !is_mode(mode) => return Err(format!("bad mode specified: {mode}")),
        [_, inside, ..] => inside,
        [] => return Ok(()),
    };
    if inside.starts_with('/') { Ok(()) } else { Err(format!("{inside} is not an absolute path")) }
}

/// `opts.ParseRestartPolicy`.
fn restart(policy: &str) -> Check {
    match policy.split_once(':') {
        Some(("", _)) => Err("invalid restart policy format: no policy provided before colon".into()),
        Some((_, count)) if !count.is_empty() && count.parse::<i64>().is_err() => {
            Err("invalid restart policy format: maximum retry count must be an integer".into())
        }
        _ => Ok(()),
    }
}

/// `parseSecurityOpts`.
fn security(option: &str, context: &Context) -> Check {
    let (key, value) = match option.split_once('=') {
        Some((key, value)) => (key, value),
        None if option == "no-new-privileges" => return Ok(()),
        None => option.split_once(':').unwrap_or((option, "")),
    };
    if value.is_empty() && key != "no-new-privileges" {
        return Err(format!("Invalid --security-opt: {option:?}"));
    }
    let is_file = key == "seccomp" && !matches!(value, "builtin" | "unconfined");
    if is_file && !context.host.exists(Path::new(value)) {
        return Err(format!("opening seccomp profile ({value}) failed: open {value}: no such file or directory"));
    }
    Ok(())
}

fn health(uses: &Uses) -> Check {
    const DURATIONS: [&str; 4] = ["health-interval", "health-timeout", "health-start-period", "health-start-interval"];
    let is_zero = |name: &str| text(uses, name).bytes().all(|b| !b.is_ascii_digit() || b == b'0');
    let durations = DURATIONS.iter().any(|name| uses.given(name) && !is_zero(name));
    let retries = number(uses, "health-retries").unwrap_or(0);
    if uses.switch("no-healthcheck") {
        if durations || retries != 0 || !text(uses, "health-cmd").is_empty() {
            return Err("--no-healthcheck conflicts with --health-* options".into());
        }
        return Ok(());
    }
    let negative = |name: &str| text(uses, name).starts_with('-') && !is_zero(name);
    for name in ["health-interval", "health-timeout", "health-retries", "health-start-period", "health-start-interval"] {
        if negative(name) {
            return Err(format!("--{name} cannot be negative"));
        }
    }
    Ok(())
}

/// What the daemon refuses whatever the image.
fn daemon(uses: &Uses, context: &Context) -> Check {
    resources(uses, context)?;
    mounts(uses)?;
    let user = text(uses, "user");
    if user.split(':').any(|id| id.parse::<i64>().is_ok_and(|id| !(0..=i64::from(i32::MAX)).contains(&id))) {
        return Err("uids and gids must be in range 0-2147483647".into());
    }
    let ipc = text(uses, "ipc");
    if !matches!(&*ipc, "" | "none" | "private" | "host" | "shareable") && !ipc.starts_with("container:") {
        return Err(format!("invalid IPC mode: {ipc}"));
    }
    let workdir = text(uses, "workdir");
    if !workdir.is_empty() && !workdir.starts_with('/') {
        return Err(format!("the working directory '{workdir}' is invalid, it needs to be an absolute path"));
    }
    let policy = text(uses, "restart");
    let (name, count) = policy.split_once(':').map_or((&*policy, 0), |(name, count)| (name, count.parse().unwrap_or(0)));
    match name {
        "always" | "no" | "unless-stopped" if count != 0 => {
            let mut words = String::from("invalid restart policy: maximum retry count can only be used with 'on-failure'");
            if count < 0 {
                words.push_str(" and cannot be negative");
            }
            return Err(words);
        }
        "on-failure" if count < 0 => return Err("invalid restart policy: maximum retry count cannot be negative".into()),
        "" | "always" | "no" | "unless-stopped" | "on-failure" => {}
        other => {
            return Err(format!(
                "invalid restart policy: unknown policy '{other}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
            ));
        }
    }
    Ok(())
}

/// What moby refuses of mounts taken together (`daemon/volumes.go`, `registerMountPoints`).
fn mounts(uses: &Uses) -> Check {
    const MODES: [&str; 10] = ["ro", "rw", "z", "Z", "private", "rprivate", "shared", "rshared", "slave", "rslave"];
    for from in uses.all("volumes-from").map(|from| from.to_string_lossy()) {
        let mode = from.split_once(':').map(|(_, mode)| mode);
        if let Some(mode) = mode.filter(|mode| !mode.split(',').all(|word| MODES.contains(&word))) {
            return Err(format!("invalid mode: {mode}"));
        }
    }
    let volumes = uses.all("volume").filter_map(|volume| Some(volume.to_string_lossy().split(':').nth(1)?.to_string()));
    let targets = uses.all("mount").filter_map(|mount| {
        let fields = crate::plan::rules::mounts::fields(&mount.to_string_lossy());
        let target = |field: &String| {
            let (key, value) = field.split_once('=')?;
            matches!(&*key.to_ascii_lowercase(), "target" | "dst" | "destination").then(|| value.to_string())
        };
        fields.iter().find_map(target)
    });
    let mut seen: Vec<String> = Vec::new();
    for target in volumes.chain(targets) {
        let target = if target.len() > 1 { target.trim_end_matches('/').to_string() } else { target };
        if seen.contains(&target) {
            return Err(format!("Duplicate mount point: {target}"));
        }
        seen.push(target);
    }
    Ok(())
}

/// moby `daemon/daemon_unix.go`, `verifyPlatformContainerResources`.
fn resources(uses: &Uses, context: &Context) -> Check {
    let bytes = |name: &str| uses.text(name).and_then(|v| crate::grammar::ram_in_bytes(v.as_encoded_bytes()).ok()).unwrap_or(0);
    let memory = bytes("memory");
    least_memory(memory)?;
    if let Some(score) = number(uses, "oom-score-adj").filter(|n| !(-1000..=1000).contains(n)) {
        return Err(format!("Invalid value {score}, range for oom score adj is [-1000, 1000]"));
    }
    let swap = bytes("memory-swap");
    if memory > 0 && swap > 0 && swap < memory {
        return Err("Minimum memoryswap limit should be larger than memory limit, see usage".into());
    }
    if memory == 0 && swap > 0 {
        return Err("You should always set the Memory limit when using Memoryswap limit, see usage".into());
    }
    limits(uses, context)
}

fn least_memory(bytes: i64) -> Check {
    if bytes != 0 && bytes < 6 << 20 { Err("Minimum memory limit allowed is 6MB".into()) } else { Ok(()) }
}

/// The part of it that `docker update` shares.
pub fn limits(uses: &Uses, context: &Context) -> Check {
    least_memory(uses.text("memory").and_then(|v| crate::grammar::ram_in_bytes(v.as_encoded_bytes()).ok()).unwrap_or(0))?;
    let cpus: f64 = text(uses, "cpus").parse().unwrap_or(0.0);
    let processors = if cpus == 0.0 { 0 } else { context.host.processors() };
    if processors > 0 && (cpus < 0.0 || cpus > f64::from(processors)) {
        return Err(format!("range of CPUs is from 0.01 to {processors}.00, as there are only {processors} CPUs available"));
    }
    for (flag, what) in [("cpu-period", "Period"), ("cpu-quota", "Quota")] {
        if cpus > 0.0 && number(uses, flag).unwrap_or(0) > 0 {
            return Err(format!("Conflicting options: Nano CPUs and CPU {what} cannot both be set"));
        }
    }
    if let Some(shares) = number(uses, "cpu-shares").filter(|n| *n < 0) {
        return Err(format!("invalid CPU shares ({shares}): value must be a positive integer"));
    }
    Ok(())
}
