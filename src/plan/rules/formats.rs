//! `--format` of lists and objects.

use serde_json::Value;

use crate::host;
use crate::plan::Context;
use crate::render::formatter;

/// The format of a list: what the caller gave, else the configuration's own under `key` (`psFormat` …), else the table.
/// Docker looks at the configuration only without `-q`.
pub fn of_list(context: &Context, key: &str) -> String {
    let uses = &context.invocation.uses;
    if let Some(format) = uses.text("format").filter(|f| !f.is_empty()) {
        return format.to_string_lossy().into_owned();
    }
    let configured = if uses.switch("quiet") { None } else { configured(context, key) };
    configured.unwrap_or_else(|| formatter::TABLE.to_string())
}

/// A text of Docker's config.json; none where it is empty.
pub fn configured(context: &Context, key: &str) -> Option<String> {
    setting(context, key)?.as_str().filter(|f| !f.is_empty()).map(str::to_string)
}

/// The texts of a list in Docker's config.json.
pub fn configured_list(context: &Context, key: &str) -> Vec<String> {
    let list = setting(context, key).unwrap_or_default();
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
}

fn setting(context: &Context, key: &str) -> Option<Value> {
    let file = context.engine.config_dir()?.join("config.json");
    let text = context.host.read(&file).filter(|t| host::contains(t, key.as_bytes()))?;
    serde_json::from_slice::<Value>(&text).ok()?.get_mut(key).map(Value::take)
}
