//! `docker build`, and the places it has besides: `docker image build` and `docker builder build`.
//!
//! Since Docker 23 all of them are `docker buildx build`, so the flags are those of `buildx`, and what only the builder
//! before BuildKit took.

use super::buildx::BUILD;
use super::image::CONTENT_TRUST;
use super::{Arity, Command, Flag, Kind::*, OptionsEnd, command, flag, group};
use crate::plan::rules::{bake, build};

/// buildx's own flags, which it passes down to each command.
const BUILDX: &[Flag] = &[
    flag("builder", Text, "Builder to use").since(2).drop("Podman has one builder"),
    flag("debug", Switch, "Log more").short('D').since(2).drop("it is about buildx's own log"),
];

/// What buildx does not take.
const BEFORE_BUILDKIT: &[Flag] =
    &[flag("stream", Switch, "Stream the context to the builder").until(1).hidden().drop("Podman reads the context in place")];

#[rustfmt::skip]
static DOCKER_BUILD: Command = command("build", "[OPTIONS] PATH | URL | -", Arity::Exact(1), "Build an image from a Dockerfile").rule(build::build).flags(&[BUILDX, BUILD, CONTENT_TRUST, BEFORE_BUILDKIT]);

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    DOCKER_BUILD.twin("build"),
    DOCKER_BUILD.twin("image build"),
    group("builder", "Manage builds"),
    DOCKER_BUILD.twin("builder build"),
    // `docker bake` is `docker buildx bake`: every word is buildx's.
    Command {
        options_end: OptionsEnd::Unread,
        ..command("bake", "[OPTIONS] [TARGET...]", Arity::Any, "Build the targets of a bake file").since(4).rule(bake::shortcut)
    },
    command("builder prune", "", Arity::None, "Remove the build cache").rule(build::prune).flags(&[BUILDX, &[
        flag("all", Switch, "Remove internal images of the builder too").short('a'),
        flag("filter", Filter, "Only those that match KEY=VALUE"),
        flag("force", Switch, "Do not ask").short('f'),
        flag("keep-storage", Bytes, "Bytes of the cache to keep").hidden().deprecated_by_now("keep-storage flag has been changed to reserved-space"),
        flag("max-used-space", Bytes, "Most bytes that the cache may use").since(2),
        flag("min-free-space", Bytes, "Bytes of the disk to leave free").since(2),
        flag("reserved-space", Bytes, "Bytes of the cache to keep always").since(2),
        flag("verbose", Switch, "Show more").since(2),
    ]]),
];
