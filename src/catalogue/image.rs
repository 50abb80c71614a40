//! `docker image`, and its commands at the top. `docker image build` is in `build`.

use super::{Arity, Command, Flag, Item, Kind::*, PODMAN_4_3, command, flag, group};
use crate::plan::rules::{archive, by_command, image, image_lists, prune, removal, transfer};

/// What is left of content trust.
#[rustfmt::skip]
pub const CONTENT_TRUST: &[Flag] = &[
    flag("disable-content-trust", Switch, "Skip the check of image signatures").default("true").hidden().deprecated("support for docker content trust was removed").drop("Podman has no content trust, and Docker removed it"),
];

#[rustfmt::skip]
const HISTORY: Command = command("image history", "[OPTIONS] IMAGE", Arity::Exact(1), "Show the layers of an image").rule(image_lists::history).flags(&[&[
    flag("format", Text, "Go template, json or table for the output").rule(by_command),
    flag("human", Switch, "Show sizes and dates for people").short('H').default("true").rule(by_command),
    flag("no-trunc", Switch, "Do not shorten the output").rule(by_command),
    flag("platform", Text, "Platform whose history is shown").since(4).refuse("Podman shows the image as it is stored; pull the platform first"),
    flag("quiet", Switch, "Show IDs only").short('q').rule(by_command),
]]);

#[rustfmt::skip]
const IMPORT: Command = command("image import", "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]", Arity::AtLeast(1), "Make an image of a tar archive of files").rule(archive::import).flags(&[&[
    flag("change", List(Item::Any), "Apply a Dockerfile instruction to the image").short('c').rule(archive::change),
    flag("message", Text, "Note to keep with the image").short('m'),
    flag("platform", Text, "Platform to note in the image").rule(archive::import_platform),
]]);

#[rustfmt::skip]
const LOAD: Command = command("image load", "[OPTIONS]", Arity::None, "Load images from an archive").rule(archive::load).flags(&[&[
    flag("input", Text, "File to read, not standard input").short('i').rule(by_command),
    flag("platform", StringSlice, "Platforms to load").since(4).rule(by_command),
    flag("quiet", Switch, "Show no progress").short('q').rule(by_command),
]]);

#[rustfmt::skip]
const LS: Command = command("image ls", "[OPTIONS] [REPOSITORY[:TAG]]", Arity::AtMost(1), "List images").rule(image_lists::list).aliases(&["list"]).flags(&[&[
    flag("all", Switch, "Show intermediate images too").short('a').rule(by_command),
    flag("digests", Switch, "Show digests").rule(by_command),
    flag("filter", Filter, "Only those that match KEY=VALUE").short('f').rule(by_command),
    flag("format", Text, "Go template, json or table for the output").rule(by_command),
    flag("no-trunc", Switch, "Do not shorten the output").rule(by_command),
    flag("quiet", Switch, "Show IDs only").short('q').rule(by_command),
    flag("tree", Switch, "Show the platforms of each image as a tree").since(4).rule(by_command),
]]);

#[rustfmt::skip]
const PULL: Command = command("image pull", "[OPTIONS] NAME[:TAG|@DIGEST]", Arity::Exact(1), "Pull an image from a registry").rule(transfer::pull).flags(&[CONTENT_TRUST, &[
    flag("all-tags", Switch, "Pull all tags of the repository").short('a').rule(by_command),
    flag("platform", Text, "Platform to pull: os/arch/variant").rule(by_command),
    flag("quiet", Switch, "Show no progress").short('q'),
]]);

#[rustfmt::skip]
const PUSH: Command = command("image push", "[OPTIONS] NAME[:TAG]", Arity::Exact(1), "Push an image to a registry").rule(transfer::push).flags(&[CONTENT_TRUST, &[
    flag("all-tags", Switch, "Push all tags of the repository").short('a').since(1).rule(by_command),
    flag("platform", Text, "Platform to push").since(4).rule(by_command),
    flag("quiet", Switch, "Show no progress").short('q').since(1),
]]);

#[rustfmt::skip]
const RM: Command = command("image rm", "[OPTIONS] IMAGE [IMAGE...]", Arity::AtLeast(1), "Remove images").rule(removal::remove).aliases(&["rmi", "remove"]).flags(&[&[
    flag("force", Switch, "Remove it by force").short('f').rule(by_command),
    flag("no-prune", Switch, "Keep untagged parents").podman_since(PODMAN_4_3),
    flag("platform", StringSlice, "Platforms to remove").since(4).rule(by_command),
]]);

#[rustfmt::skip]
const SAVE: Command = command("image save", "[OPTIONS] IMAGE [IMAGE...]", Arity::AtLeast(1), "Write images to an archive").rule(archive::save).flags(&[&[
    flag("output", Text, "File to write to, not standard output").short('o').rule(by_command),
    flag("platform", StringSlice, "Platforms to save").since(4).rule(by_command),
]]);

#[rustfmt::skip]
const TAG: Command = command("image tag", "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", Arity::Exact(2), "Give an image another name").rule(image::tag).stops();

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("image", "Manage images"),
    HISTORY,
    IMPORT,
    command("image inspect", "[OPTIONS] IMAGE [IMAGE...]", Arity::AtLeast(1), "Show all about images").rule(image::inspect).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
        flag("platform", Text, "Platform to show").since(4).rule(by_command),
    ]]),
    LOAD,
    LS,
    command("image prune", "[OPTIONS]", Arity::None, "Remove unused images").rule(prune::images).flags(&[&[
        flag("all", Switch, "Remove all unused images, not only dangling ones").short('a').rule(by_command),
        flag("filter", Filter, "Only those that match KEY=VALUE").rule(by_command),
        flag("force", Switch, "Do not ask").short('f').rule(by_command),
    ]]),
    PULL,
    PUSH,
    RM,
    SAVE,
    TAG,
    HISTORY.twin("history"),
    LS.twin("images"),
    IMPORT.twin("import"),
    LOAD.twin("load"),
    PULL.twin("pull"),
    PUSH.twin("push"),
    RM.twin("rmi"),
    SAVE.twin("save"),
    TAG.twin("tag"),
];
