//! `--filter` of lists and prunes.

use crate::plan::{Context, Refusal};

/// The filters given: keys in small letters, both trimmed as docker/cli does it. Errors: a key that the daemon does not know, in its words.
pub fn of(context: &Context, known: &[&str]) -> Result<Vec<(String, String)>, Refusal> {
    let mut filters = Vec::new();
    for filter in context.invocation.uses.all("filter") {
        let filter = filter.to_string_lossy();
        let (key, value) = filter.split_once('=').unwrap_or((&filter, ""));
        let key = key.trim().to_lowercase();
        // `label!=…` is a key of its own: `label!`.
        if !known.contains(&key.as_str()) {
            return Err(Refusal::new(format!("Error response from daemon: invalid filter '{key}'"), 1));
        }
        filters.push((key, value.trim().to_string()));
    }
    Ok(filters)
}
