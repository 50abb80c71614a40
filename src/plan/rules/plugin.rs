//! `docker plugin`: Podman has no engine plugins, so there are none to list or show.

use super::{filters, formats};
use crate::plan::{Answer, Context, Plan, Refusal};
use crate::render::context::{PLUGIN, PLUGIN_HEADINGS};
use crate::render::formatter;
use crate::render::inspect::Inspector;

/// `docker plugin ls`.
pub fn list(context: &Context) -> Result<Plan, Refusal> {
    let format = formats::of_list(context, "pluginsFormat");
    for (key, value) in filters::of(context, &["capability", "enabled"])? {
        if key == "enabled" && !["0", "1", "false", "true"].contains(&value.as_str()) {
            return Err(Refusal::new(format!("Error response from daemon: invalid filter 'enabled=[{value}]'"), 1));
        }
    }
    let format = match (format.as_str(), context.invocation.uses.switch("quiet")) {
        (formatter::TABLE, true) => "{{.ID}}",
        (formatter::TABLE, false) => "table {{.ID}}\t{{.Name}}\t{{.Description}}\t{{.Enabled}}",
        (other, _) => other,
    };
    let shown = formatter::write(format, PLUGIN_HEADINGS, &PLUGIN, []).map_err(|words| Refusal::new(words, 1))?;
    Ok(Plan::Answer(Answer::printed(shown)))
}

/// `docker plugin inspect`.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let inspector = Inspector::new(&context.invocation.uses.text("format").unwrap_or_default().to_string_lossy())?;
    let missing = context
        .invocation
        .args
        .iter()
        .map(|name| Err(format!("Error response from daemon: plugin {:?} not found", name.to_string_lossy())));
    Ok(Plan::Answer(inspector.show(missing.collect())))
}
