//! Contexts as `docker context ls` and `inspect` show them (docker/cli `cli/command/formatter/context.go`, `cli/command/context/inspect.go`).

use serde_json::Value as Json;

use super::formatter::{self, ellipsis};
use super::value::{ANY, BOOL, Data, Field, MAP_OF_ANY, MAP_OF_STRINGS, STRING, STRINGS, Struct, Type};

/// A row of the list.
#[derive(Debug, Default)]
pub struct Row {
    pub name: String,
    pub description: String,
    pub endpoint: String,
    pub current: bool,
    pub error: String,
}

/// The list. Errors: a template that cannot be parsed or run, in Docker's words.
pub fn list(format: &str, quiet: bool, rows: &[Row]) -> Result<Vec<u8>, String> {
    let format = match (quiet, format) {
        (true, _) => "{{.Name}}",
        (_, "" | formatter::TABLE) => "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}",
        (_, other) => other,
    };
    formatter::write(format, HEADINGS, &ROW, rows.iter().map(row))
}

/// How much of an error the list shows.
const MAX_ERROR: usize = 45;

const HEADINGS: &[(&str, &str)] =
    &[("Name", "NAME"), ("Description", "DESCRIPTION"), ("DockerEndpoint", "DOCKER ENDPOINT"), ("Error", "ERROR")];

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.clientContextContext",
    &[
        Field::new("Name", "", &STRING),
        Field::new("Description", "", &STRING),
        Field::new("DockerEndpoint", "", &STRING),
        Field::new("Current", "", &BOOL),
        Field::new("Error", "", &STRING),
    ],
    &[],
)));

fn row(row: &Row) -> Data {
    Data::Ptr(Box::new(Data::Struct(vec![
        row.name.as_str().into(),
        row.description.as_str().into(),
        row.endpoint.as_str().into(),
        row.current.into(),
        ellipsis(&row.error, MAX_ERROR).into(),
    ])))
}

/// The type of an inspected context: with Docker's own kinds of metadata and endpoint where it has no others.
pub fn inspect_type(context: &Json) -> &'static Type {
    let keys = |key: &str| context.get(key).and_then(Json::as_object).into_iter().flatten().map(|(k, _)| k.as_str());
    if keys("Endpoints").all(|k| k == "docker") && keys("Metadata").all(|k| k == "Description") { &USUAL } else { &OTHER }
}

static ENDPOINT: Type = Type::Struct(&Struct::new(
    "context.EndpointMetaBase",
    &[Field::new("Host", "Host", &STRING).omitempty(), Field::new("SkipTLSVerify", "SkipTLSVerify", &BOOL)],
));
static DOCKER_CONTEXT: Type = Type::Struct(&Struct::new(
    "command.DockerContext",
    &[Field::new("Description", "Description", &STRING).omitempty(), Field::new("AdditionalFields", "-", &MAP_OF_ANY)],
));
static USUAL_METADATA: Type = Type::Struct(&Struct::new(
    "store.Metadata",
    &[
        Field::new("Name", "Name", &STRING).omitempty(),
        Field::new("Metadata", "Metadata", &DOCKER_CONTEXT),
        Field::new("Endpoints", "Endpoints", &Type::Map(&STRING, &ENDPOINT)).omitempty(),
    ],
));
static OTHER_METADATA: Type = Type::Struct(&Struct::new(
    "store.Metadata",
    &[
        Field::new("Name", "Name", &STRING).omitempty(),
        Field::new("Metadata", "Metadata", &ANY).omitempty(),
        Field::new("Endpoints", "Endpoints", &MAP_OF_ANY).omitempty(),
    ],
));
static STORAGE: Type = Type::Struct(&Struct::new(
    "store.StorageInfo",
    &[Field::new("MetadataPath", "MetadataPath", &STRING), Field::new("TLSPath", "TLSPath", &STRING)],
));
static FILES: Type = Type::Map(&STRING, &STRINGS);
static USUAL: Type = Type::Struct(&Struct::new(
    "context.contextWithTLSListing",
    &[
        Field::embedded("Metadata", &USUAL_METADATA),
        Field::new("TLSMaterial", "TLSMaterial", &FILES),
        Field::new("Storage", "Storage", &STORAGE),
    ],
));
static OTHER: Type = Type::Struct(&Struct::new(
    "context.contextWithTLSListing",
    &[
        Field::embedded("Metadata", &OTHER_METADATA),
        Field::new("TLSMaterial", "TLSMaterial", &FILES),
        Field::new("Storage", "Storage", &STORAGE),
    ],
));
/// The columns of `docker plugin ls`, which has no rows here (docker/cli `cli/command/plugin/formatter.go`).
pub const PLUGIN_HEADINGS: &[(&str, &str)] =
    &[("ID", "ID"), ("Name", "NAME"), ("Description", "DESCRIPTION"), ("Enabled", "ENABLED"), ("PluginReference", "IMAGE")];
/// A row of `docker plugin ls`.
pub static PLUGIN: Type =
    Type::Ptr(&Type::Struct(&Struct::row("plugin.pluginContext", &[Field::new("labels", "-", &MAP_OF_STRINGS)], &[])));
