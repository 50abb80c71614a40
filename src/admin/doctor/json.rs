//! Where a JSON text stops being one, and which bracket or comma is missing there.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The fault's place and kind, `line 3, column 5: …`; none where the text is sound. A key that comes twice is a fault, as it is to Podman.
pub fn fault(text: &str) -> Option<String> {
    let error = serde_json::from_str::<Sound>(text).err()?;
    let (line, column) = (error.line(), error.column());
    let words = error.to_string();
    let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    let next = text.lines().nth(line.saturating_sub(1)).and_then(|text| text.as_bytes().get(column.saturating_sub(1)));
    let comma = words.starts_with("expected `,`") && matches!(next, Some(b'"' | b'{' | b'['));
    let why = brackets(text).map(|why| format!("; {why}")).unwrap_or_default();
    let why = if comma && why.is_empty() { "; a comma is missing before that".to_string() } else { why };
    Some(format!("line {line}, column {column}: {words}{why}"))
}

/// A bracket that waits for its other half, the line that it is in, and how far that is indented.
struct Open {
    bracket: char,
    line: usize,
    indent: usize,
}

/// What is wrong with the brackets of a text. Where one is missing and others close in its place, the first line that closes further to the
/// left than its bracket was opened tells which.
fn brackets(text: &str) -> Option<String> {
    let mut open: Vec<Open> = Vec::new();
    let mut suspect = None;
    for (line, text) in (1..).zip(text.lines()) {
        let indent = text.len() - text.trim_start().len();
        let mut in_string = false;
        let mut chars = text.chars().enumerate();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if in_string => {
                    chars.next();
                }
                '"' => in_string = !in_string,
                '{' | '[' if !in_string => open.push(Open { bracket: c, line, indent }),
                '}' | ']' if !in_string => match open.pop() {
                    None => return Some(format!("the {c} of line {line} closes nothing")),
                    Some(last) if (last.bracket == '{') != (c == '}') => {
                        return Some(format!("the {} of line {} is not closed before the {c} of line {line}", last.bracket, last.line));
                    }
                    Some(last) if at == indent && indent < last.indent && suspect.is_none() => suspect = Some(last),
                    Some(_) => {}
                },
                _ => {}
            }
        }
    }
    let last = open.pop()?;
    let Open { bracket, line, .. } = suspect.unwrap_or(last);
    Some(format!("the {bracket} of line {line} is not closed"))
}

/// JSON of which nothing is kept.
struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Sound, D::Error> {
        from.deserialize_any(Sound)
    }
}

impl<'de> Visitor<'de> for Sound {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sound, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("{key:?} comes a second time")));
            }
            keys.insert(key);
            map.next_value::<Sound>()?;
        }
        Ok(Sound)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Sound, A::Error> {
        while list.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }
    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }
    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    /// As pasted from a page: one registry's rule is not closed.
    const UNCLOSED: &str = r#"{
  "default": [
    { "type": "reject" }
  ],
  "transports": {
    "docker": {
      "registry.example.com": [
        {
          "type": "insecureAcceptAnything"
      ],
      "docker.io": [ { "type": "insecureAcceptAnything" } ]
    }
  }
}
"#;

    #[test]
    fn faults() {
        let said = |text: &str| fault(text).unwrap_or_default();
        assert_eq!(said(UNCLOSED), "line 10, column 7: expected `,` or `}`; the { of line 8 is not closed before the ] of line 10");
        // The rule is closed, its registries are not: only the indentation tells.
        let outer = UNCLOSED.replace("Anything\"\n      ]", "Anything\" }\n      ]").replace("    }\n  }\n", "  }\n");
        assert!(said(&outer).ends_with("; the { of line 6 is not closed"), "{}", said(&outer));
        assert!(said("{\"a\": 1}}").ends_with("; the } of line 1 closes nothing"));
        assert_eq!(said("{\"a\": \"}\\\"\"\n \"b\": 2}"), "line 2, column 2: expected `,` or `}`; a comma is missing before that");
        assert!(said("{\"a\": 1,}").contains("trailing comma"));
        assert!(
            said("{\"a\": 1, \"a\": 2}").starts_with("line 1, column 12: \"a\" comes a second time"),
            "{}",
            said("{\"a\": 1, \"a\": 2}")
        );
        assert_eq!(fault("{\"a\": [1, -2, 3.5, null, true, {}]}"), None);
    }
}
