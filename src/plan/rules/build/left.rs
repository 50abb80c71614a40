//! Builds that are killed leave working containers behind; ours are known again by a mark.

use crate::plan::prune::Left;
use crate::plan::rules::store::{self, Store};
use crate::plan::{Act, Context, Draft, Refusal};

/// Marks a build as ours, so that what is left of it can be told from what others still need.
pub fn mark(draft: &mut Draft, context: &Context) {
    if context.engine.remote.is_none() {
        if let Some(mark) = store::mark(context.host) {
            draft.flag("secret", format!("id={mark},src=/dev/null"));
        }
    }
}

/// Takes away what killed builds have left in the store of this machine.
pub fn remove(context: &Context) -> Result<Option<Act>, Refusal> {
    let images = if context.engine.remote.is_some() { vec![] } else { Store::of(context.host).directories() };
    if images.is_empty() {
        return Ok(None);
    }
    let mut remove = context.call("rm")?;
    remove.switch("force", true);
    Ok(Some(Act::RemoveLeft(Left { remove: remove.call(), images })))
}
