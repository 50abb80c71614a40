//! `--output type=docker` and `type=oci` with a file: an archive of what was built, which gets no name in the store for that.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::host;
use crate::plan::{Act, Context, Draft, Ending, Refusal, Stdout, Step};

const STDOUT: &str = "/dev/stdout";

/// Whether an archive can only be made of an image that has the names: Podman gives an OCI archive one name, and none on stdout or
/// where the path has a colon.
pub fn needs_names(format: &str, names: &[String], file: &str) -> bool {
    format == "oci-archive" && !names.is_empty() && (file == STDOUT || file.contains(':'))
}

/// Has the image's ID written to a file of our own.
pub fn own_iidfile(draft: &mut Draft) -> PathBuf {
    let dir = host::runtime_dir().unwrap_or_else(std::env::temp_dir);
    let path = dir.join(format!("built-{}", std::process::id()));
    draft.flag("iidfile", &path);
    draft.prepare(Step::WriteOwn { path: path.clone(), content: Vec::new() });
    path
}

/// Podman adds to a file that is there, or refuses.
fn anew(draft: &mut Draft, file: &str, context: &Context) {
    if file != STDOUT {
        draft.prepare(Step::RemoveFile(context.host.cwd().unwrap_or_default().join(file)));
    }
}

/// An archive of the image whose ID is in a file, under these names.
pub fn of_built(format: &str, file: &str, names: &[String], iidfile: &Path, context: &Context) -> Result<Act, Refusal> {
    let iidfile = iidfile.to_path_buf();
    let first = names.first().filter(|_| format == "oci-archive");
    if let Some(name) = first {
        let mut push = context.call("push")?;
        anew(&mut push, file, context);
        let after = vec![OsString::from(format!("{format}:{file}:{name}"))];
        return Ok(Act::OfBuilt { iidfile, call: push.call(), after, stdout: Stdout::Discard });
    }
    // Names after an image are those that the archive gives it.
    let after = names.iter().map(OsString::from).collect();
    Ok(Act::OfBuilt { iidfile, call: save(format, file, context)?.call(), after, stdout: Stdout::Inherit })
}

fn save(format: &str, file: &str, context: &Context) -> Result<Draft, Refusal> {
    let mut save = context.call("save")?;
    save.flag("format", format);
    if file != STDOUT {
        save.flag("output", file);
    }
    anew(&mut save, file, context);
    Ok(save)
}

/// An archive of an image that is in the store under its names.
pub fn of_named(format: &str, file: &str, names: &[String], context: &Context) -> Result<Act, Refusal> {
    let mut save = save(format, file, context)?;
    save.args.extend(names.iter().take(1).map(OsString::from));
    Ok(save.run_quietly(Ending::Daemon))
}
