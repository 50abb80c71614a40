//! The formats of `docker ps`, and the row that templates run over (docker/cli `cli/command/formatter/container.go`).

use crate::render::formatter::{self, LABEL};
use crate::render::value::{Data, Field, MAP_OF_STRINGS, STRING, STRINGS, Struct, Time, Type, Value, time_text};

/// `NewContainerFormat`.
pub fn container_format(format: &str, quiet: bool, size: bool) -> String {
    let (table, raw) = (
        "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
        "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\n\
         status: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n",
    );
    match (format, quiet) {
        (formatter::RAW, true) => "container_id: {{.ID}}".into(),
        (_, true) => "{{.ID}}".into(),
        (formatter::TABLE, false) if size => format!("{table}\t{{{{.Size}}}}"),
        (formatter::TABLE, false) => table.into(),
        (formatter::RAW, false) if size => format!("{raw}size: {{{{.Size}}}}\n"),
        (formatter::RAW, false) => raw.into(),
        (other, false) => other.into(),
    }
}

pub const HEADINGS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Names", "NAMES"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("CreatedAt", "CREATED AT"),
    ("RunningFor", "CREATED"),
    ("Ports", "PORTS"),
    ("State", "STATE"),
    ("Status", "STATUS"),
    ("Size", "SIZE"),
    ("Labels", "LABELS"),
    ("Mounts", "MOUNTS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Networks", "NETWORKS"),
    ("Platform", "PLATFORM"),
];

/// The row that templates run over.
pub static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.ContainerContext",
    &[
        Field::new("ID", "", &STRING),
        Field::new("Names", "", &STRING),
        Field::new("Image", "", &STRING),
        Field::new("Command", "", &STRING),
        Field::new("CreatedAt", "", &STRING),
        Field::new("RunningFor", "", &STRING),
        Field::new("Platform", "", &PLATFORM),
        Field::new("Ports", "", &STRING),
        Field::new("State", "", &STRING),
        Field::new("Status", "", &STRING),
        Field::new("Size", "", &STRING),
        Field::new("Labels", "", &STRING),
        Field::new("Mounts", "", &STRING),
        Field::new("LocalVolumes", "", &STRING),
        Field::new("Networks", "", &STRING),
        Field::new("labels", "-", &MAP_OF_STRINGS),
    ],
    &[LABEL],
)));

/// Always nil: only containerd's image store knows the platform.
static PLATFORM: Type = Type::Ptr(&Type::Struct(&Struct::new(
    "formatter.Platform",
    &[
        Field::new("Architecture", "architecture", &STRING),
        Field::new("OS", "os", &STRING),
        Field::new("OSVersion", "os.version", &STRING).omitempty(),
        Field::new("OSFeatures", "os.features", &STRINGS).omitempty(),
        Field::new("Variant", "variant", &STRING).omitempty(),
    ],
)));

/// The row of no container, over which docker/cli tries a template out before it asks the daemon.
pub fn empty_row() -> Value {
    let texts = [String::new(), String::new(), "<no image>".into(), "\"\"".into(), time_text(&Time::local(0, 0)), "56 years ago".into()];
    let mut fields: Vec<Data> = texts.into_iter().map(Data::from).collect();
    fields.push(Data::Nil);
    fields.extend(["", "", "", "0B", "", "", "0", ""].map(Data::from));
    fields.push(Value::strings::<String, String>([]).data);
    Value::new(&ROW, Data::Ptr(Box::new(Data::Struct(fields))))
}
