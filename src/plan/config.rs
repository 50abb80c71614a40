//! Docker's config.json as a file: one that cannot be read as JSON is warned of, and is as one without logins (docker/cli
//! `cli/config/config.go`, `LoadDefaultConfigFile`).

use std::path::Path;

use serde::de::IgnoredAny;

/// What is wrong with the text of a configuration, in the words of Go's decoder. Nothing is wrong with an empty one.
pub fn error(text: &[u8]) -> Option<String> {
    if text.trim_ascii().is_empty() {
        return None;
    }
    // What comes after the first value nobody reads.
    let error = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>().next()?.err()?;
    if error.is_eof() {
        return Some("unexpected EOF".into());
    }
    let words = error.to_string();
    let line = text.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1))?;
    let found = line.get(error.column().saturating_sub(1)).map(|byte| char::from(*byte))?;
    let place = [
        ("key must be a string", "looking for beginning of object key string"),
        ("trailing comma", "looking for beginning of object key string"),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
    ];
    let place = place.iter().find(|(known, _)| words.starts_with(known)).map_or("looking for beginning of value", |(_, place)| place);
    Some(format!("invalid character '{found}' {place}"))
}

/// Docker's warning of a file whose text is none.
pub fn warning(file: &Path, text: &[u8]) -> Option<String> {
    error(text).map(|error| format!("WARNING: Error parsing config file ({}): {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_go() {
        let said = |text: &str| error(text.as_bytes()).unwrap_or_default();
        assert_eq!(said(" \n"), "");
        assert_eq!(said("{} trailing"), "");
        assert_eq!(said("{broken"), "invalid character 'b' looking for beginning of object key string");
        assert_eq!(said("{\"a\": tru"), "unexpected EOF");
        assert_eq!(said("{\n\"a\" 1}"), "invalid character '1' after object key");
        assert_eq!(said("{\"a\":1 \"b\":2}"), "invalid character '\"' after object key:value pair");
        assert_eq!(said("{\"a\":?}"), "invalid character '?' looking for beginning of value");
    }
}
