//! Sizes and durations in words, as docker/go-units writes them.

use super::template::strconv;

const DECIMAL: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/// `units.HumanSizeWithPrecision`: `1.98MB` for bytes, with so many significant digits.
pub fn human_size_with_precision(bytes: f64, precision: usize) -> String {
    sized(bytes, 1000.0, &DECIMAL, precision)
}

/// `units.HumanSize`: four digits.
pub fn human_size(bytes: f64) -> String {
    human_size_with_precision(bytes, 4)
}

/// `units.BytesSize`: `1.5GiB`, four digits.
pub fn bytes_size(bytes: f64) -> String {
    sized(bytes, 1024.0, &BINARY, 4)
}

fn sized(mut size: f64, base: f64, names: &[&str], precision: usize) -> String {
    let mut i = 0;
    while size >= base && i + 1 < names.len() {
        size /= base;
        i += 1;
    }
    strconv::float(size, 'g', Some(precision)) + names[i]
}

/// `units.HumanDuration`: a duration of so many seconds in words.
pub fn human_duration(seconds: f64) -> String {
    let whole = seconds as i64;
    let minutes = (seconds / 60.0) as i64;
    let hours = (seconds / 3600.0).round() as i64;
    match () {
        () if whole < 1 => "Less than a second".into(),
        () if whole == 1 => "1 second".into(),
        () if whole < 60 => format!("{whole} seconds"),
        () if minutes == 1 => "About a minute".into(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".into(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", (seconds / 3600.0) as i64 / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(human_size_with_precision(1_982_461.0, 3), "1.98MB");
        assert_eq!(human_size_with_precision(0.0, 3), "0B");
        assert_eq!(human_size_with_precision(999.0, 3), "999B");
        assert_eq!(human_size(7_801.0), "7.801kB");
        assert_eq!(human_size_with_precision(999_999.0, 3), "1e+03kB");
        assert_eq!(bytes_size(1_572_864.0), "1.5MiB");
    }

    #[test]
    fn durations() {
        let cases = [
            (0.4, "Less than a second"),
            (1.9, "1 second"),
            (59.9, "59 seconds"),
            (61.0, "About a minute"),
            (3599.0, "59 minutes"),
            (3600.0, "About an hour"),
            (5399.0, "About an hour"),
            (5400.0, "2 hours"),
            (86_400.0 * 3.0, "3 days"),
            (86_400.0 * 20.0, "2 weeks"),
            (86_400.0 * 90.0, "3 months"),
            (86_400.0 * 365.0 * 56.0, "56 years"),
        ];
        for (seconds, words) in cases {
            assert_eq!(human_duration(seconds), words, "{seconds}");
        }
    }
}
