//! A podman call as it is put together.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Act, Call, Context, Ending, OnFailure, Plan, QUIET, Refusal, Reshape, Run, Shape, Stderr, Step, csv_field, shown};
use crate::catalogue::{Kind, Treatment};
use crate::invocation::FlagUse;
use crate::render::{Progress, Stream, View};

/// A podman call in the making.
#[derive(Clone)]
pub struct Draft {
    program: PathBuf,
    /// Podman's own options and command words.
    pub head: Vec<OsString>,
    pub flags: Vec<OsString>,
    pub args: Vec<OsString>,
    pub env: Vec<(OsString, Option<OsString>)>,
    pub prepare: Vec<Step>,
}

impl Draft {
    /// An empty call of a podman command, by its path.
    pub fn new(context: &Context, path: &str) -> Result<Draft, Refusal> {
        let mut head = context.engine.options();
        head.extend(path.split(' ').filter(|word| !word.is_empty()).map(OsString::from));
        let mut env: Vec<_> = QUIET.iter().map(|(n, v)| (OsString::from(n), Some(OsString::from(v)))).collect();
        env.extend(context.engine.env());
        let program = context.host.podman()?.to_path_buf();
        let mut draft = Draft { program, head, flags: vec![], args: vec![], env, prepare: vec![] };
        if let Some((path, content)) = context.engine.no_logins(context.host) {
            draft.set_env("REGISTRY_AUTH_FILE", &path);
            // Podman 4 would look there next.
            if let Some(directory) = path.parent() {
                draft.set_env("DOCKER_CONFIG", directory);
            }
            draft.prepare(Step::WriteOwn { path, content });
        }
        Ok(draft)
    }

    /// `--name=value`, byte for byte.
    pub fn flag(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Draft {
        let mut word = OsString::from(format!("--{name}="));
        word.push(value);
        self.flags.push(word);
        self
    }
    /// `--name` or `--name=false`.
    pub fn switch(&mut self, name: &str, on: bool) -> &mut Draft {
        self.flags.push(OsString::from(if on { format!("--{name}") } else { format!("--{name}=false") }));
        self
    }
    pub fn arg(&mut self, arg: impl Into<OsString>) -> &mut Draft {
        self.args.push(arg.into());
        self
    }
    pub fn set_env(&mut self, name: &str, value: impl Into<OsString>) -> &mut Draft {
        self.env.push((name.into(), Some(value.into())));
        self
    }
    pub fn prepare(&mut self, step: Step) {
        if !self.prepare.contains(&step) {
            self.prepare.push(step);
        }
    }

    /// The flags of the invocation, each as the catalogue says, in the order given.
    pub fn translate(&mut self, context: &Context) -> Result<(), Refusal> {
        context.invocation.uses.iter().try_for_each(|used| self.apply(used, used.flag.treatment, context))?;
        self.flags.extend(context.invocation.extras.iter().cloned());
        Ok(())
    }

    /// One use of a flag, as its treatment says.
    pub fn apply(&mut self, used: &FlagUse, treatment: Treatment, context: &Context) -> Result<(), Refusal> {
        match treatment {
            Treatment::Same => self.copy(used, used.flag.long),
            Treatment::As(name) => self.copy(used, name),
            Treatment::Csv => {
                self.flag(used.flag.long, csv_field(&used.value));
            }
            Treatment::From(since, inner) => {
                let podman = context.host.podman_version()?;
                if podman < since {
                    let (flag, since, podman) = (shown(used.flag), since.shown(), podman.shown());
                    return Err(context.refuse(format!("{flag} needs Podman {since} or newer; this is Podman {podman}.")));
                }
                return self.apply(used, *inner, context);
            }
            Treatment::Drop(_) => {}
            Treatment::Refuse(why) => {
                // A switch that is off asks for nothing.
                if used.flag.kind != Kind::Switch || used.is_on() {
                    return Err(context.refuse(why));
                }
            }
            Treatment::Rule(rule) => return rule(used, self, context),
        }
        Ok(())
    }

    fn copy(&mut self, used: &FlagUse, name: &str) {
        if used.flag.kind == Kind::Switch {
            self.switch(name, used.is_on());
        } else {
            self.flag(name, &used.value);
        }
    }

    /// The finished call. A first argument that begins with `-` is fenced off.
    pub fn call(self) -> Call {
        let mut args = self.head;
        args.extend(self.flags);
        if self.args.first().is_some_and(|a| a.as_bytes().starts_with(b"-") && a != "-") {
            args.push("--".into());
        }
        args.extend(self.args);
        Call { program: self.program, args, env: self.env, prepare: self.prepare }
    }

    pub fn exec(self) -> Plan {
        Plan::Exec(self.call())
    }
    /// The call, its answer shown by a view.
    pub fn show(self, view: impl View + 'static) -> Plan {
        Plan::Reshape(self.reshape(view))
    }
    /// The same as a step.
    pub fn reshape(self, view: impl View + 'static) -> Reshape {
        Reshape { call: self.call(), shape: Shape::Whole(Box::new(view)) }
    }
    /// The call, its answer shown line by line.
    pub fn stream(self, stream: impl Stream + 'static) -> Plan {
        Plan::Reshape(Reshape { call: self.call(), shape: Shape::Lines(Box::new(stream)) })
    }
    /// The call of a transfer, told of in Docker's words.
    pub fn transfer(self, progress: impl Progress + 'static, context: &Context) -> Reshape {
        let on_terminal = context.host.is_terminal(1) && context.host.is_terminal(2);
        Reshape { call: self.call(), shape: Shape::Transfer { progress: Box::new(progress), on_terminal } }
    }
    /// A step that ends the sequence when it fails; its stderr is the caller's.
    pub fn run(self, ending: Ending) -> Act {
        Act::Run(Run::new(self.call(), ending))
    }
    /// The same, for a call without progress to show: on success its stderr is nobody's.
    pub fn run_quietly(self, ending: Ending) -> Act {
        Act::Run(Run { stderr: Stderr::OnFailure, ..Run::new(self.call(), ending) })
    }
    /// A step after whose failure the others still follow.
    pub fn run_and_go_on(self) -> Act {
        Act::Run(Run { stderr: Stderr::OnFailure, on_failure: OnFailure::GoOn, ..Run::new(self.call(), Ending::Daemon) })
    }
}
