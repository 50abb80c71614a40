//! `docker system df --verbose`: each object.

use super::{Cached, Usage, Volume};
use crate::render::formatter::{self, truncate_id};
use crate::render::image::{self, NONE, local};
use crate::render::template::{MissingKey, Template};
use crate::render::units::{human_duration, human_size, human_size_with_precision};
use crate::render::value::{Data, Field, STRING, Struct, Type, Value};
use crate::render::{natural, ps, text, volume};

/// The four tables, or what a template makes of the four lists; the containers are rows of `docker ps`. Errors are in Docker's words.
pub fn write(format: &str, usage: &Usage, containers: Vec<Data>, now: f64) -> Result<Vec<u8>, String> {
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
        containers,
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
    out.extend(formatter::write(CONTAINERS, ps::HEADINGS, &ps::ROW, containers)?);
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
        Field::new("Containers", "Containers", &Type::List(&ps::ROW)),
        Field::new("Volumes", "Volumes", &Type::List(&volume::ROW)),
        Field::new("BuildCache", "BuildCache", &Type::List(&CACHE_ROW)),
    ],
)));

fn volume_row(volume: &Volume) -> Data {
    let size = volume.size.map_or("N/A".into(), |size| human_size(size as f64));
    volume::row_in_use(&volume.json, &volume.containers.to_string(), &size)
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
