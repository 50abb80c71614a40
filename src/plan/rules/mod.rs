//! The rules that catalogue lines name: what a line alone cannot say.

use super::{Context, Draft, Refusal};
use crate::invocation::FlagUse;

pub mod archive;
pub mod build;
pub mod compose;
pub mod container;
pub mod credentials;
pub mod dockerfile;
pub mod filters;
pub mod formats;
pub mod given;
pub mod hosts;
pub mod image;
pub mod local;
pub mod manifest;
pub mod mounts;
pub mod network;
pub mod platforms;
pub mod references;
pub mod registry;
pub mod removal;
pub mod store;
pub mod system;
pub mod transfer;
pub mod volume;

/// A flag that the rule of its command reads by itself.
pub fn by_command(_: &FlagUse, _: &mut Draft, _: &Context) -> Result<(), Refusal> {
    Ok(())
}
