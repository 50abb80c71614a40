//! The program: argv[0] says whether it is called as Docker or by its own name.

use std::ffi::OsString;
use std::process::ExitCode;

use docker_shim::{admin, execute};

fn main() -> ExitCode {
    let mut argv = std::env::args_os();
    let program = argv.next();
    let argv: Vec<OsString> = argv.collect();
    if execute::called_as_docker(program.as_ref()) { docker_shim::docker(&argv) } else { admin::main(argv) }
}
