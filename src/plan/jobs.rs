//! What takes more than one call and its answer: archives, logins, lists of manifests. As data; `execute` carries it out.

use std::fmt;
use std::path::PathBuf;

use super::Call;
use super::rules::store::Image;

/// Docker's lists of manifests, and what is to be done with them.
#[derive(Debug)]
pub struct Manifests {
    /// Where Docker keeps them.
    pub directory: PathBuf,
    pub calls: ManifestCalls,
    /// Where the store's indexes are.
    pub store: Vec<PathBuf>,
    pub job: ManifestJob,
}

/// The calls by which registries are reached, still without names.
#[derive(Debug)]
pub struct ManifestCalls {
    pub create: Call,
    pub add: Call,
    pub annotate: Call,
    pub inspect: Call,
    /// The same with nothing in the store, where lists of that name would be shown instead of the registry's.
    pub registry: Call,
    pub push: Call,
    pub remove: Call,
    pub pull: Call,
    pub remove_image: Call,
}

/// A command of `docker manifest`; names in full.
#[derive(Debug)]
pub enum ManifestJob {
    Create {
        list: String,
        images: Vec<String>,
        amend: bool,
    },
    Push {
        list: String,
        /// The list's name where registries.conf has its registry.
        to: String,
        purge: bool,
    },
    Inspect {
        image: String,
        list: Option<String>,
        verbose: bool,
    },
    Annotate {
        list: String,
        image: String,
        /// The names as typed.
        shown: [String; 2],
        os: String,
        architecture: String,
        variant: String,
        version: String,
        features: Vec<String>,
    },
    /// `buildx imagetools inspect`.
    Look {
        image: String,
        /// The name as typed.
        typed: String,
        raw: bool,
        format: String,
    },
    /// `buildx imagetools create --dry-run`: what an index of these would say.
    Compose {
        images: Vec<String>,
    },
    /// Lists, or Docker's words for what is no name.
    Remove {
        lists: Vec<Result<String, String>>,
    },
}

/// `docker login`.
pub struct Login {
    /// `podman login`, still without user, file and registry.
    pub call: Call,
    /// Where credentials are kept: Docker's config.json.
    pub file: PathBuf,
    /// The server as its credentials are kept, then the one that registries.conf has in its place.
    pub servers: Vec<String>,
    /// The server as Podman knows it.
    pub registry: String,
    pub user: Option<String>,
    pub password: Option<String>,
    pub password_stdin: bool,
    /// Somebody can be asked.
    pub on_terminal: bool,
}

impl Login {
    /// The server as its credentials are kept.
    pub fn server(&self) -> &str {
        &self.servers[0]
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Login { call, file, servers, user, .. } = self;
        write!(f, "Login {{ {call:?}, {file:?}, {servers:?}, {user:?} }}")
    }
}

/// `docker logout`.
#[derive(Debug)]
pub struct Logout {
    pub file: PathBuf,
    /// The server as Docker shows it.
    pub shown: String,
    /// The names that its credentials may be kept under.
    pub servers: Vec<String>,
}

/// `podman save` to stdout, passed on to a file or our own stdout.
#[derive(Debug)]
pub struct Save {
    pub call: Call,
    /// Replaced once all is well.
    pub file: Option<PathBuf>,
    /// Podman's progress is shown.
    pub on_terminal: bool,
}

/// `podman load` of a file or stdin, and the names that Docker gives its images.
#[derive(Debug)]
pub struct Load {
    /// Still without `--input`.
    pub call: Call,
    /// `podman tag` and `podman untag`, still without image and names.
    pub tag: Call,
    pub untag: Call,
    pub file: Option<PathBuf>,
    /// The images that were there before.
    pub before: Vec<Image>,
    /// Podman's progress is shown.
    pub on_terminal: bool,
}
