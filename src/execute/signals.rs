//! While podman runs as our child: what is sent to us reaches it, and we end as it ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// The child that signals go to; 0 before it is known.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// The last signal that would have ended us; 0 for none.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

/// A signal that came before the child was known; 0 for none.
static EARLY: AtomicI32 = AtomicI32::new(0);

/// Sent to us alone, so passed on. A terminal's own (INT, QUIT, TSTP, WINCH) reach the whole process group by themselves.
const PASSED_ON: [Signal; 4] = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];
/// What ends Docker's client even where the caller has it ignored (`signal.NotifyContext`), as a script's shell has SIGINT in its background jobs.
const TERMINATION: [Signal; 2] = [Signal::SIGINT, Signal::SIGTERM];
/// A terminal sends these to podman too; it decides what they mean, and we end as it does. A caller that sends SIGINT to us
/// alone (build agents do) means podman as well.
const INTERRUPTS: [Signal; 2] = [Signal::SIGINT, Signal::SIGQUIT];

extern "C" fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let child = CHILD.load(Ordering::Relaxed);
    RECEIVED.store(signal, Ordering::Relaxed);
    if child == 0 {
        EARLY.store(signal, Ordering::Relaxed);
    }
    // SAFETY: the kernel hands a valid siginfo to a handler with SA_SIGINFO; kill is async-signal-safe.
    unsafe {
        // From the terminal (SI_KERNEL) the child has it already.
        if child > 0 && (*info).si_code != libc::SI_KERNEL {
            libc::kill(child, signal);
        }
    }
}

/// Signals are passed on while it lives.
pub struct Forwarding {
    before: Vec<(Signal, SigAction)>,
}

impl Forwarding {
    /// Installs the handlers; over a signal that the caller has us ignore only where Docker does. What comes before the child is there is
    /// kept for it.
    /// Nothing is blocked meanwhile: the child would inherit that, and so would a container's first process.
    pub fn start() -> Forwarding {
        CHILD.store(0, Ordering::Relaxed);
        RECEIVED.store(0, Ordering::Relaxed);
        EARLY.store(0, Ordering::Relaxed);
        let action = SigAction::new(SigHandler::SigAction(pass_on), SaFlags::SA_RESTART | SaFlags::SA_SIGINFO, SigSet::empty());
        let mut before = Vec::new();
        for signal in PASSED_ON.into_iter().chain(INTERRUPTS) {
            // SAFETY: the handler only reads an atomic and calls kill.
            if let Ok(old) = unsafe { sigaction(signal, &action) } {
                if matches!(old.handler(), SigHandler::SigIgn) && !TERMINATION.contains(&signal) {
                    // SAFETY: puts back what was there.
                    let _ = unsafe { sigaction(signal, &old) };
                } else {
                    before.push((signal, old));
                }
            }
        }
        Forwarding { before }
    }

    /// SIGINT or SIGTERM, if one has come.
    pub fn interrupted(&self) -> Option<i32> {
        Some(RECEIVED.load(Ordering::Relaxed)).filter(|signal| [libc::SIGINT, libc::SIGTERM].contains(signal))
    }

    /// How a child ended that may have been told to: by the signal then, as Docker's client does. Podman's own status does not tell:
    /// before 5 it is 0 for SIGTERM, as if all were done (`libpod/runtime.go`, for its service's sake).
    pub fn told(&self, ended: ExitStatus) -> ExitStatus {
        self.interrupted().map_or(ended, ExitStatus::from_raw)
    }

    /// The child is there. (exec has reset its handlers to the defaults.)
    pub fn to(&self, child: u32) {
        let child = i32::try_from(child).unwrap_or(0);
        CHILD.store(child, Ordering::Relaxed);
        let early = EARLY.swap(0, Ordering::Relaxed);
        if child > 0 && early != 0 {
            // SAFETY: kill on plain numbers.
            unsafe { libc::kill(child, early) };
        }
    }

    /// The child has ended; another may follow.
    pub fn gone(&self) {
        CHILD.store(0, Ordering::Relaxed);
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        CHILD.store(0, Ordering::Relaxed);
        for (signal, action) in &self.before {
            // SAFETY: puts back what was there.
            let _ = unsafe { sigaction(*signal, action) };
        }
    }
}

/// What a signal ends at once, as `kill(2)` takes it: a process, or a group of them by its negative; 0 for none.
static CANCELED: AtomicI32 = AtomicI32::new(0);

extern "C" fn cancel(signal: libc::c_int) {
    RECEIVED.store(signal, Ordering::Relaxed);
    let canceled = CANCELED.load(Ordering::Relaxed);
    if canceled != 0 {
        // SAFETY: kill is async-signal-safe.
        unsafe { libc::kill(canceled, libc::SIGKILL) };
    }
}

/// While it lives, a signal that would end this process ends the child instead, at once and without a word to it:
/// asked to end, Podman 4.3 takes a step of a build that it stops for done, and keeps its result for later builds.
pub struct Canceling {
    before: Vec<(Signal, SigAction)>,
}

impl Canceling {
    /// Installs the handlers; not over a signal that the caller has us ignore, except where Docker does.
    pub fn start() -> Canceling {
        CANCELED.store(0, Ordering::Relaxed);
        RECEIVED.store(0, Ordering::Relaxed);
        let action = SigAction::new(SigHandler::Handler(cancel), SaFlags::empty(), SigSet::empty());
        let mut before = Vec::new();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            // SAFETY: the handler only touches atomics and calls kill.
            if let Ok(old) = unsafe { sigaction(signal, &action) } {
                if matches!(old.handler(), SigHandler::SigIgn) && !TERMINATION.contains(&signal) {
                    // SAFETY: puts back what was there.
                    let _ = unsafe { sigaction(signal, &old) };
                } else {
                    before.push((signal, old));
                }
            }
        }
        Canceling { before }
    }

    /// The child is there; whether it leads a process group of its own, which all ends then.
    pub fn to(&self, child: u32, leads: bool) {
        let child = i32::try_from(child).unwrap_or(0);
        CANCELED.store(if leads { -child } else { child }, Ordering::Relaxed);
        if let Some(signal) = self.signal() {
            cancel(signal.into());
        }
    }

    /// The child has ended. Whatever comes from now on, as often as callers who want to be sure send it, does not disturb the clearing up.
    pub fn canceled(self) {
        CANCELED.store(0, Ordering::Relaxed);
        std::mem::forget(self);
    }

    /// The signal that has come, if any has.
    pub fn signal(&self) -> Option<u8> {
        u8::try_from(RECEIVED.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }
}

impl Drop for Canceling {
    fn drop(&mut self) {
        CANCELED.store(0, Ordering::Relaxed);
        for (signal, action) in &self.before {
            // SAFETY: puts back what was there.
            let _ = unsafe { sigaction(*signal, action) };
        }
    }
}

extern "C" fn leave(signal: libc::c_int) {
    let child = CHILD.load(Ordering::Relaxed);
    // SAFETY: kill and _exit are async-signal-safe.
    unsafe {
        if child > 0 {
            libc::kill(child, libc::SIGKILL);
        }
        libc::_exit(128 + signal);
    }
}

/// While it lives, a signal ends this process as it ends Docker's client: at once, with the shell's status for it. What the
/// engine has begun goes on.
pub struct Leaving {
    before: Vec<(Signal, SigAction)>,
}

impl Leaving {
    /// Installs the handlers.
    pub fn start() -> Leaving {
        CHILD.store(0, Ordering::Relaxed);
        let action = SigAction::new(SigHandler::Handler(leave), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler only reads an atomic, calls kill and _exit.
        let before = TERMINATION.into_iter().filter_map(|signal| Some((signal, unsafe { sigaction(signal, &action) }.ok()?))).collect();
        Leaving { before }
    }

    /// A child that is only the client's own, ended together with it; 0 is none.
    pub fn takes_along(&self, child: u32) {
        CHILD.store(i32::try_from(child).unwrap_or(0), Ordering::Relaxed);
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        CHILD.store(0, Ordering::Relaxed);
        for (signal, action) in &self.before {
            // SAFETY: puts back what was there.
            let _ = unsafe { sigaction(*signal, action) };
        }
    }
}

/// Whether SIGINT or SIGTERM has come while the last child lived.
pub fn told_to_end() -> bool {
    TERMINATION.iter().any(|signal| *signal as i32 == RECEIVED.load(Ordering::Relaxed))
}

/// Ends this process by a signal, as the child ended; gives the shell's status for it should the signal be blocked, or where it was sent to
/// us as well: Docker's client ends in good order then.
pub fn die_by(signal: i32) -> u8 {
    if RECEIVED.load(Ordering::Relaxed) == signal && told_to_end() {
        return u8::try_from(128 + signal).unwrap_or(255);
    }
    if let Ok(signal) = Signal::try_from(signal) {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: restores the default action.
        let _ = unsafe { sigaction(signal, &default) };
        let _ = nix::sys::signal::raise(signal);
    }
    u8::try_from(128 + signal).unwrap_or(255)
}
