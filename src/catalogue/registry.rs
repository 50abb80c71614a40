//! What talks to registries: `docker login`, `logout`, `search` and `docker manifest`.

use super::{Arity, Command, Kind::*, command, flag, group};
use crate::plan::rules::{by_command, manifest, registry};

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    command("login", "[OPTIONS] [SERVER]", Arity::AtMost(1), "Log in to a registry").rule(registry::login).flags(&[&[
        flag("password", Text, "Password or token").short('p').rule(by_command),
        flag("password-stdin", Switch, "Read the password from standard input").rule(by_command),
        flag("username", Text, "User name").short('u').rule(by_command),
    ]]),
    command("logout", "[SERVER]", Arity::AtMost(1), "Log out of a registry").rule(registry::logout),
    command("search", "[OPTIONS] TERM", Arity::Exact(1), "Search Docker Hub for images").rule(registry::search).flags(&[&[
        flag("automated", Switch, "Only automated builds").until(0).hidden().refuse("Docker dropped it; use `--filter is-automated=true`"),
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f').rule(by_command),
        flag("format", Text, "Go template, json or table for the output").rule(by_command),
        flag("limit", Int, "Most results to show").rule(by_command),
        flag("no-trunc", Switch, "Do not shorten the output").rule(by_command),
        flag("stars", Uint, "Only those with that many stars").short('s').until(0).hidden().refuse("Docker dropped it; use `--filter stars=N`"),
    ]]),
    group("manifest", "Manage manifests and manifest lists").usage("COMMAND"),
    command("manifest annotate", "[OPTIONS] MANIFEST_LIST MANIFEST", Arity::Exact(2), "Add facts to an image of a manifest list").rule(manifest::annotate).flags(&[&[
        flag("arch", Text, "Architecture").rule(by_command),
        flag("os", Text, "Operating system").rule(by_command),
        flag("os-features", StringSlice, "Features of the operating system").rule(by_command),
        flag("os-version", Text, "Version of the operating system").since(1).rule(by_command),
        flag("variant", Text, "Variant of the architecture").rule(by_command),
    ]]),
    command("manifest create", "MANIFEST_LIST MANIFEST [MANIFEST...]", Arity::AtLeast(2), "Create a manifest list").rule(manifest::create).flags(&[&[
        flag("amend", Switch, "Change a manifest list that exists").short('a').rule(by_command),
        flag("insecure", Switch, "Allow a registry without TLS").rule(by_command),
    ]]),
    command("manifest inspect", "[OPTIONS] [MANIFEST_LIST] MANIFEST", Arity::Range(1, 2), "Show a manifest or manifest list").rule(manifest::inspect).flags(&[&[
        flag("insecure", Switch, "Allow a registry without TLS").rule(by_command),
        flag("verbose", Switch, "Show more, layers included").short('v').rule(by_command),
    ]]),
    command("manifest push", "[OPTIONS] MANIFEST_LIST", Arity::Exact(1), "Push a manifest list to a registry").rule(manifest::push).flags(&[&[
        flag("insecure", Switch, "Allow a registry without TLS").rule(by_command),
        flag("purge", Switch, "Remove the local list afterwards").short('p').rule(by_command),
    ]]),
    command("manifest rm", "MANIFEST_LIST [MANIFEST_LIST...]", Arity::AtLeast(1), "Remove local manifest lists").rule(manifest::lists).since(1),
];
