//! One record of comma-separated values, as Go's `encoding/csv` reads it, with its words for what is wrong.

const BARE_QUOTE: &str = "bare \" in non-quoted-field";
const QUOTE: &str = "extraneous or missing \" in quoted-field";

/// The first record. Empty lines before it are skipped; nothing at all is `EOF`; what follows it is not looked at.
pub fn record(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut rest = text;
    let mut number = 0;
    let mut line = loop {
        let line = take_line(&mut rest).ok_or("EOF")?;
        number += 1;
        if !matches!(line.as_slice(), b"" | b"\n") {
            break line;
        }
    };
    let first = number;
    let mut fields = Vec::new();
    let mut at = 0;
    'field: loop {
        if line.get(at) != Some(&b'"') {
            let tail = &line[at..];
            let comma = tail.iter().position(|&c| c == b',');
            let field = comma.map_or(tail.strip_suffix(b"\n").unwrap_or(tail), |comma| &tail[..comma]);
            if let Some(quote) = field.iter().position(|&c| c == b'"') {
                return Err(fault(first, number, at + quote + 1, BARE_QUOTE));
            }
            fields.push(field.to_vec());
            match comma {
                Some(comma) => at += comma + 1,
                None => return Ok(fields),
            }
            continue;
        }
        let mut field = Vec::new();
        at += 1;
        loop {
            let tail = &line[at..];
            if let Some(quote) = tail.iter().position(|&c| c == b'"') {
                field.extend_from_slice(&tail[..quote]);
                at += quote + 1;
                match &line[at..] {
                    [b'"', ..] => {
                        field.push(b'"');
                        at += 1;
                    }
                    [b',', ..] => {
                        fields.push(field);
                        at += 1;
                        continue 'field;
                    }
                    [] | [b'\n'] => {
                        fields.push(field);
                        return Ok(fields);
                    }
                    _ => return Err(fault(first, number, at, QUOTE)),
                }
                continue;
            }
            field.extend_from_slice(tail);
            match take_line(&mut rest).filter(|next| !next.is_empty()) {
                Some(next) => (line, at, number) = (next, 0, number + 1),
                None => return Err(fault(first, number, line.len() + 1, QUOTE)),
            }
        }
    }
}

/// The next line with its `\n`; `\r\n` is read as `\n`, and a last `\r` without one is dropped.
fn take_line(rest: &mut &[u8]) -> Option<Vec<u8>> {
    if rest.is_empty() {
        return None;
    }
    let end = rest.iter().position(|&c| c == b'\n').map_or(rest.len(), |newline| newline + 1);
    let (line, behind) = rest.split_at(end);
    *rest = behind;
    Some(match line {
        [body @ .., b'\r', b'\n'] => [body, b"\n"].concat(),
        [body @ .., b'\r'] => body.to_vec(),
        _ => line.to_vec(),
    })
}

fn fault(first: usize, line: usize, column: usize, what: &str) -> String {
    let begun = if first == line { String::new() } else { format!("record on line {first}; ") };
    format!("{begun}parse error on line {line}, column {column}: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<Vec<String>, String> {
        Ok(record(text.as_bytes())?.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect())
    }

    #[test]
    fn reads_fields() {
        assert_eq!(fields("a,,\"b,\"\"c\"\"\"").unwrap(), ["a", "", "b,\"c\""]);
        assert_eq!(fields("\n\r\na\r\nb").unwrap(), ["a"]);
        assert_eq!(fields("\"a\r\nb\",c").unwrap(), ["a\nb", "c"]);
        assert_eq!(fields(",").unwrap(), ["", ""]);
    }

    #[test]
    fn tells_faults() {
        for empty in ["", "\n", "\r"] {
            assert_eq!(fields(empty).unwrap_err(), "EOF");
        }
        assert_eq!(fields("a\"").unwrap_err(), "parse error on line 1, column 2: bare \" in non-quoted-field");
        assert_eq!(fields("a,\"b\"c").unwrap_err(), "parse error on line 1, column 5: extraneous or missing \" in quoted-field");
        assert_eq!(
            fields("\n\"a\nb").unwrap_err(),
            "record on line 2; parse error on line 3, column 2: extraneous or missing \" in quoted-field"
        );
    }
}
