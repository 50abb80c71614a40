//! The rules that catalogue lines name: what a line alone cannot say.

use super::{Context, Draft, Refusal};
use crate::invocation::FlagUse;

pub mod archive;
pub mod attached;
pub mod bake;
pub mod build;
pub mod buildx;
pub mod commit;
pub mod compose;
pub mod container;
pub mod context;
pub mod cp;
pub mod credentials;
pub mod dockerfile;
pub mod engine;
pub mod filters;
pub mod formats;
pub mod given;
pub mod health;
pub mod hosts;
pub mod image;
pub mod image_lists;
pub mod imagetools;
pub mod inspect;
pub mod local;
pub mod look;
pub mod manifest;
pub mod mounts;
pub mod network;
pub mod platforms;
pub mod plugin;
pub mod prune;
pub mod ps;
pub mod references;
pub mod registries_conf;
pub mod registry;
pub mod removal;
pub mod store;
pub mod timestamps;
pub mod transfer;
pub mod verbs;
pub mod volume;

/// A flag that the rule of its command reads by itself.
pub fn by_command(_: &FlagUse, _: &mut Draft, _: &Context) -> Result<(), Refusal> {
    Ok(())
}
