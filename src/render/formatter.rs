//! Docker's lists: a template over rows, as a table, as JSON or as the caller wrote it (docker/cli `cli/command/formatter`).

use unicode_width::UnicodeWidthChar;

use super::tabwriter;
use super::template::{MissingKey, Template};
use super::value::{Data, MAP_OF_STRINGS, Method, Named, STRING, Type, Value};

/// What `--format` says for Docker's own table.
pub const TABLE: &str = "table";
/// One object a line.
pub const JSON: &str = "json";
/// Some lists still have this older form.
pub const RAW: &str = "raw";

/// Writes a list. `format` is a template, `json`, or one that begins with `table`; the commands replace the bare `table` and `raw` by their
/// own before. Headings are those of all fields. Errors are in Docker's words; nothing is shown then.
pub fn write(format: &str, headings: &[(&str, &str)], row: &'static Type, rows: impl IntoIterator<Item = Data>) -> Result<Vec<u8>, String> {
    let error = |e| format!("template parsing error: {e}");
    let template = Template::parse(&final_format(format)).map_err(error)?;
    let mut body = Vec::new();
    for data in rows {
        template.execute(&Value::new(row, data), MissingKey::Default, &mut body).map_err(error)?;
        body.push(b'\n');
    }
    if !format.starts_with(TABLE) {
        return Ok(body);
    }
    let mut text = Vec::new();
    // As in Docker, a heading that fails is not an error: the header ends there.
    let _ = template.execute_header(&Value::new(&HEADINGS, Value::strings(headings.iter().copied()).data), &mut text);
    text.push(b'\n');
    text.append(&mut body);
    Ok(tabwriter::align(&String::from_utf8_lossy(&text), 10, 3).into_bytes())
}

/// The template itself: without `table`, blanks trimmed, `\t` and `\n` replaced.
pub fn final_format(format: &str) -> String {
    let template = match format {
        JSON => "{{json .}}",
        _ => format.strip_prefix(TABLE).unwrap_or(format),
    };
    template.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n")
}

static HEADINGS: Type = Type::Named(&Named {
    name: "formatter.SubHeaderContext",
    under: &MAP_OF_STRINGS,
    methods: &[Method { name: "Label", params: &[&STRING], returns: &STRING, call: label_heading }],
});

/// The heading of a label's column: the last part of its name.
fn label_heading(_: &Data, args: &[Data]) -> Result<Data, String> {
    let Some(Data::Str(name)) = args.first() else { return Ok(Data::from("")) };
    let name = String::from_utf8_lossy(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    Ok(Data::from(last.replace(['-', '_'], " ")))
}

/// The method `Label` of rows that have labels: those are in the row's last field, as a map.
pub const LABEL: Method = Method { name: "Label", params: &[&STRING], returns: &STRING, call: label };

fn label(row: &Data, args: &[Data]) -> Result<Data, String> {
    match (row, args.first()) {
        (Data::Struct(fields), Some(Data::Str(name))) => match fields.last() {
            Some(Data::Map(labels)) => Ok(labels.get(&*String::from_utf8_lossy(name)).cloned().unwrap_or(Data::from(""))),
            _ => Ok(Data::from("")),
        },
        _ => Ok(Data::from("")),
    }
}

/// `a=1,b=2`.
pub fn joined_labels<'a>(labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    labels.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

/// How many columns a character takes: two where it is wide in East Asia (docker/cli's `charWidth`).
pub fn char_width(c: char) -> usize {
    if c.width() == Some(2) { 2 } else { 1 }
}

/// `formatter.Ellipsis`: at most so many columns, the last of them `…` where something is left out.
pub fn ellipsis(text: &str, width: usize) -> String {
    if width == 0 {
        return String::new();
    }
    if width == 1 {
        return text.chars().take(1).collect();
    }
    if text.chars().map(char_width).sum::<usize>() <= width {
        return text.to_string();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += char_width(*c);
        used < width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// `formatter.TruncateID`: twelve characters, without the algorithm.
pub fn truncate_id(id: &str) -> &str {
    let hex = id.split_once(':').map_or(id, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}
