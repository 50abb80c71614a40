//! What the caller gave when a container was made and Podman cannot tell afterwards: kept as a label of ours on the container,
//! read back by the views, never shown to the caller.

use std::ffi::OsStr;

use serde_json::{Map, Value};

use crate::plan::{Context, Draft};
use crate::render::CREATE_LABEL;

/// Adds the label: a JSON object with the keys of Docker's create request. `Image` is the image as typed.
pub fn keep(image: &OsStr, draft: &mut Draft, _: &Context) {
    let mut given = Map::new();
    given.insert("Image".into(), image.to_string_lossy().into());
    draft.flag("label", format!("{CREATE_LABEL}={}", Value::from(given)));
}
