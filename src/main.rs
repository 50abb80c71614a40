//! The program: argv[0] says whether it is called as Docker or by its own name.
//!
//! C's `main` stands in for Rust's: the standard library's start-up reads `/proc/self/maps` to guard the stack, which costs
//! a tenth of all that is done before podman starts. What else it does, open file descriptors 0 to 2, is done here; SIGPIPE
//! keeps its default, as Docker's client has it on stdout.

#![no_main]

use std::ffi::{OsString, c_char, c_int};

use docker_shim::{admin, execute};

#[cfg(all(panic = "abort", not(target_feature = "crt-static")))]
mod unwinder;

/// The program's entry; gives the exit status.
#[unsafe(no_mangle)]
pub extern "C" fn main(_argc: c_int, _argv: *const *const c_char) -> c_int {
    execute::open_standard_streams();
    let mut argv = std::env::args_os();
    let program = argv.next();
    let argv: Vec<OsString> = argv.collect();
    let status = match program.as_ref() {
        program if execute::called_as(program, "docker-buildx") => docker_shim::buildx(argv),
        program if execute::called_as_docker(program) => docker_shim::docker(&argv),
        _ => admin::main(argv),
    };
    c_int::from(status)
}
