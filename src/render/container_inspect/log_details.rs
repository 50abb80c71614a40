//! What Docker's `json-file` driver notes with each line of a log (moby `daemon/logger/loginfo.go`, `jsonfilelog`).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::asked::Asked;
use crate::render::OWN_LABELS;

/// The attributes as `docker logs --details` writes them, of Podman's JSON of a container. Errors: why they cannot be told.
pub fn of(container: &Json) -> Result<String, String> {
    let asked = Asked::of(container);
    if asked.last("log-driver").is_some_and(|driver| driver != "json-file") {
        return Ok(String::new());
    }
    let options = asked.map("log-opt");
    let option = |name: &str| options.get(name).and_then(Json::as_str).filter(|value| !value.is_empty());
    let config = &container["Config"];
    let labels = config["Labels"].as_object().into_iter().flatten();
    let labels =
        labels.filter(|(name, _)| !name.starts_with(OWN_LABELS)).filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let variables = config["Env"].as_array().into_iter().flatten().filter_map(|v| v.as_str()?.split_once('='));
    let mut noted = BTreeMap::new();
    let kinds: [(&str, Vec<(&str, &str)>); 2] = [("labels", labels.collect()), ("env", variables.collect())];
    for (kind, known) in kinds {
        let named: Vec<&str> = option(kind).into_iter().flat_map(|names| names.split(',')).collect();
        let pattern = option(&format!("{kind}-regex")).map(regex_lite::Regex::new).transpose().map_err(|e| e.to_string())?;
        let wanted = |name: &str| named.contains(&name) || pattern.as_ref().is_some_and(|pattern| pattern.is_match(name));
        noted.extend(known.into_iter().filter(|(name, _)| wanted(name)));
    }
    if let Some(tag) = option("tag") {
        if tag.contains("{{") {
            return Err(format!("--details: the tag of this container's log is a template ({tag}), which is not kept with its lines."));
        }
        noted.insert("tag", tag);
    }
    let pairs: Vec<String> = noted.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    Ok(pairs.join(","))
}

/// Go's `url.QueryEscape`.
fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().fold(String::new(), |out, b| match b {
        b' ' => out + "+",
        b if plain(b) => out + char::from(b).encode_utf8(&mut [0; 4]),
        b => out + &format!("%{b:02X}"),
    })
}
