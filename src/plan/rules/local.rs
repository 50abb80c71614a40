//! The images of the local store as dockerd would have them: which image a name means, and what it is called.

use std::ffi::OsStr;

use super::references::Reference;
use super::store::{Image, Read, Store};
use crate::plan::Context;

/// An image with the references that Docker's own store would have to it.
#[derive(Debug, Clone)]
pub struct Known {
    pub image: Image,
    /// Full names, `repository:tag` and `repository@digest`.
    pub references: Vec<String>,
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An image, by its place, under this full name.
    Named(usize, String),
    /// An image by the start of its ID.
    ById(usize),
    /// None: Docker's name for what is missing.
    Missing(String),
}

/// The images of the store; none where they are another machine's or cannot be read.
pub fn images(context: &Context) -> Option<Vec<Known>> {
    if context.engine.remote.is_some() {
        return None;
    }
    let images = Store::of(context.host).images()?;
    let known = |image: Image| {
        let references = references(&image, &|path| context.host.read(path));
        Known { image, references }
    };
    Some(images.into_iter().map(known).collect())
}

/// The references that Docker's store would have to an image.
pub fn references(image: &Image, read: Read) -> Vec<String> {
    let mut references = image.digest_names(read);
    references.extend(image.names.iter().filter(|name| !name.contains('@')).cloned());
    references.sort();
    references
}

/// Finds what a name means as dockerd does (moby `daemon/images` `GetImage`): an ID in full, then a name, then the start of an ID.
/// Errors: Docker's words for a name that is none.
pub fn find(images: &[Known], typed: &OsStr) -> Result<Found, String> {
    let text = typed.to_string_lossy();
    let hex = text.strip_prefix("sha256:").unwrap_or(&text);
    let is_hex = !hex.is_empty() && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let by_id = || images.iter().position(|known| known.image.id.starts_with(hex));
    if is_hex && hex.len() == 64 {
        return Ok(by_id().map_or_else(|| Found::Missing(format!("sha256:{hex}")), Found::ById));
    }
    let reference = Reference::parse(typed)?;
    let own = || {
        let tag = reference.tag.as_deref().unwrap_or("latest");
        reference.podmans_repository().filter(|_| reference.digest.is_none()).map(|repository| format!("{repository}:{tag}"))
    };
    let holder = |name: &String| images.iter().position(|known| known.references.contains(name));
    for name in [Some(reference.tagged()), own()].into_iter().flatten() {
        if let Some(at) = holder(&name) {
            return Ok(Found::Named(at, name));
        }
    }
    // A digest that the image has, under another name than it came by.
    if let Some(digest) = &reference.digest {
        let of_repository = |name: &String| name.strip_prefix(&reference.repository()).is_some_and(|rest| rest.starts_with([':', '@']));
        let has = |known: &Known| known.image.manifests.iter().any(|(d, _)| d == digest) && known.references.iter().any(of_repository);
        if let Some(at) = images.iter().position(has) {
            return Ok(Found::Named(at, reference.full()));
        }
    }
    if is_hex && reference.tag.as_deref().is_none_or(|tag| text.starts_with("sha256:") && tag == hex) {
        if let Some(at) = by_id() {
            return Ok(Found::ById(at));
        }
    }
    Ok(Found::Missing(reference.familiar()))
}

/// A full name as Docker shows it.
pub fn familiar(name: &str) -> String {
    Reference::parse(OsStr::new(name)).map_or_else(|_| name.to_string(), |reference| reference.familiar())
}

/// The repository of a full name.
pub fn repository(name: &str) -> &str {
    let tagged = name.split('@').next().unwrap_or(name);
    match tagged.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => tagged,
    }
}
