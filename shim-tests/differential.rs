//! The differential test: every case of `cases/` runs under real Docker and, through the shim, under each real Podman of
//! the lab; exit status, stdout, stderr and the state left behind must be the same but for what `expectations/` lists
//! with a reason. Docker's answers are kept in `records/`, checked against a live Docker of the recorded version, and
//! stand in for it where there is none.
//!
//! | variable | |
//! | --- | --- |
//! | `DOCKER_SHIM_RECORD=1` | write live Docker's answers to `records/` |
//! | `DOCKER_SHIM_CASES=TEXT` | only cases with the text in `GROUP/NAME` |
//! | `DOCKER_SHIM_ENGINES=GLOB` | only these Podmans |
//! | `DOCKER_SHIM_ENGINE_FREE=1` | no engines: only that cases, records and expectations fit together |

#[path = "differential/cases.rs"]
mod cases;
#[path = "differential/expectations.rs"]
mod expectations;
#[path = "differential/lab.rs"]
mod lab;
#[path = "differential/normalise.rs"]
mod normalise;
#[path = "differential/probe.rs"]
mod probe;
#[path = "differential/records.rs"]
mod records;
#[path = "differential/report.rs"]
mod report;

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use cases::{Case, glob};
use expectations::Expectation;
use lab::{Engine, Lab, Run};
use records::{Answer, Aspect, Records};
use report::{Outcome, Report};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the differential test could not run: {error:#}\n\n0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

/// Whether the variable asks for something.
fn is_set(name: &str) -> bool {
    env::var(name).is_ok_and(|value| !value.is_empty() && value != "0")
}

fn run() -> Result<bool> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim-tests");
    let all = cases::load(&tests.join("cases"))?;
    let expectations = expectations::load(&tests.join("expectations"), &all)?;
    let mut records = Records::load(&tests.join("records"), &all)?;
    let mut report = Report::default();
    let wrong = normalise::check();
    report.check((!wrong.is_empty()).then(|| wrong.join("\n")));
    let filter = env::var("DOCKER_SHIM_CASES").unwrap_or_default();
    let chosen: Vec<&Case> = all.iter().filter(|case| format!("{}/{}", case.group, case.name).contains(&filter)).collect();
    let recording = is_set("DOCKER_SHIM_RECORD");

    if is_set("DOCKER_SHIM_ENGINE_FREE") {
        println!("DOCKER_SHIM_ENGINE_FREE: {} cases were not run on engines; only their records were looked at", chosen.len());
        for case in &chosen {
            report.check(records.answer(case).err().map(|problem| format!("{}/{}: {problem}", case.group, case.name)));
        }
        report_orphans(&records, &all, &mut report);
        return Ok(report.print());
    }

    let lab = Lab::up(&tests.join("lab/lab"))?;
    lab.install(Path::new(env!("CARGO_BIN_EXE_docker-shim")))?;
    let pattern = env::var("DOCKER_SHIM_ENGINES").unwrap_or_else(|_| "*".to_owned());
    let engines: Vec<Engine> = lab.engines()?.into_iter().filter(|engine| engine.is_docker() || glob(&pattern, &engine.name)).collect();
    if !engines.iter().any(|engine| !engine.is_docker()) {
        bail!("no Podman is up in the lab (DOCKER_SHIM_ENGINE_FREE=1 leaves out what needs one)");
    }

    let mut docker = None;
    let mut podmans = Vec::new();
    for (engine, runs) in engines.iter().zip(ask_all(&engines, &chosen)) {
        match runs {
            Err(error) => report.check(Some(format!("FAILED {}: {error:#}", engine.name))),
            Ok(runs) if engine.is_docker() => docker = Some((engine, runs)),
            Ok(runs) => podmans.push((engine, runs)),
        }
    }
    let docker = live_docker(docker, &mut records, &all, recording, &mut report)?;
    let references: Vec<Result<Answer, String>> = chosen
        .iter()
        .map(|case| match &docker {
            Some(runs) => runs.iter().find(|(asked, _)| asked.name == case.name).map(|(_, answer)| answer.clone()).ok_or_else(String::new),
            None => records.answer(case),
        })
        .collect();
    if docker.is_none() {
        for (case, reference) in chosen.iter().zip(&references) {
            report.check(reference.as_ref().err().map(|problem| format!("{}/{}: {problem}", case.group, case.name)));
        }
    }
    for (engine, runs) in &podmans {
        for (case, run) in runs {
            let Some(Ok(reference)) = chosen.iter().position(|other| other.name == case.name).map(|at| &references[at]) else { continue };
            judge(engine, case, reference, &run.answer, &expectations, &mut report);
        }
    }
    if filter.is_empty() {
        report_orphans(&records, &all, &mut report);
    }
    Ok(report.print())
}

fn report_orphans(records: &Records, all: &[Case], report: &mut Report) {
    let orphans = records.orphans(all);
    report.check((!orphans.is_empty()).then(|| format!("records without a case (re-record): {}", orphans.join(", "))));
}

/// Asks all engines at once, each its cases one after the other; the answers are in the order of the engines.
fn ask_all<'a>(engines: &[Engine], cases: &[&'a Case]) -> Vec<Result<Vec<(&'a Case, Run)>>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = engines
            .iter()
            .map(|engine| {
                let mine: Vec<&Case> = cases
                    .iter()
                    .filter(|case| {
                        engine.is_docker() || case.engines.is_empty() || case.engines.iter().any(|pattern| glob(pattern, &engine.name))
                    })
                    .copied()
                    .collect();
                scope.spawn(move || {
                    let runs = engine.run(&mine)?;
                    let took: Duration = runs.iter().map(|(_, run)| run.took).sum();
                    let each = took.as_millis() / (runs.len().max(1) as u128);
                    println!("{} {}: {} cases, {each} ms each", engine.name, engine.version, runs.len());
                    anyhow::Ok(runs)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("its thread panicked"))).collect()
    })
}

/// What live Docker's answers are good for: recorded, or held against the records. None when the records have to stand
/// in, because there is no Docker or it is another version than the recorded one.
fn live_docker<'a>(
    docker: Option<(&Engine, Vec<(&'a Case, Run)>)>,
    records: &mut Records,
    all: &[Case],
    recording: bool,
    report: &mut Report,
) -> Result<Option<Vec<(&'a Case, Answer)>>> {
    let Some((engine, runs)) = docker else {
        if recording {
            bail!("there is no Docker to record");
        }
        println!("WARNING: no real Docker is up; its recorded answers stand in");
        return Ok(None);
    };
    let mut answers: Vec<(&Case, Answer)> = runs.into_iter().map(|(case, run)| (case, run.answer)).collect();
    if recording {
        for (case, answer) in &answers {
            let no_answer = answer.status.parse::<u8>().is_err();
            report.check(no_answer.then(|| format!("{}/{} on docker: {}", case.group, case.name, answer.status)));
        }
        records.update(&engine.version, all, &answers)?;
        println!("recorded {} answers of docker {}", answers.len(), engine.version);
        return Ok(Some(answers));
    }
    if let Some((case, _)) = answers.iter().find(|(case, _)| records.docker(&case.group).is_some_and(|version| version != engine.version)) {
        let recorded = records.docker(&case.group).unwrap_or_default();
        println!("WARNING: docker {} is up, but the records are of {recorded}; these are used", engine.version);
        return Ok(None);
    }
    ask_again(engine, &mut answers, records)?;
    for (case, answer) in &answers {
        let problem = match records.answer(case) {
            Err(problem) => Some(format!("FAILED {}/{} on docker: {problem}", case.group, case.name)),
            Ok(recorded) => {
                let aspects = recorded.differences(answer, case);
                (!aspects.is_empty()).then(|| {
                    let head = format!("FAILED {}/{} on docker: its record no longer agrees", case.group, case.name);
                    head + "\n" + &details(case, &recorded, answer, &aspects)
                })
            }
        };
        report.count("docker", &case.group, if problem.is_some() { Outcome::Failed } else { Outcome::Same });
        problem.into_iter().for_each(|problem| report.explain(problem));
    }
    Ok(Some(answers))
}

/// Docker orders some things by chance, and words some failures by which of its threads is first. Where it answers otherwise than it is
/// recorded, it is asked thrice more, and the recorded answer holds when it comes. A Podman is asked once.
fn ask_again(engine: &Engine, answers: &mut [(&Case, Answer)], records: &Records) -> Result<()> {
    let agrees = |case: &Case, answer: &Answer| records.answer(case).map_or(true, |recorded| recorded.differences(answer, case).is_empty());
    for _ in 0..3 {
        let odd: Vec<&Case> = answers.iter().filter(|(case, answer)| !agrees(case, answer)).map(|(case, _)| *case).collect();
        if odd.is_empty() {
            break;
        }
        let names: Vec<&str> = odd.iter().map(|case| case.name.as_str()).collect();
        println!("docker is asked again, for what it answered otherwise than it is recorded: {}", names.join(", "));
        for (case, run) in engine.run(&odd)? {
            if let Some((_, answer)) = answers.iter_mut().find(|(other, _)| other.name == case.name).filter(|_| agrees(case, &run.answer)) {
                *answer = run.answer;
            }
        }
    }
    Ok(())
}

/// Compares a Podman's answer with Docker's, in the light of the expectations.
fn judge(engine: &Engine, case: &Case, reference: &Answer, answer: &Answer, expectations: &[Expectation], report: &mut Report) {
    let differences = reference.differences(answer, case);
    let matching: Vec<&Expectation> = expectations.iter().filter(|expectation| expectation.covers(case, &engine.name)).collect();
    let surprises: Vec<Aspect> =
        differences.iter().filter(|aspect| !matching.iter().any(|expectation| expectation.aspects.contains(aspect))).copied().collect();
    let stale: Vec<String> = matching
        .iter()
        .flat_map(|expectation| expectation.aspects.iter().map(move |aspect| (expectation, aspect)))
        .filter(|(_, aspect)| !differences.contains(aspect))
        .map(|(expectation, aspect)| format!("  stale expectation {}: {} is the same now", expectation.place, aspect.name()))
        .collect();
    let outcome = match (surprises.is_empty() && stale.is_empty(), differences.is_empty()) {
        (true, true) => Outcome::Same,
        (true, false) => Outcome::Expected,
        (false, _) => Outcome::Failed,
    };
    report.count(&engine.name, &case.group, outcome);
    if outcome == Outcome::Failed {
        let names: Vec<&str> = surprises.iter().map(|aspect| aspect.name()).collect();
        let mut text = format!("FAILED {}/{} on {}: {}\n", case.group, case.name, engine.name, names.join(", "));
        text += &details(case, reference, answer, &surprises);
        text += &stale.join("\n");
        report.explain(text.trim_end().to_owned());
    }
}

/// The script, and the differences in the aspects named.
fn details(case: &Case, wanted: &Answer, came: &Answer, aspects: &[Aspect]) -> String {
    let mut text: String = case.text.lines().map(|line| format!("  | {line}\n")).collect();
    for aspect in aspects {
        text += &format!("  {}:\n{}", aspect.name(), report::difference(&wanted.lines(*aspect), &came.lines(*aspect)));
    }
    text
}
