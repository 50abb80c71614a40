//! `docker trust`, which Docker removed in 29.

use super::{Arity, Command, Item, Kind::*, Why, command, flag, group};

const NO_TRUST: Why = "Podman has no content trust; sign with `podman push --sign-by` or cosign, and verify by containers-policy.json";

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("trust", "Manage trust in images").until(4),
    command("trust inspect", "IMAGE[:TAG] [IMAGE[:TAG]...]", Arity::AtLeast(1), "Show the keys and signatures of images").until(4).refuse(NO_TRUST).flags(&[&[
        flag("pretty", Switch, "Show it for people").until(4),
    ]]),
    group("trust key", "Manage keys for signing").until(4),
    command("trust key generate", "NAME", Arity::Exact(1), "Make a key pair for signing").until(4).refuse(NO_TRUST).flags(&[&[
        flag("dir", Text, "Directory to write the public key to").until(4),
    ]]),
    command("trust key load", "[OPTIONS] KEYFILE", Arity::Exact(1), "Load a private key for signing").until(4).refuse(NO_TRUST).flags(&[&[
        flag("name", Text, "Name of the key").default("signer").until(4),
    ]]),
    command("trust revoke", "[OPTIONS] IMAGE[:TAG]", Arity::Exact(1), "Remove trust from an image").until(4).refuse(NO_TRUST).flags(&[&[
        flag("yes", Switch, "Do not ask").short('y').until(4),
    ]]),
    command("trust sign", "IMAGE:TAG", Arity::Exact(1), "Sign an image").until(4).refuse(NO_TRUST).flags(&[&[
        flag("local", Switch, "Sign a local image").until(4),
    ]]),
    group("trust signer", "Manage who may sign").until(4),
    command("trust signer add", "OPTIONS NAME REPOSITORY [REPOSITORY...] ", Arity::AtLeast(2), "Add a signer").until(4).refuse(NO_TRUST).flags(&[&[
        flag("key", List(Item::Any), "Public key of the signer").until(4),
    ]]),
    command("trust signer remove", "[OPTIONS] NAME REPOSITORY [REPOSITORY...]", Arity::AtLeast(2), "Remove a signer").until(4).refuse(NO_TRUST).flags(&[&[
        flag("force", Switch, "Remove the last signer without asking").short('f').until(4),
    ]]),
];
