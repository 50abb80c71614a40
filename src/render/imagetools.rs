//! What `buildx imagetools inspect` shows (buildx `util/imagetools/printers.go`; the types are those of the image specification).

use serde_json::{Map, Value as Json, json};

use super::image_inspect::IMAGE_CONFIG;
use super::template::Template;
use super::value::{ANY, BOOL, Data, Field, INT, INT64, MAP_OF_STRINGS, Method, STRING, STRINGS, Struct, Type, Value};
use super::{indented, tabwriter, text};
use crate::plan::rules::platforms::Platform;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What a registry has.
#[derive(Debug)]
pub struct Found {
    /// The name in full, and as it was typed.
    pub name: String,
    pub typed: String,
    pub digest: String,
    pub size: usize,
    /// A list, or the descriptor of an image.
    pub manifest: Json,
    /// The image's configuration, where it was asked for.
    pub config: Option<Json>,
}

static PLATFORM: Type = Type::Struct(&Struct::new(
    "v1.Platform",
    &[
        Field::new("Architecture", "architecture", &STRING),
        Field::new("OS", "os", &STRING),
        Field::new("OSVersion", "os.version", &STRING).omitempty(),
        Field::new("OSFeatures", "os.features", &STRINGS).omitempty(),
        Field::new("Variant", "variant", &STRING).omitempty(),
    ],
));
static DESCRIPTOR: Type = Type::Struct(&Struct::new(
    "v1.Descriptor",
    &[
        Field::new("MediaType", "mediaType", &STRING),
        Field::new("Digest", "digest", &STRING),
        Field::new("Size", "size", &INT64),
        Field::new("URLs", "urls", &STRINGS).omitempty(),
        Field::new("Annotations", "annotations", &MAP_OF_STRINGS).omitempty(),
        Field::new("Data", "data", &STRING).omitempty(),
        Field::new("Platform", "platform", &Type::Ptr(&PLATFORM)).omitempty(),
        Field::new("ArtifactType", "artifactType", &STRING).omitempty(),
    ],
));
static INDEX: Type = Type::Struct(&Struct::new(
    "struct { SchemaVersion int \"json:\\\"schemaVersion\\\"\"; MediaType string \"json:\\\"mediaType,omitempty\\\"\"; Digest digest.Digest \"json:\\\"digest\\\"\"; Size int64 \"json:\\\"size\\\"\"; Manifests []v1.Descriptor \"json:\\\"manifests\\\"\"; Annotations map[string]string \"json:\\\"annotations,omitempty\\\"\" }",
    &[
        Field::new("SchemaVersion", "schemaVersion", &INT),
        Field::new("MediaType", "mediaType", &STRING).omitempty(),
        Field::new("Digest", "digest", &STRING),
        Field::new("Size", "size", &INT64),
        Field::new("Manifests", "manifests", &Type::List(&DESCRIPTOR)),
        Field::new("Annotations", "annotations", &MAP_OF_STRINGS).omitempty(),
    ],
));
static ROOT_FS: Type =
    Type::Struct(&Struct::new("v1.RootFS", &[Field::new("Type", "type", &STRING), Field::new("DiffIDs", "diff_ids", &STRINGS)]));
static HISTORY: Type = Type::Struct(&Struct::new(
    "v1.History",
    &[
        Field::new("Created", "created", &Type::Ptr(&Type::Time)).omitempty(),
        Field::new("CreatedBy", "created_by", &STRING).omitempty(),
        Field::new("Author", "author", &STRING).omitempty(),
        Field::new("Comment", "comment", &STRING).omitempty(),
        Field::new("EmptyLayer", "empty_layer", &BOOL).omitempty(),
    ],
));
static IMAGE: Type = Type::Struct(&Struct::new(
    "v1.Image",
    &[
        Field::new("Created", "created", &Type::Ptr(&Type::Time)).omitempty(),
        Field::new("Author", "author", &STRING).omitempty(),
        Field::embedded("Platform", &PLATFORM),
        Field::new("Config", "config", &IMAGE_CONFIG),
        Field::new("RootFS", "rootfs", &ROOT_FS),
        Field::new("History", "history", &Type::List(&HISTORY)).omitempty(),
    ],
));
static IMAGE_POINTER: Type = Type::Ptr(&IMAGE);
static STUB: Type = Type::Struct(&Struct::new("imagetools.sbomStub", &[]));

/// Attestations, of which an image that Podman knows has none.
const fn none(name: &'static str) -> Method {
    Method { name, params: &[], returns: &STUB, call: |_, _| Ok(Data::Struct(vec![])) }
}

static FIELDS: [Field; 3] = [
    Field::new("Name", "name", &STRING).omitempty(),
    Field::new("Manifest", "manifest", &ANY).omitempty(),
    Field::new("Image", "image", &IMAGE_POINTER).omitempty(),
];
static INPUT: Type = Type::Struct(&Struct::with_methods("imagetools.tplInput", &FIELDS, &[none("SBOM"), none("Provenance")]));
static INPUTS: Type = Type::Struct(&Struct::with_methods("imagetools.tplInputs", &FIELDS, &[none("SBOM"), none("Provenance")]));

/// The template of `--format`; none for the usual text, which buildx also shows for one that begins with the manifest. Errors: Go's.
pub fn template(format: &str) -> Result<Option<Template>, String> {
    let begins = format.strip_prefix("{{").is_some_and(|rest| rest.trim_start().starts_with(".Manifest"));
    if format.is_empty() {
        return Ok(None);
    }
    let template = Template::parse(format).map_err(|error| error.0)?;
    Ok(Some(template).filter(|_| !begins))
}

/// buildx's words for what a registry does not have; `words` are docker/cli's.
pub fn missing(image: &str, words: String) -> String {
    if words.starts_with("no such manifest: ") { format!("{image}: not found") } else { words }
}

impl Found {
    /// Whether it is of several images.
    pub fn is_list(&self) -> bool {
        self.manifest.get("manifests").is_some()
    }

    fn media_type(&self) -> &str {
        match text(&self.manifest, "mediaType") {
            "" => OCI_INDEX,
            given => given,
        }
    }

    /// The usual text.
    pub fn text(&self) -> String {
        let align = |lines: &str| tabwriter::align(lines, 0, 1);
        let mut out = align(&format!("Name:\t{}\nMediaType:\t{}\nDigest:\t{}\n", self.name, self.media_type(), self.digest));
        let Some(entries) = self.manifest.get("manifests").and_then(Json::as_array) else { return out };
        out.push_str(&align("\t\nManifests:\t\n"));
        // The tag stays, a digest of its own goes.
        let name = self.name.split('@').next().unwrap_or_default();
        let mut lines = String::new();
        for (i, entry) in entries.iter().enumerate() {
            if i > 0 {
                lines.push_str("\t\n");
            }
            lines.push_str(&format!("  Name:\t{}@{}\n  MediaType:\t{}\n", name, text(entry, "digest"), text(entry, "mediaType")));
            let Some(platform) = entry.get("platform") else { continue };
            lines.push_str(&format!("  Platform:\t{}\n", shown(platform)));
            if !text(platform, "os.version").is_empty() {
                lines.push_str(&format!("  OSVersion:\t{}\n", text(platform, "os.version")));
            }
            let words = |list: Option<&Json>| {
                list.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect::<Vec<_>>().join(", ")
            };
            for (name, list) in [("OSFeatures", words(platform.get("os.features"))), ("URLs", words(entry.get("urls")))] {
                if !list.is_empty() {
                    lines.push_str(&format!("  {name}:\t{list}\n"));
                }
            }
            if let Some(annotations) = entry.get("annotations").and_then(Json::as_object).filter(|all| !all.is_empty()) {
                lines.push_str("  Annotations:\t\n");
                out.push_str(&align(&lines));
                lines.clear();
                let mut all: Vec<_> = annotations.iter().collect();
                all.sort_by_key(|(key, _)| *key);
                let below: String =
                    all.iter().map(|(key, value)| format!("    {key}:\t{}\n", value.as_str().unwrap_or_default())).collect();
                out.push_str(&align(&below));
            }
        }
        out + &align(&lines)
    }

    /// Whether a template shows the configuration.
    pub fn asks_for_image(&self, template: &Template) -> bool {
        let whole = template.text().replace(' ', "");
        template.text().contains(".Image") || whole.contains("json.}}") || whole.contains("{{.}}")
    }

    /// What a template runs over.
    pub fn value(&self) -> Value {
        let manifest = if self.is_list() {
            let mut index = self.manifest.clone();
            index["digest"] = self.digest.clone().into();
            index["size"] = self.size.into();
            Value::decode(&INDEX, &index)
        } else {
            // A descriptor that a registry gives tells no platform.
            Value::decode(&DESCRIPTOR, &json!({ "mediaType": self.media_type(), "digest": self.digest, "size": self.size }))
        };
        let image = self.config.as_ref().map_or(Data::Nil, |config| Data::Ptr(Box::new(Value::decode(&IMAGE, config).data)));
        let several = self.manifest.get("manifests").and_then(Json::as_array).is_some_and(|entries| entries.len() > 1);
        let fields = vec![self.typed.as_str().into(), Data::Any(Box::new(manifest)), image];
        Value::new(if several { &INPUTS } else { &INPUT }, Data::Struct(fields))
    }
}

/// A platform as containerd writes it.
fn shown(platform: &Json) -> String {
    let part = |key: &str| text(platform, key).to_string();
    match (part("os"), part("architecture")) {
        (os, _) if os.is_empty() => "unknown".into(),
        (os, architecture) => Platform { os, architecture, variant: part("variant") }.shown(),
    }
}

const ORDER: [&str; 7] = ["mediaType", "digest", "size", "urls", "annotations", "platform", "artifactType"];

fn in_order(entry: &Json, order: &[&str]) -> Json {
    let mut ordered = Map::new();
    let rest = entry.as_object().into_iter().flat_map(Map::keys).map(String::as_str).filter(|key| !order.contains(key));
    for key in order.iter().copied().chain(rest) {
        ordered.extend(entry.get(key).map(|value| (key.to_string(), value.clone())));
    }
    Json::Object(ordered)
}

/// A descriptor with its fields in the specification's order.
pub fn descriptor(entry: &Json) -> Json {
    in_order(entry, &ORDER)
}

/// The ways in which programs write a list: by the order of an entry's fields and by their lines.
pub fn spellings(list: &Json) -> Vec<Vec<u8>> {
    let orders: [&[&str]; 3] = [&[], &ORDER, &["mediaType", "size", "digest"]];
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut bare = list.clone();
    if let Some(object) = bare.as_object_mut() {
        object.shift_remove("mediaType");
    }
    // Podman 4 shows either kind as Docker's.
    let mut oci = list.clone();
    oci["mediaType"] = OCI_INDEX.into();
    for list in [list, &oci, &bare] {
        for order in orders {
            let mut list = list.clone();
            if let Some(entries) = list.get_mut("manifests").and_then(Json::as_array_mut) {
                entries.iter_mut().for_each(|entry| *entry = in_order(entry, order));
            }
            for text in [list.to_string(), indented(&list, b"  "), indented(&list, b"   "), indented(&list, b"    ")] {
                if !all.contains(&text.clone().into_bytes()) {
                    all.push(text.into_bytes());
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_a_list_in_each_way() {
        let list = json!({"schemaVersion": 2, "mediaType": "m", "manifests": [{"mediaType": "x", "size": 1, "digest": "d"}]});
        let all: Vec<String> = spellings(&list).into_iter().filter_map(|text| String::from_utf8(text).ok()).collect();
        assert_eq!(all[0], r#"{"schemaVersion":2,"mediaType":"m","manifests":[{"mediaType":"x","size":1,"digest":"d"}]}"#);
        assert!(all.contains(&r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"d","size":1}]}"#.to_string()));
        assert!(all.iter().any(|text| text.starts_with(r#"{"schemaVersion":2,"mediaType":"application/vnd.oci"#)));
    }
}
