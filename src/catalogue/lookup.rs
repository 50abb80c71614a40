//! Finding commands. A look-up runs through some 260 lines and compares words; that takes a few microseconds.

use super::{Command, build, buildx, checkpoint, compose, container, context, engine, image, network, plugin, registry};
use super::{service, swarm, system, trust, volume};

static TABLES: [&[Command]; 16] = [
    container::COMMANDS,
    image::COMMANDS,
    build::COMMANDS,
    buildx::COMMANDS,
    compose::COMMANDS,
    network::COMMANDS,
    volume::COMMANDS,
    system::COMMANDS,
    registry::COMMANDS,
    context::COMMANDS,
    swarm::COMMANDS,
    service::COMMANDS,
    plugin::COMMANDS,
    trust::COMMANDS,
    checkpoint::COMMANDS,
    engine::COMMANDS,
];

/// `docker` itself.
pub fn root() -> &'static Command {
    &system::ROOT
}

/// Every command but the root.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// A command by its canonical path: `container run`; the empty path is the root.
pub fn find(path: &str) -> Option<&'static Command> {
    if path.is_empty() { Some(root()) } else { commands().find(|c| c.path == path) }
}

/// The sub-commands of a group.
pub fn children(parent: &Command) -> impl Iterator<Item = &'static Command> + use<> {
    let parent = parent.path;
    commands().filter(move |c| is_child(parent, c.path))
}

/// The sub-command that a word names, by its name or an alias.
pub fn child(parent: &Command, word: &str) -> Option<&'static Command> {
    let named =
        |c: &Command| name_below(parent.path, c.path).is_some_and(|name| name == word || c.aliases.contains(&word) && !name.contains(' '));
    commands().find(|c| named(c))
}

fn is_child(parent: &str, path: &str) -> bool {
    name_below(parent, path).is_some_and(|name| !name.contains(' '))
}

/// What follows the parent's path in a path.
fn name_below<'a>(parent: &str, path: &'a str) -> Option<&'a str> {
    match parent {
        "" => Some(path),
        _ => path.strip_prefix(parent)?.strip_prefix(' '),
    }
}
