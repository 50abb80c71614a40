use super::*;
use crate::render::value::{
    ANY, BOOL, DURATION, Data, FLOAT, Field, INT, MAP_OF_ANY, MAP_OF_STRINGS, Method, Named, STRING, STRINGS, Struct, Type,
};

mod table;

static HEALTH: Type = Type::Struct(&Struct::new(
    "container.Health",
    &[
        Field::new("Status", "Status", &STRING),
        Field::new("FailingStreak", "FailingStreak", &INT),
        Field::new("Log", "Log", &Type::List(&Type::Ptr(&HEALTH))),
    ],
));
static STATE: Type = Type::Struct(&Struct::new(
    "container.State",
    &[
        Field::new("Status", "Status", &STRING),
        Field::new("Running", "Running", &BOOL),
        Field::new("ExitCode", "ExitCode", &INT),
        Field::new("Pid", "Pid", &INT),
        Field::new("Health", "Health", &Type::Ptr(&HEALTH)).omitempty(),
        Field::new("StartedAt", "StartedAt", &STRING),
    ],
));
static MOUNT: Type = Type::Struct(&Struct::new(
    "container.Mount",
    &[
        Field::new("Type", "Type", &STRING).omitempty(),
        Field::new("Source", "Source", &STRING),
        Field::new("Destination", "Destination", &STRING),
        Field::new("RW", "RW", &BOOL),
    ],
));
static BASE: Type = Type::Struct(&Struct::new(
    "container.Base",
    &[
        Field::new("ID", "Id", &STRING),
        Field::new("Created", "Created", &STRING),
        Field::new("State", "State", &Type::Ptr(&STATE)),
        Field::new("Name", "Name", &STRING),
        Field::new("SizeRw", "SizeRw", &Type::Ptr(&Type::Int("int64"))).omitempty(),
        Field::new("hidden", "-", &STRING),
    ],
));
static PORT: Type = Type::Named(&Named {
    name: "container.Port",
    under: &STRING,
    methods: &[Method {
        name: "Proto",
        params: &[],
        returns: &STRING,
        call: |port, _| match port {
            Data::Str(text) => Ok(String::from_utf8_lossy(text).split('/').next_back().unwrap_or_default().into()),
            _ => Err("not a port".into()),
        },
    }],
});
static EMPTY: Type = Type::Struct(&Struct::new("struct {}", &[]));
static SLICE: Type = Type::Named(&Named { name: "container.Slice", under: &STRINGS, methods: &[] });
static CONFIG: Type = Type::Struct(&Struct::new(
    "container.Config",
    &[
        Field::new("Env", "Env", &STRINGS),
        Field::new("Labels", "Labels", &MAP_OF_STRINGS),
        Field::new("Cmd", "Cmd", &SLICE),
        Field::new("Entrypoint", "Entrypoint", &SLICE),
        Field::new("Exposed", "Exposed", &Type::Map(&PORT, &EMPTY)),
        Field::new("Tty", "Tty", &BOOL).omitempty(),
        Field::new("Timeout", "Timeout", &Type::Ptr(&INT)),
        Field::new("Interval", "Interval", &DURATION),
        Field::new("Any", "Any", &ANY),
        Field::new("Some", "Some", &ANY),
        Field::new("Size", "Size", &Type::Uint("uint64")),
        Field::new("Ratio", "Ratio", &FLOAT),
        Field::new("Small", "Small", &Type::Uint("uint8")),
        Field::new("Mode", "Mode", &Type::Named(&Named { name: "container.Mode", under: &STRING, methods: &[] })),
        Field::new("Opts", "Opts", &MAP_OF_ANY).omitempty(),
        Field::new("Nothing", "Nothing", &MAP_OF_STRINGS),
    ],
));
static BINDING: Type = Type::Struct(&Struct::new(
    "container.Binding",
    &[Field::new("HostIP", "HostIp", &STRING), Field::new("HostPort", "HostPort", &STRING)],
));
static PORTS: Type = Type::Named(&Named { name: "container.PortMap", under: &Type::Map(&PORT, &Type::List(&BINDING)), methods: &[] });
static PORTS_BASE: Type =
    Type::Struct(&Struct::new("container.PortMapBase", &[Field::new("Ports", "Ports", &PORTS), Field::new("Bridge", "Bridge", &STRING)]));
static ENDPOINT: Type = Type::Struct(&Struct::new(
    "container.Endpoint",
    &[Field::new("IPAddress", "IPAddress", &STRING), Field::new("Aliases", "Aliases", &STRINGS)],
));
static NETWORKS: Type = Type::Struct(&Struct::new(
    "container.Net",
    &[Field::embedded("PortMapBase", &PORTS_BASE), Field::new("Networks", "Networks", &Type::Map(&STRING, &Type::Ptr(&ENDPOINT)))],
));
static INSPECT: Type = Type::Ptr(&Type::Struct(&Struct::new(
    "container.Inspect",
    &[
        Field::embedded("Base", &Type::Ptr(&BASE)),
        Field::new("Mounts", "Mounts", &Type::List(&MOUNT)),
        Field::new("Config", "Config", &Type::Ptr(&CONFIG)),
        Field::new("NetworkSettings", "NetworkSettings", &Type::Ptr(&NETWORKS)),
        Field::new("When", "When", &Type::Time),
        Field::new("Zero", "Zero", &Type::Time).omitzero(),
    ],
)));

fn label(row: &Data, args: &[Data]) -> Result<Data, String> {
    match (row, args) {
        (Data::Struct(fields), [Data::Str(name)]) => match &fields[3] {
            Data::Map(labels) => Ok(labels.get(&*String::from_utf8_lossy(name)).cloned().unwrap_or("".into())),
            _ => Ok("".into()),
        },
        _ => Err("no row".into()),
    }
}

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.ContainerContext",
    &[
        Field::new("Names", "", &STRING),
        Field::new("ID", "", &STRING),
        Field::new("Ports", "", &STRING),
        Field::new("labels", "-", &MAP_OF_STRINGS),
    ],
    &[Method { name: "Label", params: &[&STRING], returns: &STRING, call: label }],
)));

fn row() -> Value {
    let labels = Value::strings([("a", "1")]).data;
    Value::new(&ROW, Data::Ptr(Box::new(Data::Struct(vec!["web".into(), "0123".into(), "80->80/tcp".into(), labels]))))
}

fn run(template: &str, data: &Value, missing: MissingKey) -> (String, String) {
    let mut out = Vec::new();
    let result = Template::parse(template).and_then(|t| t.execute(data, missing, &mut out));
    (String::from_utf8_lossy(&out).into_owned(), result.err().map(|e| e.0).unwrap_or_default())
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn typed_values_come_out_as_go_writes_them() {
    let data = Value::decode(&INSPECT, &json(include_str!("tests/typed.json")));
    for (template, out, error) in table::TYPED {
        assert_eq!(run(template, &data, MissingKey::Default), ((*out).into(), (*error).into()), "{template}");
    }
}

#[test]
fn values_without_a_type_come_out_as_go_writes_them() {
    let data = Value::raw(&json(include_str!("tests/raw.json")));
    for (template, out, error, strict_out, strict_error) in table::RAW {
        assert_eq!(run(template, &data, MissingKey::Default), ((*out).into(), (*error).into()), "{template}");
        assert_eq!(run(template, &data, MissingKey::Error), ((*strict_out).into(), (*strict_error).into()), "{template}");
    }
}

#[test]
fn rows_are_methods_and_their_json_is_sorted_and_escaped() {
    let cases = [
        ("{{.ID}}: {{.Names}}", "0123: web", ""),
        (r#"{{.Label "a"}}{{.Label "b"}}"#, "1", ""),
        (r#"{{"a" | .Label}}"#, "1", ""),
        ("{{.Label}}", "", r#"template: :1:2: executing "" at <.Label>: wrong number of args for Label: want 1 got 0"#),
        (r#"{{.ID "x"}}"#, "", r#"template: :1:2: executing "" at <.ID>: wrong number of args for ID: want 0 got 1"#),
        ("{{.Bogus}}", "", r#"template: :1:2: executing "" at <.Bogus>: can't evaluate field Bogus in type *formatter.ContainerContext"#),
        ("{{json .}}", r#"{"ID":"0123","Names":"web","Ports":"80-\u003e80/tcp"}"#, ""),
        ("{{json .Ports}}", r#""80->80/tcp""#, ""),
    ];
    for (template, out, error) in cases {
        assert_eq!(run(template, &row(), MissingKey::Default), (out.into(), error.into()), "{template}");
    }
    let template = Template::parse("{{if .Names}}{{.ID}}{{end}}").expect("a template");
    assert!(template.asks_for(&row(), "ID") && !template.asks_for(&row(), "Ports"));
}

#[test]
fn a_header_keeps_the_names_of_columns() {
    let headings = Value::strings([("ID", "CONTAINER ID"), ("Names", "NAMES")]);
    let mut out = Vec::new();
    let template = Template::parse("{{lower .ID}} {{truncate .ID 2}} {{pad .Names 1 1}}|{{.Label \"a\"}}x").expect("a template");
    let error = template.execute_header(&headings, &mut out).expect_err("a map has no methods");
    assert_eq!(String::from_utf8_lossy(&out), "CONTAINER ID CONTAINER ID  NAMES |");
    assert_eq!(error.0, r#"template: :1:54: executing "" at <.Label>: Label is not a method but has arguments"#);
}

#[test]
fn the_template_of_version_has_its_name_and_function() {
    let error = Template::parse_named("version", "{{.Bogus.}}").expect_err("an error");
    assert_eq!(error.0, "template: version:1: unexpected <.> in operand");
    assert!(Template::parse_named("version", "{{getDetailsOrder .}}").is_ok());
    assert!(Template::parse("{{getDetailsOrder .}}").is_err());
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let error = |text: &str| run(text, &row(), MissingKey::Default).1;
    assert!(error(r#"{{define "r"}}{{template "r"}}{{end}}{{template "r"}}"#).ends_with("exceeded maximum template depth (100000)"));
    assert!(error(&format!("{{{{{}1{}}}}}", "(".repeat(5000), ")".repeat(5000))).ends_with("max expression depth exceeded"));
    assert!(error(&"{{if 1}}".repeat(5000)).ends_with("max expression depth exceeded"));
}
