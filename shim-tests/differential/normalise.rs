//! What two right answers may differ in, and nothing else: IDs, times, addresses, durations, generated names and the
//! place where a case runs. Every function takes a text and gives it back with such parts replaced; `EXAMPLES` says by
//! example what each does and does not touch, and the harness checks them at every start.

/// The whole of it, in the order that works: what is long and exact first. Of a case's place only `/case` and `/script`
/// stay, its desk goes.
pub fn text(text: &str, desk: &str) -> String {
    let replaced = text.replace(desk, "");
    let replaced = addresses(&ages(&durations(&times(&ids(&names(&replaced))))));
    columns(&replaced)
}

/// A function and its examples: what goes in, what comes out.
type Example = (&'static str, fn(&str) -> String, &'static [(&'static str, &'static str)]);

const EXAMPLES: &[Example] = &[
    (
        "ids",
        ids,
        &[
            ("sha256:27bd59c0ac568674489cb53f538464ceeca8631d48f611f49b86d4eb16c60b28", "sha256:<id>"),
            ("27bd59c0ac568674489cb53f538464ceeca8631d48f611f49b86d4eb16c60b28\n", "<id>\n"),
            ("id 27bd59c0ac56.", "id <id>."),
            ("sha256:27bd59c0ac56", "sha256:<id>"),
            ("27bd59c0ac5 27bd59c0ac568 27BD59C0AC56 deadbeefcafe", "27bd59c0ac5 27bd59c0ac568 27BD59C0AC56 deadbeefcafe"),
        ],
    ),
    (
        "times",
        times,
        &[
            ("2026-11-22T03:10:43.123456789Z", "<date>T<clock>Z"),
            ("2026-11-22T03:10:43Z", "<date>T<clock>Z"),
            ("2024-01-01 00:00:00 +0000 UTC", "<date> <clock> +0000 UTC"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("Sun Nov 22 03:13:48 2026", "<date> <clock> <year>"),
            ("1732241628 1732241628123456789", "<epoch> <epoch>"),
            ("at 8080 and 10.5", "at 8080 and 10.5"),
        ],
    ),
    (
        "addresses",
        addresses,
        &[
            ("172.17.0.2/16 10.88.0.5 192.168.1.1", "<ip>/16 <ip> <ip>"),
            ("127.0.0.1:5000 0.0.0.0 198.51.100.7 192.0.2.53", "127.0.0.1:5000 0.0.0.0 198.51.100.7 192.0.2.53"),
            ("2e:11:f9:0a:bc:01 and fe80::1 fd12:3456::2/64", "<mac> and <ip6> <ip6>/64"),
            ("version 10.2.3", "version 10.2.3"),
        ],
    ),
    (
        "durations",
        durations,
        &[("DONE 0.2s", "DONE <duration>"), ("1.5ms 1m2.25s", "<duration> <duration>"), ("--timeout 10s, 30s", "--timeout 10s, 30s")],
    ),
    (
        "ages",
        ages,
        &[
            ("2 years ago", "<age> ago"),
            ("About a minute ago", "<age> ago"),
            ("Less than a second ago", "<age> ago"),
            ("Exited (0) 3 seconds ago", "Exited (0) <age> ago"),
            ("Up 2 seconds (healthy)", "Up <age> (healthy)"),
            ("Up Less than a second", "Up <age>"),
            ("long ago", "long ago"),
        ],
    ),
    ("names", names, &[("boring_wozniak\nxenodochial_kare3", "<name>\n<name>"), ("my_db boring_2 /zen_bell", "my_db boring_2 /<name>")]),
    (
        "columns",
        columns,
        &[
            ("ID     NAMES\n<id>   <name>\n", "ID   NAMES\n<id>   <name>\n"),
            ("REPOSITORY    TAG\nbusybox       x\n", "REPOSITORY    TAG\nbusybox       x\n"),
        ],
    ),
];

/// What is wrong with the examples: nothing, if all is well.
pub fn check() -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, function, examples) in EXAMPLES {
        for (given, wanted) in *examples {
            let got = function(given);
            if got != *wanted {
                wrong.push(format!("normalise::{name}({given:?}) gives {got:?}, not {wanted:?}"));
            }
        }
    }
    wrong
}

/// Replaces what `find` recognises: it gets the text from each place where a word can begin, and says how many bytes
/// belong to its find and what stands for them.
fn replace(text: &str, find: impl Fn(&str) -> Option<(usize, String)>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = None;
    while let Some(next) = rest.chars().next() {
        let found = if starts_word(previous) { find(rest).filter(|(length, _)| ends_word(&rest[*length..])) } else { None };
        match found {
            Some((length, stand_in)) if length > 0 => {
                result += &stand_in;
                previous = rest[..length].chars().next_back();
                rest = &rest[length..];
            }
            _ => {
                result.push(next);
                previous = Some(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    result
}

fn starts_word(previous: Option<char>) -> bool {
    !previous.is_some_and(|previous| previous.is_alphanumeric() || previous == '_')
}

fn ends_word(rest: &str) -> bool {
    !rest.chars().next().is_some_and(|next| next.is_alphanumeric() || next == '_')
}

/// How many bytes at the start are of the kind.
fn run(text: &str, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| kind(*byte)).count()
}

fn digits(text: &str) -> usize {
    run(text, |byte| byte.is_ascii_digit())
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// IDs: 64 or 12 lower-case hexadecimal digits as a word of their own, with at least one decimal digit among them.
fn ids(text: &str) -> String {
    replace(text, |rest| {
        let length = run(rest, is_hex);
        let id = (length == 64 || length == 12) && rest[..length].bytes().any(|byte| byte.is_ascii_digit());
        id.then(|| (length, "<id>".to_owned()))
    })
}

/// Dates and clocks, as Go and Docker print them; the form (separator, zone) stays. Unix times of this age in seconds or
/// nanoseconds too. The year 1 means "never" and stays.
fn times(text: &str) -> String {
    replace(text, |rest| {
        let length = digits(rest);
        if (length == 10 || length == 19) && rest.starts_with('1') {
            return Some((length, "<epoch>".to_owned()));
        }
        if let Some(length) = shape(rest, "0000-00-00").filter(|_| !rest.starts_with("0001")) {
            let Some(clock_at) = rest[length..].starts_with(['T', ' ']).then_some(length + 1) else {
                return Some((length, "<date>".to_owned()));
            };
            let Some(clock) = clock(&rest[clock_at..]) else { return Some((length, "<date>".to_owned())) };
            let mut end = clock_at + clock;
            let mut stand_in = format!("<date>{}<clock>", &rest[length..clock_at]);
            // A zone is part of the form, and would otherwise hide the end of the word.
            if rest[end..].starts_with('Z') {
                end += 1;
                stand_in.push('Z');
            }
            return Some((end, stand_in));
        }
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let after_day = DAYS.iter().find_map(|day| rest.strip_prefix(day))?.strip_prefix(' ')?;
        let after_month = after_day.get(3..).filter(|_| after_day.as_bytes()[0].is_ascii_uppercase())?.trim_start_matches(' ');
        let after_number = after_month[digits(after_month)..].strip_prefix(' ')?;
        let after_clock = after_number[clock(after_number)?..].strip_prefix(' ')?;
        let end = rest.len() - after_clock.len() + shape(after_clock, "0000")?;
        Some((end, "<date> <clock> <year>".to_owned()))
    })
}

/// The length of HH:MM:SS with an optional fraction.
fn clock(text: &str) -> Option<usize> {
    let length = shape(text, "00:00:00")?;
    let fraction = text[length..].strip_prefix('.').map_or(0, |rest| digits(rest) + 1);
    Some(length + if fraction > 1 { fraction } else { 0 })
}

/// The length of the pattern if the text starts like it; `0` stands for any digit.
fn shape(text: &str, pattern: &str) -> Option<usize> {
    let bytes = text.as_bytes().get(..pattern.len())?;
    let same = bytes.iter().zip(pattern.bytes()).all(|(byte, wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { *byte == wanted });
    same.then_some(pattern.len())
}

/// IPv4 addresses of the private ranges, from which engines take theirs (a case that cares for an address uses
/// 198.51.100.0/24), MAC addresses, and IPv6 addresses that are link-local or unique local.
fn addresses(text: &str) -> String {
    replace(text, |rest| {
        let length = run(rest, |byte| byte.is_ascii_digit() || byte == b'.');
        let parts: Vec<Option<u8>> = rest[..length].split('.').map(|part| part.parse().ok()).collect();
        if matches!(
            parts[..],
            [Some(10), Some(_), Some(_), Some(_)] | [Some(172), Some(16..32), Some(_), Some(_)] | [Some(192), Some(168), Some(_), Some(_)]
        ) {
            return Some((length, "<ip>".to_owned()));
        }
        let length = run(rest, |byte| is_hex(byte) || byte == b':');
        let word = &rest[..length];
        if length == 17 && word.split(':').count() == 6 && word.split(':').all(|part| part.len() == 2) {
            return Some((length, "<mac>".to_owned()));
        }
        let local = word.starts_with("fe80:") || (word.starts_with("fd") && word.find(':') == Some(4));
        (local && !word.ends_with(':')).then(|| (length, "<ip6>".to_owned()))
    })
}

/// Measured durations: those with a fraction. `10s` is what somebody chose, and stays.
fn durations(text: &str) -> String {
    replace(text, |rest| {
        let minutes = match digits(rest) {
            0 => return None,
            length if rest[length..].starts_with('m') && !rest[length..].starts_with("ms") => length + 1,
            _ => 0,
        };
        let whole = digits(&rest[minutes..]);
        let fraction = digits(rest[minutes + whole..].strip_prefix('.')?);
        let number = minutes + whole + 1 + fraction;
        let unit = ["ns", "µs", "us", "ms", "s"].into_iter().find(|unit| rest[number..].starts_with(unit))?;
        (whole > 0 && fraction > 0).then(|| (number + unit.len(), "<duration>".to_owned()))
    })
}

/// Ages in Docker's words, before "ago" or after "Up".
fn ages(text: &str) -> String {
    replace(text, |rest| {
        if let Some(after) = rest.strip_prefix("Up ") {
            return age(after).map(|length| (3 + length, "Up <age>".to_owned()));
        }
        let length = age(rest)?;
        rest[length..].starts_with(" ago").then(|| (length + 4, "<age> ago".to_owned()))
    })
}

/// The length of "2 seconds", "About a minute" or "Less than a second".
fn age(text: &str) -> Option<usize> {
    for words in ["About a minute", "About an hour", "Less than a second"] {
        if text.starts_with(words) {
            return Some(words.len());
        }
    }
    let number = digits(text);
    let unit = run(text[number..].strip_prefix(' ')?, |byte| byte.is_ascii_lowercase());
    let word = text[number + 1..number + 1 + unit].trim_end_matches('s');
    let known = ["second", "minute", "hour", "day", "week", "month", "year"].contains(&word);
    (number > 0 && known).then_some(number + 1 + unit)
}

/// The adjectives of Docker's generated names; Podman has the same list.
const ADJECTIVES: &str = "admiring adoring affectionate agitated amazing angry awesome beautiful blissful bold boring brave busy charming clever \
compassionate competent condescending confident cool cranky crazy dazzling determined distracted dreamy eager ecstatic elastic elated \
elegant eloquent epic exciting fervent festive flamboyant focused friendly frosty funny gallant gifted goofy gracious great happy hardcore \
heuristic hopeful hungry infallible inspiring intelligent interesting jolly jovial keen kind laughing loving lucid magical modest musing \
mystifying naughty nervous nice nifty nostalgic objective optimistic peaceful pedantic pensive practical priceless quirky quizzical \
recursing relaxed reverent romantic sad serene sharp silly sleepy stoic strange stupefied suspicious sweet tender thirsty trusting \
unruffled upbeat vibrant vigilant vigorous wizardly wonderful xenodochial youthful zealous zen";

/// Generated container names: adjective, underscore, surname, perhaps a digit.
fn names(text: &str) -> String {
    replace(text, |rest| {
        let adjective = run(rest, |byte| byte.is_ascii_lowercase());
        let surname = run(rest[adjective..].strip_prefix('_')?, |byte| byte.is_ascii_lowercase());
        if surname == 0 || !ADJECTIVES.split(' ').any(|known| known == &rest[..adjective]) {
            return None;
        }
        let length = adjective + 1 + surname;
        Some((length + digits(&rest[length..]).min(1), "<name>".to_owned()))
    })
}

/// Tables whose cells were replaced: their widths mean nothing any more. In the header and the lines with a replaced part
/// every run of spaces shrinks to the table's narrowest gap, which is what the widest cells have.
fn columns(text: &str) -> String {
    const REPLACED: [&str; 5] = ["<id>", "<age>", "<name>", "<ip>", "<date>"];
    let lines: Vec<&str> = text.split('\n').collect();
    let is_header = |line: &str| {
        line.contains("  ")
            && line.bytes().all(|byte| byte.is_ascii_uppercase() || b" -/%()".contains(&byte))
            && line.bytes().any(|byte| byte != b' ')
    };
    let is_row = |line: &str| line.contains("  ") && REPLACED.iter().any(|part| line.contains(part));
    if !lines.iter().any(|line| is_header(line)) || !lines.iter().any(|line| is_row(line)) {
        return text.to_owned();
    }
    let gaps = |line: &str| -> Option<usize> {
        let line = line.trim_matches(' ');
        line.split(|c| c != ' ').map(str::len).filter(|length| *length > 1).min()
    };
    let narrowest = lines.iter().filter(|line| is_header(line) || is_row(line)).filter_map(|line| gaps(line)).min().unwrap_or(1);
    let narrow = |line: &str| {
        let mut shrunk = String::new();
        let mut rest = line;
        while let Some(at) = rest.find("  ") {
            let gap = run(&rest[at..], |byte| byte == b' ');
            shrunk += &rest[..at];
            shrunk += &" ".repeat(narrowest.min(gap));
            rest = &rest[at + gap..];
        }
        shrunk + rest
    };
    lines.iter().map(|line| if is_header(line) || is_row(line) { narrow(line) } else { (*line).to_owned() }).collect::<Vec<_>>().join("\n")
}
