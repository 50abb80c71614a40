//! `docker images --tree` (docker/cli `cli/command/image/tree.go`, `internal/tui`). Without containerd's image store an image has no
//! platforms below it.

use std::io::IsTerminal;

use super::{Filters, Summary};
use crate::plan::Answer;
use crate::render::formatter::{char_width, truncate_id};
use crate::render::layers::Layers;
use crate::render::units::human_size_with_precision;
use crate::render::{Answered, Desk, View};

/// `docker images --tree`, of `podman images --format json`.
#[derive(Debug)]
pub struct ImageTree {
    pub all: bool,
    pub filters: Filters,
    /// Where the store lies whose layers are counted.
    pub roots: Vec<std::path::PathBuf>,
}

impl View for ImageTree {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        let images = Summary::list(&podman.json()?, &Layers::read(&self.roots), true, false);
        let mut images = match self.filters.apply(images) {
            Ok(images) => images,
            Err(words) => return Some(Answer::failed(format_args!("Error response from daemon: {words}"), 1)),
        };
        images.retain(|image| self.all || !image.is_dangling());
        let screen = Screen { columns: terminal_columns(), is_terminal: std::io::stdout().is_terminal() };
        Some(Answer::printed(screen.tree(&images)))
    }
}

struct Screen {
    /// None where stdout is no terminal.
    columns: Option<usize>,
    is_terminal: bool,
}

const SPACING: usize = 3;

const TITLE: &str = "\x1b[39m\x1b[1m";
const NAME: &str = "\x1b[34m\x1b[1m";
const DETAIL: &str = "\x1b[39m";
const UNTAGGED: &str = "\x1b[39m\x1b[2m";
const WARNING: &str = "\x1b[93m";

impl Screen {
    fn tree(&self, images: &[Summary]) -> String {
        let width = self.columns.unwrap_or(80).max(20);
        let mut out = self.color(WARNING, "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.");
        out += "\n";
        let info = if self.is_terminal { "\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m" } else { " Info -> " };
        let legend = format!("{info} {} In Use ", self.in_use());
        out += &" ".repeat(width.saturating_sub(text_width(&legend)));
        out += &format!("{legend}\n\n");
        let any_in_use = images.iter().any(|image| image.containers > 0);
        let chip = |image: &Summary| match (any_in_use, image.containers > 0) {
            (false, _) => "",
            (true, true) => self.in_use(),
            (true, false) => {
                if self.is_terminal {
                    "   "
                } else {
                    " "
                }
            }
        };
        // Title, width, whether it is put to the right.
        let mut columns =
            vec![("IMAGE", 0, false), ("ID", 12, false), ("DISK USAGE", 10, true), ("CONTENT SIZE", 12, true), ("EXTRA", 5, false)];
        let mut name_width = width;
        for at in 1..columns.len() {
            let taken = columns[at].1 + SPACING;
            if name_width < taken + 12 {
                columns.truncate(at);
                break;
            }
            name_width -= taken;
        }
        let names: Vec<Vec<String>> = images.iter().map(names).collect();
        columns[0].1 = name_width.min(names.iter().flatten().map(String::len).max().unwrap_or(0).max("Image".len()));
        let gap = " ".repeat(SPACING);
        let titles: Vec<String> =
            columns.iter().map(|(title, width, right)| cell(title, *width, *right, |text| format!("{TITLE}{text}\x1b[0m"))).collect();
        out += &(titles.join(&gap) + "\n");
        for (image, names) in images.iter().zip(names) {
            match names.split_last() {
                None => out += &cell("<untagged>", columns[0].1, false, |text| self.color(UNTAGGED, text)),
                Some((last, others)) => {
                    // Only the last name shares its line with the other columns.
                    for name in others {
                        out += &(self.color(NAME, &ellipsis(name, self.columns.unwrap_or(0))) + "\n");
                    }
                    out += &cell(last, columns[0].1, false, |text| self.color(NAME, text));
                }
            }
            let details =
                [truncate_id(&image.id).to_string(), human_size_with_precision(image.size as f64, 3), "0B".into(), chip(image).into()];
            for (at, (detail, (_, width, right))) in details.iter().zip(&columns[1..]).enumerate() {
                out += &gap;
                out += &cell(detail, *width, *right, |text| if at == 3 { text.into() } else { self.color(DETAIL, text) });
            }
            out += "\n";
        }
        out
    }

    fn in_use(&self) -> &'static str {
        if self.is_terminal { "\x1b[38;5;0m\x1b[48;5;14m U \x1b[0m" } else { "U" }
    }

    fn color(&self, color: &str, text: &str) -> String {
        if self.is_terminal { format!("{color}{text}\x1b[0m") } else { text.to_string() }
    }
}

/// The names of an image, the longest first.
fn names(image: &Summary) -> Vec<String> {
    let mut names: Vec<String> = image.tags.iter().map(|tag| tag.familiar()).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names
}

fn cell(text: &str, width: usize, right: bool, color: impl Fn(&str) -> String) -> String {
    let taken = text_width(text);
    if taken > width {
        return color(&ellipsis(text, width));
    }
    let fill = " ".repeat(width - taken);
    if right { fill + &color(text) } else { color(text) + &fill }
}

/// The columns that a text takes; sequences of colour take none.
fn text_width(text: &str) -> usize {
    let mut parts = text.split('\x1b');
    let plain = |part: &str| part.chars().map(char_width).sum::<usize>();
    parts.next().map_or(0, plain) + parts.map(|part| part.split_once('m').map_or(0, |(_, rest)| plain(rest))).sum::<usize>()
}

/// `tui.Ellipsis`: from so many characters on `…` stands for the rest; 0 for no limit.
fn ellipsis(text: &str, length: usize) -> String {
    if length == 0 || text.chars().count() < length {
        return text.to_string();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}

/// The width of the terminal on stdout.
fn terminal_columns() -> Option<usize> {
    // SAFETY: winsize is plain data that the call fills.
    let size = unsafe {
        let mut size: nix::libc::winsize = std::mem::zeroed();
        (nix::libc::ioctl(1, nix::libc::TIOCGWINSZ, &mut size) == 0).then_some(size)?
    };
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
