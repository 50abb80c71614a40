//! `docker top` (docker/cli `cli/command/container/top.go`, moby `daemon/top_unix.go`): the host's own `ps`, of which only the container's
//! processes are shown, by their numbers on the host.

use std::ffi::OsString;

use crate::plan::{Answer, Call};
use crate::render::{Answered, Desk, View, tabwriter};

/// `docker top`, of `podman top CONTAINER hpid`.
#[derive(Debug)]
pub struct Top {
    /// The options for `ps`.
    pub options: Vec<OsString>,
    /// `ps`; none where there is none.
    pub ps: Option<Call>,
    /// `podman container inspect`, for the container's ID.
    pub inspect: Call,
}

impl View for Top {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        if podman.status != 0 {
            let stopped = String::from_utf8_lossy(&podman.stderr).contains("top can only be used on running containers");
            let id = stopped.then(|| (desk.asking)(&self.inspect, &[])).filter(|answer| answer.status == 0)?;
            let id = String::from_utf8_lossy(&id.stdout).trim().to_string();
            return Some(Answer::failed(format!("Error response from daemon: container {id} is not running"), 1));
        }
        let said = String::from_utf8_lossy(&podman.stdout);
        let pids: Vec<&str> = said.lines().skip(1).map(str::trim).filter(|pid| pid.parse::<u32>().is_ok()).collect();
        let failed = |why: &str| Some(Answer::failed(format!("Error response from daemon: {why}"), 1));
        let Some(ps) = &self.ps else { return failed("ps: exec: \"ps\": executable file not found in $PATH") };
        let only = OsString::from(format!("-q{}", pids.join(",")));
        let mut args: Vec<_> = self.options.iter().map(OsString::as_os_str).collect();
        args.push(&only);
        let mut answer = (desk.asking)(ps, &args);
        if answer.status != 0 {
            // Some options of ps cannot stand beside -q.
            args.pop();
            answer = (desk.asking)(ps, &args);
        }
        if answer.status != 0 {
            let stderr = String::from_utf8_lossy(&answer.stderr);
            let line = stderr.lines().next().filter(|line| !line.is_empty()).map(str::to_string);
            return failed(&format!("ps: {}", line.unwrap_or_else(|| format!("exit status {}", answer.status))));
        }
        match processes(&String::from_utf8_lossy(&answer.stdout), &pids) {
            Ok(table) => Some(Answer::printed(tabwriter::align(&table, 20, 3))),
            Err(why) => failed(&why),
        }
    }
}

/// moby's `parsePSOutput`: cells end with tabs. With `m` a process's threads follow it and have `-` for a number.
fn processes(ps: &str, pids: &[&str]) -> Result<String, String> {
    let mut lines = ps.split('\n');
    let fields = |line: &str| line.split([' ', '\t', '\x0c', '\r']).filter(|f| !f.is_empty()).map(str::to_string).collect::<Vec<_>>();
    let titles = fields(lines.next().unwrap_or_default());
    let column = titles.iter().position(|title| title == "PID").ok_or("Couldn't find PID field in ps output")?;
    let mut table = titles.join("\t") + "\n";
    let mut within = false;
    for line in lines.filter(|line| !line.is_empty()) {
        let mut cells = fields(line);
        let Some(pid) = cells.get(column) else { continue };
        if pid != "-" {
            pid.parse::<u32>().map_err(|_| format!("Unexpected pid '{pid}': strconv.Atoi: parsing \"{pid}\": invalid syntax"))?;
            within = pids.contains(&pid.as_str());
        }
        if within {
            // What is left over belongs to the last column.
            let last = cells.split_off((titles.len() - 1).min(cells.len())).join(" ");
            cells.push(last);
            table += &(cells.join("\t") + "\n");
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_containers_own() {
        let ps = "UID          PID    PPID  C STIME TTY          TIME CMD\nroot           1       0  0 05:38 ?        00:00:00 init\n\
                  root        6729    6700  0 06:13 ?        00:00:00 sleep  1000\n";
        let table = "UID\tPID\tPPID\tC\tSTIME\tTTY\tTIME\tCMD\nroot\t6729\t6700\t0\t06:13\t?\t00:00:00\tsleep 1000\n";
        assert_eq!(processes(ps, &["6729"]).as_deref(), Ok(table));
        assert_eq!(processes("PID CMD\n7 a\n- a\n8 b\n- b\n", &["8"]).as_deref(), Ok("PID\tCMD\n8\tb\n-\tb\n"));
        assert_eq!(processes("CMD\na\n", &["8"]), Err("Couldn't find PID field in ps output".into()));
    }
}
