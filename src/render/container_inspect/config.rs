//! `Config`: what the caller asked for, and under it what the image has (moby `daemon/commit.go`'s `merge`).

use serde_json::{Map, Value as Json, json};

use super::asked::{Asked, filled, some};
use super::{mounts, ports};
use crate::plan::rules::references::Reference;
use crate::render::{self, text};

/// The container's `Config`; `image` is the image's, where it is still there.
pub fn config(container: &Json, asked: &Asked, image: Option<&Json>, exposed: &Json) -> Json {
    let podmans = &container["Config"];
    let [stdin, stdout, stderr] = attached(asked, podmans);
    let mut config = Map::new();
    let mut put = |name: &str, value: Json| {
        config.insert(name.into(), value);
    };
    put("Hostname", podmans["Hostname"].clone());
    put("Domainname", podmans["Domainname"].clone());
    put("User", podmans["User"].clone());
    put("AttachStdin", stdin.into());
    put("AttachStdout", stdout.into());
    put("AttachStderr", stderr.into());
    if exposed.as_object().is_some_and(|ports| !ports.is_empty()) {
        put("ExposedPorts", exposed.clone());
    }
    put("Tty", podmans["Tty"].clone());
    put("OpenStdin", podmans["OpenStdin"].clone());
    put("StdinOnce", (stdin && podmans["OpenStdin"] == true).into());
    put("Env", env(container, asked, image));
    put("Cmd", cmd(podmans, asked, image));
    if let Some(check) = healthcheck(podmans, asked, image) {
        put("Healthcheck", check);
    }
    put("Image", image_name(podmans, asked));
    put("Volumes", mounts::volumes(asked, image));
    put("WorkingDir", working_dir(podmans, asked, image));
    put("Entrypoint", entrypoint(container, asked, image));
    if let Some(mac) = asked.last("mac-address") {
        put("MacAddress", mac.into());
    }
    put("OnBuild", Json::Null);
    put("Labels", render::labels(podmans, "Labels").into_iter().map(|(k, v)| (k, Json::from(v))).collect::<Map<_, _>>().into());
    if let Some(signal) = stop_signal(podmans, asked, image) {
        put("StopSignal", signal);
    }
    if let Some(seconds) = asked.last("stop-timeout").and_then(|s| s.parse::<i64>().ok()) {
        put("StopTimeout", seconds.into());
    }
    config.into()
}

/// Which streams were attached to: `run -d` none, else those of `--attach`, else output and errors; input with `-i` (docker/cli's `parse`).
fn attached(asked: &Asked, podmans: &Json) -> [bool; 3] {
    if !asked.ours {
        return ["AttachStdin", "AttachStdout", "AttachStderr"].map(|name| podmans[name] == true);
    }
    if asked.run && asked.on("detach") {
        return [false; 3];
    }
    let named = |stream: &str| asked.all("attach").any(|a| a.eq_ignore_ascii_case(stream));
    let all = !asked.has("attach");
    [asked.on("interactive") || named("stdin"), all || named("stdout"), all || named("stderr")]
}

/// `ExposedPorts`: of the image, of `--expose` and of `--publish`.
pub fn exposed(container: &Json, asked: &Asked, image: Option<&Json>) -> Json {
    let known = container["Config"]["ExposedPorts"].as_object().into_iter().flatten().map(|(port, _)| port.clone());
    let of_image = image.and_then(|i| i["ExposedPorts"].as_object()).into_iter().flatten().map(|(port, _)| port.clone());
    let mut all: Vec<String> = known.chain(of_image).chain(ports::exposed(asked.all("expose"))).collect();
    all.extend(ports::bindings(asked.all("publish")).into_keys());
    if !asked.ours {
        all.extend(container["HostConfig"]["PortBindings"].as_object().into_iter().flatten().map(|(port, _)| port.clone()));
    }
    all.sort();
    all.dedup();
    all.into_iter().map(|port| (port, json!({}))).collect::<Map<_, _>>().into()
}

/// The variables as given: those of files, then the others, then the image's own. Podman keeps them in no order, among some of its own.
fn env(container: &Json, asked: &Asked, image: Option<&Json>) -> Json {
    let podmans: Vec<&str> = container["Config"]["Env"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let name_of = |variable: &str| variable.split('=').next().unwrap_or_default().to_string();
    let of_podman = |name: &str| podmans.iter().find(|v| name_of(v) == name).map(|v| v.to_string());
    let of_image: Vec<&str> = image.and_then(|i| i["Env"].as_array()).into_iter().flatten().filter_map(Json::as_str).collect();
    let mut env: Vec<String> = Vec::new();
    if asked.ours {
        let mut names: Vec<String> = Vec::new();
        let typed = asked.given("Env").and_then(Json::as_array);
        let typed: Vec<String> = match typed {
            Some(typed) => typed.iter().filter_map(Json::as_str).map(str::to_string).collect(),
            None => asked.all("env").map(name_of).collect(),
        };
        for name in typed {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        // One that is given by name alone, and has no value, is listed so.
        env.extend(names.into_iter().map(|name| of_podman(&name).unwrap_or(name)));
    }
    let known = |env: &[String], name: &str| env.iter().any(|v| name_of(v) == name);
    // Those of a file that is not known, or of another program's making.
    let open = !asked.ours || (asked.has("env-file") && asked.given("Env").is_none());
    let mut others: Vec<&str> = podmans.iter().copied().filter(|v| !known(&env, &name_of(v)) && !of_image.contains(v)).collect();
    others.retain(|v| if image.is_some() && !open { false } else { !added(v, container) });
    others.sort_unstable();
    env.extend(others.into_iter().map(str::to_string));
    for variable in of_image {
        if !known(&env, &name_of(variable)) {
            env.push(variable.to_string());
        }
    }
    some(env.into_iter().map(Json::from))
}

/// Variables that Podman adds to what was asked for.
fn added(variable: &str, container: &Json) -> bool {
    let hostname = text(&container["Config"], "Hostname");
    matches!(variable, "container=podman" | "TERM=xterm")
        || variable.strip_prefix("HOSTNAME=").is_some_and(|name| name == hostname)
        || variable.starts_with("HOME=")
        || variable == "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

fn cmd(podmans: &Json, asked: &Asked, image: Option<&Json>) -> Json {
    if !asked.ours {
        return filled(&podmans["Cmd"]);
    }
    if !asked.command.is_empty() {
        return asked.command.clone().into();
    }
    match image {
        // Another entrypoint leaves the image's command out.
        _ if asked.last("entrypoint").is_some() || (asked.has("entrypoint") && image.is_some()) => Json::Null,
        Some(image) => filled(&image["Cmd"]),
        None => filled(&podmans["Cmd"]),
    }
}

fn entrypoint(container: &Json, asked: &Asked, image: Option<&Json>) -> Json {
    if let Some(word) = asked.last("entrypoint") {
        return json!([word]);
    }
    if asked.has("entrypoint") {
        return Json::Null;
    }
    match (image, &container["Config"]["Entrypoint"]) {
        (Some(image), _) if asked.ours => filled(&image["Entrypoint"]),
        (_, Json::String(joined)) if joined.is_empty() => Json::Null,
        // Podman 4 joins the words. They come before the command's in what is run.
        (_, Json::String(_)) => {
            let (path, args) = super::program(container);
            let all: Vec<Json> = [path].into_iter().chain(args.as_array().into_iter().flatten().cloned()).collect();
            let cmd = container["Config"]["Cmd"].as_array().map_or(0, Vec::len);
            some(all.iter().take(all.len().saturating_sub(cmd)).cloned())
        }
        (_, list) => filled(list),
    }
}

/// The image as it was named. Podman has its full name.
fn image_name(podmans: &Json, asked: &Asked) -> Json {
    if let Some(typed) = asked.given("Image") {
        return typed.clone();
    }
    let name = text(podmans, "Image");
    Reference::parse(name.as_ref()).map_or(name.into(), |reference| reference.familiar().into())
}

fn working_dir(podmans: &Json, asked: &Asked, image: Option<&Json>) -> Json {
    match (asked.last("workdir"), image) {
        (Some(dir), _) => dir.into(),
        (None, Some(image)) if asked.ours => text(image, "WorkingDir").into(),
        // Podman has `/` where nothing was asked for.
        _ if podmans["WorkingDir"] == "/" => "".into(),
        _ => podmans["WorkingDir"].clone(),
    }
}

fn stop_signal(podmans: &Json, asked: &Asked, image: Option<&Json>) -> Option<Json> {
    let of_image = || image.map(|image| text(image, "StopSignal")).filter(|s| !s.is_empty());
    if let Some(signal) = asked.last("stop-signal").or_else(of_image) {
        return Some(signal.into());
    }
    match &podmans["StopSignal"] {
        _ if asked.ours => None,
        Json::Number(number) if number.as_i64() != Some(15) => Some(number.to_string().into()),
        Json::String(name) if name != "SIGTERM" && !name.is_empty() => Some(name.as_str().into()),
        _ => None,
    }
}

/// The health check: what was asked for over what the image has. Podman fills in its defaults.
fn healthcheck(podmans: &Json, asked: &Asked, image: Option<&Json>) -> Option<Json> {
    let is_none = |check: &&Json| !check.is_null();
    if !asked.ours || (image.is_none() && asked.last("health-cmd").is_none()) {
        return Some(&podmans["Healthcheck"]).filter(is_none).cloned();
    }
    let duration = |flag: &str| asked.last(flag).and_then(nanoseconds).filter(|n| *n != 0);
    let retries = asked.last("health-retries").and_then(|n| n.parse::<i64>().ok()).filter(|n| *n != 0);
    let none = asked.on("no-healthcheck").then(|| json!(["NONE"]));
    let test = none.or_else(|| asked.last("health-cmd").map(|command| json!(["CMD-SHELL", command])));
    let own = [
        ("Test", test),
        ("Interval", duration("health-interval").map(Json::from)),
        ("Timeout", duration("health-timeout").map(Json::from)),
        ("StartPeriod", duration("health-start-period").map(Json::from)),
        ("StartInterval", duration("health-start-interval").map(Json::from)),
        ("Retries", retries.map(Json::from)),
    ];
    let images = image.map(|image| &image["Healthcheck"]).filter(is_none);
    if images.is_none() && own.iter().all(|(_, value)| value.is_none()) {
        return None;
    }
    let either = |(name, own): (&str, Option<Json>)| {
        let value = own.or_else(|| images.and_then(|check| check.get(name)).cloned())?;
        Some((name.to_string(), value))
    };
    Some(own.into_iter().filter_map(either).collect::<Map<_, _>>().into())
}

fn nanoseconds(duration: &str) -> Option<i64> {
    crate::grammar::duration(duration)
}
