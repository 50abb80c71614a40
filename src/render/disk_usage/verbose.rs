//! `docker system df --verbose`: each object.

use serde_json::Value as Json;

use super::{Cached, Container, Usage, Volume};
use crate::plan::rules::references::Reference;
use crate::render::formatter::{self, LABEL, ellipsis, joined_labels, truncate_id};
use crate::render::image::{self, NONE, local};
use crate::render::template::strconv::quote;
use crate::render::template::{MissingKey, Template};
use crate::render::units::{human_duration, human_size, human_size_with_precision};
use crate::render::value::{Data, Field, MAP_OF_STRINGS, STRING, Struct, Time, Type, Value};
use crate::render::{given, labels, natural, text, volume};

/// The four tables, or what a template makes of the four lists. Errors are in Docker's words.
pub fn write(format: &str, usage: &Usage, now: f64) -> Result<Vec<u8>, String> {
    let trunc = format.starts_with(formatter::TABLE);
    let images = usage.images.iter().map(|image| {
        // Only the first name.
        let name = image.tags.first().map(|name| (name.familiar_name(), name.tag.clone().unwrap_or_default()));
        let (repository, tag) = name.unwrap_or((NONE.into(), NONE.into()));
        image.row(&repository, &tag, "", trunc, now)
    });
    let mut volumes: Vec<&Volume> = usage.volumes.iter().collect();
    volumes.sort_by(|a, b| natural(text(&a.json, "Name"), text(&b.json, "Name")));
    let lists = [
        images.collect(),
        usage.containers.iter().map(|container| container_row(container, trunc, now)).collect(),
        volumes.iter().map(|volume| volume_row(volume)).collect(),
        usage.cache.iter().rev().map(|cached| cache_row(cached, trunc, now)).collect::<Vec<_>>(),
    ];
    if format == formatter::TABLE {
        return tables(lists, usage.cache_size());
    }
    let error = |e| format!("template parsing error: {e}");
    let format = if format == formatter::RAW { RAW } else { format };
    let template = Template::parse(&formatter::final_format(format)).map_err(error)?;
    let mut out = Vec::new();
    let usage = Value::new(&USAGE, Data::Ptr(Box::new(Data::Struct(lists.map(Data::List).into()))));
    template.execute(&usage, MissingKey::Default, &mut out).map_err(|e| e.to_string())?;
    Ok(out)
}

fn tables(lists: [Vec<Data>; 4], cache: u64) -> Result<Vec<u8>, String> {
    let [images, containers, volumes, cached] = lists;
    let mut out = b"Images space usage:\n\n".to_vec();
    out.extend(formatter::write(IMAGES, image::HEADINGS, &image::ROW, images)?);
    out.extend(b"\nContainers space usage:\n\n");
    out.extend(formatter::write(CONTAINERS, CONTAINER_HEADINGS, &CONTAINER_ROW, containers)?);
    out.extend(b"\nLocal Volumes space usage:\n\n");
    out.extend(formatter::write("table {{.Name}}\t{{.Links}}\t{{.Size}}", volume::HEADINGS, &volume::ROW, volumes)?);
    out.extend(format!("\nBuild cache usage: {}\n\n", human_size(cache as f64)).bytes());
    out.extend(formatter::write(CACHE, CACHE_HEADINGS, &CACHE_ROW, cached)?);
    Ok(out)
}

const IMAGES: &str =
    "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}";
const CONTAINERS: &str = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}";
const CACHE: &str = "table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}";

/// `NewDiskUsageFormat` with `raw`.
const RAW: &str = "{{range .Images}}type: Image\n\
repository: {{ .Repository}}\ntag: {{.Tag}}\ndigest: {{.Digest}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n\n\
{{end -}}\n{{range .Containers}}type: Container\n\
container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\n\
status: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\nsize: {{.Size}}\n\n\
{{end -}}\n{{range .Volumes}}type: Volume\nname: {{.Name}}\ndriver: {{.Driver}}\n\n\
{{end -}}\n{{range .BuildCache}}type: Build Cache\n\
build_cache_id: {{.ID}}\nparent_id: {{.Parent}}\nbuild_cache_type: {{.CacheType}}\ndescription: {{.Description}}\n\
created_at: {{.CreatedAt}}\ncreated_since: {{.CreatedSince}}\nlast_used_at: {{.LastUsedAt}}\nlast_used_since: {{.LastUsedSince}}\n\
usage_count: {{.UsageCount}}\nin_use: {{.InUse}}\nshared: {{.Shared}}\n\n{{end -}}";

static USAGE: Type = Type::Ptr(&Type::Struct(&Struct::new(
    "formatter.diskUsageContext",
    &[
        Field::new("Images", "Images", &Type::List(&image::ROW)),
        Field::new("Containers", "Containers", &Type::List(&CONTAINER_ROW)),
        Field::new("Volumes", "Volumes", &Type::List(&volume::ROW)),
        Field::new("BuildCache", "BuildCache", &Type::List(&CACHE_ROW)),
    ],
)));

const CONTAINER_HEADINGS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Size", "SIZE"),
    ("RunningFor", "CREATED"),
    ("Status", "STATUS"),
    ("Names", "NAMES"),
];

static CONTAINER_ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.ContainerContext",
    &[
        Field::new("ID", "", &STRING),
        Field::new("Names", "", &STRING),
        Field::new("Image", "", &STRING),
        Field::new("Command", "", &STRING),
        Field::new("CreatedAt", "", &STRING),
        Field::new("RunningFor", "", &STRING),
        Field::new("State", "", &STRING),
        Field::new("Status", "", &STRING),
        Field::new("Size", "", &STRING),
        Field::new("LocalVolumes", "", &STRING),
        Field::new("Labels", "", &STRING),
        Field::new("labels", "-", &MAP_OF_STRINGS),
    ],
    &[LABEL],
)));

fn container_row(container: &Container, trunc: bool, now: f64) -> Data {
    let json = &container.json;
    let config = json.get("Config").cloned().unwrap_or_default();
    let shown = labels(&config, "Labels");
    let given = given(config.get("Labels"));
    let image = match text(&given, "Image") {
        "" => familiar(text(json, "ImageName")),
        typed => typed.to_string(),
    };
    let args = json.get("Args").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    let words = args.map(|arg| if arg.contains(' ') { format!("'{arg}'") } else { arg.to_string() });
    let command = std::iter::once(text(json, "Path").to_string()).chain(words).collect::<Vec<_>>().join(" ");
    let command = quote(if trunc { ellipsis(&command, 20) } else { command }.as_bytes(), false);
    let created = Time::parse(text(json, "Created")).map_or(0, |time| time.secs);
    let id = text(json, "Id");
    let state = if container.state() == "stopped" { "exited" } else { container.state() };
    let texts = [
        if trunc { truncate_id(id) } else { id }.to_string(),
        text(json, "Name").to_string(),
        image,
        command,
        local(created).to_string(),
        format!("{} ago", human_duration(now - created as f64)),
        state.to_string(),
        status(json, state, now),
        human_size_with_precision(container.written as f64, 3),
        container.mounts().count().to_string(),
        joined_labels(&shown),
    ];
    let fields = texts.map(Data::from).into_iter().chain([Value::strings(shown).data]);
    Data::Ptr(Box::new(Data::Struct(fields.collect())))
}

fn volume_row(volume: &Volume) -> Data {
    let size = volume.size.map_or("N/A".into(), |size| human_size(size as f64));
    volume::row_in_use(&volume.json, &volume.containers.to_string(), &size)
}

fn familiar(name: &str) -> String {
    let familiar = Reference::parse(name.as_ref()).map_or_else(|_| name.to_string(), |name| name.familiar());
    familiar.strip_suffix(":latest").unwrap_or(&familiar).to_string()
}

/// moby's `State.String`.
fn status(container: &Json, state: &str, now: f64) -> String {
    let since = |key: &str| {
        let time = container.pointer(key).and_then(Json::as_str).and_then(Time::parse);
        human_duration(now - time.map_or(0.0, |time| time.secs as f64))
    };
    let code = container.pointer("/State/ExitCode").and_then(Json::as_i64).unwrap_or_default();
    match state {
        "running" => format!("Up {}", since("/State/StartedAt")),
        "paused" => format!("Up {} (Paused)", since("/State/StartedAt")),
        "exited" => format!("Exited ({code}) {} ago", since("/State/FinishedAt")),
        "removing" => "Removal In Progress".into(),
        _ => "Created".into(),
    }
}

const CACHE_HEADINGS: &[(&str, &str)] = &[
    ("ID", "CACHE ID"),
    ("Parent", "PARENT"),
    ("CacheType", "CACHE TYPE"),
    ("Size", "SIZE"),
    ("CreatedSince", "CREATED"),
    ("LastUsedSince", "LAST USED"),
    ("UsageCount", "USAGE"),
    ("InUse", "IN USE"),
    ("Shared", "SHARED"),
    ("Description", "DESCRIPTION"),
];

static CACHE_ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.buildCacheContext",
    &[
        Field::new("ID", "", &STRING),
        Field::new("Parent", "", &STRING),
        Field::new("CacheType", "", &STRING),
        Field::new("Description", "", &STRING),
        Field::new("Size", "", &STRING),
        Field::new("CreatedAt", "", &STRING),
        Field::new("CreatedSince", "", &STRING),
        Field::new("LastUsedAt", "", &STRING),
        Field::new("LastUsedSince", "", &STRING),
        Field::new("UsageCount", "", &STRING),
        Field::new("InUse", "", &STRING),
        Field::new("Shared", "", &STRING),
    ],
    &[],
)));

/// When a step of a build was used last Podman does not note.
fn cache_row(cached: &Cached, trunc: bool, now: f64) -> Data {
    let short = |id: &str| if trunc { truncate_id(id) } else { id }.to_string();
    let texts = [
        short(&cached.id),
        short(&cached.parent),
        "regular".to_string(),
        String::new(),
        human_size_with_precision(cached.size as f64, 3),
        local(cached.created).to_string(),
        format!("{} ago", human_duration(now - cached.created as f64)),
        String::new(),
        String::new(),
        "1".to_string(),
        "false".to_string(),
        cached.shared.to_string(),
    ];
    Data::Ptr(Box::new(Data::Struct(texts.map(Data::from).into())))
}
