//! The health check of a container: the image's, but for what the flags say. Podman takes the image's as a whole or not at all.

use std::ffi::OsStr;

use serde_json::Value;

use crate::grammar::go;
use crate::plan::rules::health;
use crate::plan::rules::store::ImageConfig;
use crate::plan::{Context, Draft, Refusal};

/// Flags with a duration or a number, and their names in an image's configuration.
const REST: [(&str, &str); 4] =
    [("health-interval", "Interval"), ("health-timeout", "Timeout"), ("health-start-period", "StartPeriod"), ("health-retries", "Retries")];

/// Gives Podman the flags and, beside any of them, what the image says of the others.
pub fn give(draft: &mut Draft, image: Option<&ImageConfig>, context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    for (flag, key) in &REST[..3] {
        let duration = uses.text(flag).and_then(|value| go::parse_duration(value.as_encoded_bytes()).ok()).unwrap_or_default();
        if duration != 0 && duration < 1_000_000 {
            return Err(context.as_docker(format!("Error response from daemon: {key} in Healthcheck cannot be less than 1ms")));
        }
    }
    let images = image.map(|image| &image.healthcheck).filter(|check| check.is_object());
    let command = uses.text("health-cmd").map(OsStr::to_string_lossy).filter(|command| !command.is_empty());
    let is_set = |name: &str| uses.text(name).is_some_and(|value| value.to_string_lossy().bytes().any(|b| b.is_ascii_digit() && b != b'0'));
    let set = command.is_some() || REST.iter().any(|(flag, _)| is_set(flag));
    if uses.switch("no-healthcheck") || !(set || images.is_some()) {
        return Ok(());
    }
    health::without_timers(draft, context);
    if !set {
        return Ok(());
    }
    match command {
        Some(command) => _ = draft.flag("health-cmd", shell(&command)),
        // Podman refuses the rest without a command.
        None => match images.map(|check| &check["Test"]) {
            Some(test) if test.is_array() => _ = draft.flag("health-cmd", test.to_string()),
            _ => return Ok(()),
        },
    }
    for (flag, key) in REST {
        let images = images.map(|check| &check[key]).and_then(Value::as_i64).filter(|n| *n > 0);
        match images {
            _ if is_set(flag) => _ = draft.flag(flag, uses.text(flag).unwrap_or_default()),
            Some(number) if flag == "health-retries" => _ = draft.flag(flag, number.to_string()),
            Some(nanoseconds) => _ = draft.flag(flag, format!("{nanoseconds}ns")),
            None => {}
        }
    }
    Ok(())
}

/// A command for the shell, as Docker takes every one. Podman reads a list, and some words, otherwise.
fn shell(command: &str) -> String {
    let first = command.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if command.trim_start().starts_with('[') || matches!(&*first, "" | "NONE" | "CMD" | "CMD-SHELL") {
        return Value::from(["CMD-SHELL", command].as_slice()).to_string();
    }
    command.to_string()
}
