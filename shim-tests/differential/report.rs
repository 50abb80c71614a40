//! What the harness prints: a table of counts, then each failure with what was wanted and what came.

use std::collections::BTreeMap;

/// How a case went on an engine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Same,
    Expected,
    Failed,
}

#[derive(Default)]
pub struct Report {
    counts: BTreeMap<(String, String), [usize; 3]>,
    failures: Vec<String>,
    passed: usize,
    failed: usize,
}

impl Report {
    /// Counts a case of a group on an engine.
    pub fn count(&mut self, engine: &str, group: &str, outcome: Outcome) {
        self.counts.entry((engine.to_owned(), group.to_owned())).or_default()[outcome as usize] += 1;
        match outcome {
            Outcome::Failed => self.failed += 1,
            _ => self.passed += 1,
        }
    }

    /// A check that belongs to no engine.
    pub fn check(&mut self, problem: Option<String>) {
        match problem {
            None => self.passed += 1,
            Some(problem) => {
                self.failed += 1;
                self.failures.push(problem);
            }
        }
    }

    pub fn explain(&mut self, failure: String) {
        self.failures.push(failure);
    }

    /// Prints everything; true when nothing failed.
    pub fn print(&self) -> bool {
        if !self.counts.is_empty() {
            println!("\n{:<16} {:<12} {:>6} {:>10} {:>7}", "engine", "group", "same", "expected", "failed");
        }
        let mut totals: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for ((engine, group), counts) in &self.counts {
            println!("{engine:<16} {group:<12} {:>6} {:>10} {:>7}", counts[0], counts[1], counts[2]);
            for (total, count) in totals.entry(engine).or_default().iter_mut().zip(counts) {
                *total += count;
            }
        }
        for (engine, counts) in totals {
            println!("{engine:<16} {:<12} {:>6} {:>10} {:>7}", "all", counts[0], counts[1], counts[2]);
        }
        for failure in &self.failures {
            println!("\n{failure}");
        }
        println!("\n{} passed, {} failed", self.passed, self.failed);
        self.failed == 0
    }
}

/// The difference of two texts, a line each: `-` wanted, `+` came, two lines of what is common around.
pub fn difference(wanted: &[&str], came: &[&str]) -> String {
    const CONTEXT: usize = 2;
    const MOST: usize = 60;
    // The longest common subsequence from each pair of places on; a case's answers are short.
    let mut common = vec![vec![0usize; came.len() + 1]; wanted.len() + 1];
    for i in (0..wanted.len()).rev() {
        for j in (0..came.len()).rev() {
            common[i][j] = if wanted[i] == came[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines: Vec<(char, &str)> = Vec::new();
    while i < wanted.len() || j < came.len() {
        if i < wanted.len() && j < came.len() && wanted[i] == came[j] {
            lines.push((' ', wanted[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < wanted.len() && (j == came.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', wanted[i]));
            i += 1;
        } else {
            lines.push(('+', came[j]));
            j += 1;
        }
    }
    let near = |at: usize| lines[at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(lines.len())].iter().any(|(sign, _)| *sign != ' ');
    let shown: Vec<String> = (0..lines.len()).filter(|at| near(*at)).map(|at| format!("    {} {}", lines[at].0, lines[at].1)).collect();
    let mut result = shown.iter().take(MOST).fold(String::new(), |text, line| text + line + "\n");
    if shown.len() > MOST {
        result += &format!("    … {} lines more\n", shown.len() - MOST);
    }
    result
}
