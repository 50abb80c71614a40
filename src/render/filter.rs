//! The daemon's filters over an object's values (moby `api/types/filters/parse.go`).

use std::collections::BTreeMap;
use std::ffi::CString;
use std::mem::MaybeUninit;

use nix::libc;

/// Filters as given: keys and values.
pub type Filters = [(String, String)];

fn values<'a>(filters: &'a Filters, key: &'a str) -> impl Iterator<Item = &'a str> {
    filters.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
}

/// Whether a text is one of the values; without a filter of the key it is.
pub fn exact(filters: &Filters, key: &str, text: &str) -> bool {
    let mut values = values(filters, key).peekable();
    values.peek().is_none() || values.any(|value| value == text)
}

/// Whether a text is one of the values, or one of them is a regular expression that matches somewhere in it; without a filter of the key it is.
pub fn matching(filters: &Filters, key: &str, text: &str) -> bool {
    let mut values = values(filters, key).peekable();
    values.peek().is_none() || values.any(|value| value == text || matches(value, text))
}

/// Whether the labels have all of the keys, and their values where a filter names them.
pub fn labelled(filters: &Filters, key: &str, labels: &BTreeMap<String, String>) -> bool {
    values(filters, key).all(|wanted| match wanted.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|v| v == value),
        None => labels.contains_key(wanted),
    })
}

/// Whether a regular expression of Go's matches somewhere in a text. One that is none matches nothing, as with the daemon.
/// Read by the C library's own matcher, whose language is the same but for the spellings that [`as_posix`] replaces.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(|c: char| r"\^$.|?*+()[]{}".contains(c)) {
        return text.contains(pattern);
    }
    let (pattern, ignore_case) = as_posix(pattern);
    let (Ok(pattern), Ok(text)) = (CString::new(pattern), CString::new(text)) else { return false };
    let mut compiled = MaybeUninit::<libc::regex_t>::uninit();
    let flags = libc::REG_EXTENDED | libc::REG_NOSUB | if ignore_case { libc::REG_ICASE } else { 0 };
    // SAFETY: the strings end with a zero; the expression is used and freed only once regcomp has made it.
    unsafe {
        if libc::regcomp(compiled.as_mut_ptr(), pattern.as_ptr(), flags) != 0 {
            return false;
        }
        let found = libc::regexec(compiled.as_ptr(), text.as_ptr(), 0, std::ptr::null_mut(), 0) == 0;
        libc::regfree(compiled.as_mut_ptr());
        found
    }
}

/// A pattern in POSIX's extended language, and whether case does not count: Perl's classes, groups and anchors spelt out.
/// What is greedy makes no difference to whether there is a match.
fn as_posix(pattern: &str) -> (String, bool) {
    let (pattern, ignore_case) = pattern.strip_prefix("(?i)").map_or((pattern, false), |rest| (rest, true));
    let mut posix = String::new();
    let mut chars = pattern.chars().peekable();
    let mut in_brackets = false;
    let mut class = String::new();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match (c, next, in_brackets) {
            ('\\', Some('d'), true) => class.push_str("0-9"),
            ('\\', Some('w'), true) => class.push_str("0-9A-Za-z_"),
            ('\\', Some('s'), true) => class.push_str("[:space:]"),
            ('\\', Some(other), true) => class.push(other),
            (']', _, true) if !matches!(class.as_str(), "" | "^") => {
                posix.push_str(&format!("[{class}]"));
                in_brackets = false;
            }
            (c, _, true) => class.push(c),
            ('[', _, false) => {
                in_brackets = true;
                class.clear();
            }
            ('\\', Some('d'), false) => posix.push_str("[0-9]"),
            ('\\', Some('D'), false) => posix.push_str("[^0-9]"),
            ('\\', Some('A'), false) => posix.push('^'),
            ('\\', Some('z'), false) => posix.push('$'),
            ('\\', Some(other), false) => posix.extend(['\\', other]),
            ('(', Some('?'), false) if pattern.contains("(?:") => {
                posix.push('(');
                chars.next();
            }
            ('*' | '+' | '?' | '}', Some('?'), false) => {
                posix.push(c);
                chars.next();
                continue;
            }
            (c, _, false) => posix.push(c),
        }
        if c == '\\' || (c == '(' && next == Some('?') && pattern.contains("(?:")) {
            chars.next();
        }
    }
    if in_brackets {
        posix.push('[');
    }
    (posix, ignore_case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        let yes = [
            ("b", "abc"),
            ("^a.c$", "abc"),
            (r"^\d+-[a-z\d]+$", "12-a3"),
            ("(?i)^ABC", "abcd"),
            ("^(?:x|abc)$", "abc"),
            (r"a\.c", "a.c"),
            ("a+?b", "aab"),
            ("[]x]", "]"),
            (r"\w{3}", "abc"),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("^b", "abc"), (r"a\.c", "abc"), ("[", "["), ("a(", "a("), (r"^\d+$", "1a"), ("x|y", "abc")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn all_labels_any_name() {
        let filters = [("name", "a"), ("name", "b"), ("label", "x"), ("label", "y=1")].map(|(k, v)| (k.to_string(), v.to_string()));
        assert!(matching(&filters, "name", "cbc") && !matching(&filters, "name", "c") && matching(&filters, "id", "c"));
        let labels = |list: &[(&str, &str)]| list.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert!(labelled(&filters, "label", &labels(&[("x", ""), ("y", "1")])));
        assert!(!labelled(&filters, "label", &labels(&[("x", ""), ("y", "2")])));
    }
}
