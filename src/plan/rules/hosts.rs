//! `--add-host`.

use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Refusal};

/// `--add-host NAME:IP`. Docker 25 and newer take `NAME=IP` too, and brackets around the address; Podman takes neither.
pub fn add_host(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let Some(text) = used.value.to_str() else {
        return Err(context.refuse("--add-host: the value is not UTF-8."));
    };
    let (name, address) = match (text.find('='), text.find(':')) {
        (Some(equals), colon) if colon.is_none_or(|c| equals < c) => text.split_at(equals),
        (_, Some(colon)) => text.split_at(colon),
        _ => (text, ""),
    };
    let address = address.get(1..).unwrap_or_default();
    let address = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    draft.flag("add-host", format!("{name}:{address}"));
    Ok(())
}
