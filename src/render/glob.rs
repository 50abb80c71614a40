//! Go's `path.Match`, by which Docker matches the names of images.

/// A pattern that Go takes for malformed, in its words.
pub const BAD_PATTERN: &str = "syntax error in pattern";

/// Whether the whole name matches: `*` and `?` stand for anything but `/`, `[a-z]` for one of a class, `\` quotes. Errors: [`BAD_PATTERN`].
pub fn matches(pattern: &str, name: &str) -> Result<bool, &'static str> {
    let parts = parse(&pattern.chars().collect::<Vec<_>>()).ok_or(BAD_PATTERN)?;
    Ok(fits(&parts, &name.chars().collect::<Vec<_>>()))
}

enum Part {
    Char(char),
    /// `?`.
    Any,
    /// `*`.
    Many,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

fn parse(mut rest: &[char]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        parts.push(match first {
            '*' => Part::Many,
            '?' => Part::Any,
            '\\' => Part::Char(*take(&mut rest)?),
            '[' => {
                let negated = rest.first() == Some(&'^');
                rest = &rest[usize::from(negated)..];
                let mut ranges = Vec::new();
                while ranges.is_empty() || rest.first() != Some(&']') {
                    let low = class_char(&mut rest)?;
                    let high = if rest.first() == Some(&'-') {
                        rest = &rest[1..];
                        class_char(&mut rest)?
                    } else {
                        low
                    };
                    ranges.push((low, high));
                }
                rest = &rest[1..];
                Part::Class { negated, ranges }
            }
            other => Part::Char(*other),
        });
    }
    Some(parts)
}

fn take<'a>(rest: &mut &'a [char]) -> Option<&'a char> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(first)
}

/// One character of a class; a bare `-` or `]` is none, and something has to follow.
fn class_char(rest: &mut &[char]) -> Option<char> {
    let first = *take(rest)?;
    let char = match first {
        '-' | ']' => return None,
        '\\' => *take(rest)?,
        other => other,
    };
    if rest.is_empty() { None } else { Some(char) }
}

fn fits(parts: &[Part], name: &[char]) -> bool {
    let Some((first, parts)) = parts.split_first() else { return name.is_empty() };
    if let Part::Many = first {
        let most = name.iter().take_while(|c| **c != '/').count();
        return (0..=most).any(|n| fits(parts, &name[n..]));
    }
    let Some((char, name)) = name.split_first() else { return false };
    let one = match first {
        Part::Char(wanted) => wanted == char,
        Part::Class { negated, ranges } => ranges.iter().any(|(low, high)| (low..=high).contains(&char)) != *negated,
        _ => *char != '/',
    };
    one && fits(parts, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_matches() {
        let cases = [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "a/c/b", false),
            ("*/*", "myorg/app", true),
            ("a?c", "a/c", false),
            ("ab[b-d]", "abc", true),
            ("ab[^b-d]", "abc", false),
            ("a\\*b", "a*b", true),
            ("[\\-x]", "-", true),
            ("", "", true),
            ("busybox:1.*", "busybox:1.36", true),
        ];
        for (pattern, name, wanted) in cases {
            assert_eq!(matches(pattern, name), Ok(wanted), "{pattern} {name}");
        }
        for bad in ["[", "[]a]", "[-]", "[x-]", "[a", "\\", "a[", "[^bc", "[a-b-c]"] {
            assert_eq!(matches(bad, "zz"), Err(BAD_PATTERN), "{bad}");
        }
    }
}
