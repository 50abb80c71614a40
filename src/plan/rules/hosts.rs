//! `--add-host`.

use std::ffi::OsStr;

use crate::catalogue::PODMAN_5_4;
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
    let gateway = if address == "host-gateway" { gateway(context)? } else { None };
    let address = gateway.as_deref().unwrap_or(address);
    draft.flag("add-host", format!("{name}:{address}"));
    Ok(())
}

/// The host's address on Podman's own network, for Podman 4, which does not know `host-gateway`; none leaves the word to
/// Podman. Errors: it is not to be found.
fn gateway(context: &Context) -> Result<Option<String>, Refusal> {
    if context.host.podman_version()? >= PODMAN_5_4 {
        return Ok(None);
    }
    found_gateway(context).map(Some)
}

/// The same where no Podman knows the word.
pub fn found_gateway(context: &Context) -> Result<String, Refusal> {
    if context.host.uid() != 0 {
        // A rootless container's network has no side of the host: what listens there is reached by the host's own address.
        return match context.host.address().filter(|_| context.engine.remote.is_none()) {
            Some(address) => Ok(address.to_string()),
            None => Err(context.refuse("--add-host: this Podman has no host-gateway without root; give the host's address.")),
        };
    }
    let words = ["network", "inspect", "podman"].map(OsStr::new);
    let answer = context.ask(&words).and_then(|a| serde_json::from_slice::<serde_json::Value>(&a).ok());
    let gateway = answer.as_ref().and_then(|a| a.pointer("/0/subnets/0/gateway")).and_then(serde_json::Value::as_str);
    match gateway {
        Some(gateway) => Ok(gateway.to_string()),
        None => Err(context.refuse("--add-host: Podman's network does not tell its gateway; give the host's address.")),
    }
}
