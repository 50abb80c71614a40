//! When a health check is due (moby `daemon/health.go`), for containers whose checks no timer runs.

use std::time::Duration;

use serde_json::Value as Json;

use crate::plan::Call;
use crate::render::value::Time;
use crate::render::{Desk, Limited, given, text};

/// Docker's defaults, in nanoseconds.
const INTERVAL: i64 = 30_000_000_000;
const START_INTERVAL: i64 = 5_000_000_000;
const TIMEOUT: i64 = 30_000_000_000;

/// Runs the checks of those containers for which one is due, and says whether there were any.
pub fn run_due<'a>(containers: impl Iterator<Item = &'a Json>, check: &Call, desk: &Desk) -> bool {
    let due = |container: &Json| {
        let file = super::image_file(container).and_then(|file| desk.read(&file));
        let image = file.and_then(|text| serde_json::from_slice::<Json>(&text).ok());
        due(container, image.as_ref().map(|image| &image["config"]["Healthcheck"]), desk.now())
    };
    let checks: Vec<Limited> = containers
        .filter_map(|container| {
            let limit = due(container)?;
            let mut call = check.clone();
            call.args.push(text(container, "Id").into());
            Some((call, limit))
        })
        .collect();
    desk.check(&checks);
    !checks.is_empty()
}

/// The longest that the check may take which is due now; none where none is. `image` is the image's check: Podman does not keep its start interval.
fn due(container: &Json, image: Option<&Json>, now: f64) -> Option<Duration> {
    let (state, check) = (&container["State"], &container["Config"]["Healthcheck"]);
    let test = check["Test"].as_array().filter(|words| words.first().is_some_and(|word| word != "NONE"));
    if text(state, "Status") != "running" || test.is_none() {
        return None;
    }
    let or = |json: &Json, default: i64| json.as_i64().filter(|n| *n > 0).unwrap_or(default);
    let seconds = |text: &str| Time::parse(text).map(|time| time.secs as f64 + f64::from(time.nanos) / 1e9);
    let started = seconds(text(state, "StartedAt"))?;
    let health = &state["Health"];
    let last = health["Log"].as_array().and_then(|log| seconds(text(log.last()?, "End"))).filter(|end| *end > started);
    let starting = text(health, "Status") == "starting" && now - started < nanoseconds(or(&check["StartPeriod"], 0)).as_secs_f64();
    let interval = if starting { start_interval(container, image) } else { or(&check["Interval"], INTERVAL) };
    let is_due = now >= last.unwrap_or(started) + nanoseconds(interval).as_secs_f64();
    is_due.then(|| nanoseconds(or(&check["Timeout"], TIMEOUT)))
}

fn start_interval(container: &Json, image: Option<&Json>) -> i64 {
    let given = given(container["Config"].get("Labels"));
    let typed = given.pointer("/Flags/health-start-interval/0").and_then(|text| crate::grammar::duration(text.as_str()?));
    let kept = image.and_then(|image| image["StartInterval"].as_i64());
    typed.filter(|n| *n > 0).or(kept).filter(|n| *n > 0).unwrap_or(START_INTERVAL)
}

fn nanoseconds(n: i64) -> Duration {
    Duration::from_nanos(u64::try_from(n).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STARTED: &str = "2026-01-01T00:00:00Z";

    fn container(status: &str, log: Json, check: Json) -> Json {
        let state = json!({"Status": "running", "StartedAt": STARTED, "Health": {"Status": status, "Log": log}});
        json!({"State": state, "Config": {"Healthcheck": check}})
    }

    /// Whether a check is due so many seconds after the start.
    fn is_due(container: &Json, after: f64) -> bool {
        due(container, None, Time::parse(STARTED).unwrap().secs as f64 + after).is_some()
    }

    #[test]
    fn an_interval_after_the_start_and_after_each_end() {
        let check = json!({"Test": ["CMD", "x"], "Interval": 2_000_000_000});
        let first = container("starting", Json::Null, check.clone());
        assert!(!is_due(&first, 1.9) && is_due(&first, 2.0));
        // What is left of an earlier run is no check of this one.
        let again = container("starting", json!([{"End": "2025-12-31T23:59:59Z"}]), check.clone());
        assert!(!is_due(&again, 1.9) && is_due(&again, 2.0));
        let second = container("healthy", json!([{"End": "2026-01-01T00:00:03.5Z"}]), check);
        assert!(!is_due(&second, 5.4) && is_due(&second, 5.5));
        let default = container("starting", json!([]), json!({"Test": ["CMD-SHELL", "x"]}));
        assert!(!is_due(&default, 29.0) && is_due(&default, 30.0));
    }

    #[test]
    fn sooner_while_it_starts() {
        let check = json!({"Test": ["CMD", "x"], "Interval": 60_000_000_000i64, "StartPeriod": 20_000_000_000i64});
        let mut starting = container("starting", Json::Null, check.clone());
        assert!(!is_due(&starting, 4.9) && is_due(&starting, 5.0) && !is_due(&starting, 20.0));
        starting["Config"]["Labels"] = json!({crate::render::CREATE_LABEL: r#"{"Flags":{"health-start-interval":["1s"]}}"#});
        assert!(is_due(&starting, 1.0));
        assert!(!is_due(&container("healthy", Json::Null, check), 6.0));
    }

    #[test]
    fn never_without_a_check_or_a_running_container() {
        assert!(!is_due(&container("", Json::Null, Json::Null), 99.0));
        assert!(!is_due(&container("", Json::Null, json!({"Test": ["NONE"]})), 99.0));
        let mut paused = container("healthy", Json::Null, json!({"Test": ["CMD", "x"]}));
        paused["State"]["Status"] = "paused".into();
        assert!(!is_due(&paused, 99.0));
    }
}
