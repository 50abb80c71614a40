//! What a search of a registry finds (docker/cli `cli/command/registry/formatter_search.go`, moby `registry/search.go`).

use serde_json::Value as Json;

use super::formatter::{self, ellipsis};
use super::value::{Data, Field, STRING, Struct, Type};
use super::{Answered, Desk, View, text};
use crate::plan::Answer;

/// `docker search`, of `podman search --no-trunc --format json`.
#[derive(Debug)]
pub struct Search {
    /// Where is searched: a registry, and a path within it.
    pub there: String,
    /// What is found there is Docker's hub's, whose own images go by their short names.
    pub hub: bool,
    pub format: String,
    pub no_trunc: bool,
    pub official: Option<bool>,
    /// The fewest stars.
    pub stars: i64,
}

impl View for Search {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        let found = podman.json()?;
        let rows = found.as_array().into_iter().flatten().filter(|result| self.wants(result)).map(|result| self.row(result));
        Some(match formatter::write(&self.format, HEADINGS, &ROW, rows) {
            Ok(shown) => Answer::printed(shown),
            Err(error) => Answer::failed(error, 1),
        })
    }
}

/// What Docker shows when it does not even ask: nothing is built automatically any more.
pub fn nothing(format: &str) -> Answer {
    match formatter::write(format, HEADINGS, &ROW, []) {
        Ok(shown) => Answer::printed(shown),
        Err(error) => Answer::failed(error, 1),
    }
}

/// `newFormat`.
pub fn format(format: &str) -> String {
    match format {
        "" | formatter::TABLE => "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}".into(),
        other => other.into(),
    }
}

impl Search {
    fn wants(&self, result: &Json) -> bool {
        self.official.is_none_or(|wanted| wanted == is_official(result)) && stars(result) >= self.stars
    }

    fn row(&self, result: &Json) -> Data {
        let name = text(result, "Name");
        let name = name.strip_prefix(&self.there).and_then(|name| name.strip_prefix('/')).unwrap_or(name);
        let name = name.strip_prefix("library/").filter(|_| self.hub).unwrap_or(name);
        let description = text(result, "Description").replace(['\n', '\r'], " ");
        // Rows that become JSON say it in another way.
        let official = match (is_official(result), self.format.contains("json")) {
            (true, true) => "true",
            (false, true) => "false",
            (true, false) => "[OK]",
            (false, false) => "",
        };
        Data::Ptr(Box::new(Data::Struct(vec![
            name.into(),
            if self.no_trunc { description } else { ellipsis(&description, 45) }.into(),
            stars(result).to_string().into(),
            official.into(),
        ])))
    }
}

fn is_official(result: &Json) -> bool {
    text(result, "Official") == "[OK]"
}

fn stars(result: &Json) -> i64 {
    result.get("Stars").and_then(Json::as_i64).unwrap_or_default()
}

const HEADINGS: &[(&str, &str)] = &[("Name", "NAME"), ("Description", "DESCRIPTION"), ("StarCount", "STARS"), ("IsOfficial", "OFFICIAL")];

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "registry.searchContext",
    &[
        Field::new("Name", "", &STRING),
        Field::new("Description", "", &STRING),
        Field::new("StarCount", "", &STRING),
        Field::new("IsOfficial", "", &STRING),
    ],
    &[],
)));

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(view: Search) -> String {
        let json = br#"[
            {"Index":"docker.io","Name":"docker.io/library/alpine","Description":"A minimal\nimage with a description that is too long for it","Stars":9000,"Official":"[OK]","Automated":"","Tag":""},
            {"Index":"docker.io","Name":"docker.io/bitnami/alpine","Description":"Another","Stars":7,"Official":"","Automated":"","Tag":""}]"#;
        let podman = Answered { stdout: json.to_vec(), ..Answered::default() };
        let nobody = |_: &crate::plan::Call, _: &[&std::ffi::OsStr]| Answered::default();
        String::from_utf8(view.show(&podman, &Desk::new(&nobody)).unwrap().stdout).unwrap()
    }

    #[test]
    fn tables_json_and_filters() {
        let view =
            |text: &str| Search { there: "docker.io".into(), hub: true, format: format(text), no_trunc: false, official: None, stars: 0 };
        assert_eq!(
            shown(view("")),
            "NAME             DESCRIPTION                                     STARS     OFFICIAL\n\
             alpine           A minimal image with a description that is t…   9000      [OK]\n\
             bitnami/alpine   Another                                         7         \n"
        );
        assert_eq!(
            shown(Search { official: Some(false), ..view("json") }),
            "{\"Description\":\"Another\",\"IsOfficial\":\"false\",\"Name\":\"bitnami/alpine\",\"StarCount\":\"7\"}\n"
        );
        let long = Search { stars: 8, no_trunc: true, ..view("{{.Description}}") };
        assert_eq!(shown(long), "A minimal image with a description that is too long for it\n");
    }
}
