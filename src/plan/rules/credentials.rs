//! Credentials where Docker looks for them and Podman does not: `credsStore` of config.json, and `DOCKER_AUTH_CONFIG`.

use std::hash::{DefaultHasher, Hasher};

use serde_json::{Map, Value as Json};

use crate::host;
use crate::plan::{Context, Draft, Step};

/// Has a call find the credentials of a registry: a file of ours with what Docker's configuration says in Podman's terms. What a helper
/// keeps stays with it. (A helper knows Docker's hub by an URL that Podman does not ask for, so the hub's are not found.)
pub fn of_registry(draft: &mut Draft, context: &Context, registry: &str) {
    of_registries(draft, context, &[registry]);
}

/// The same for several.
pub fn of_registries(draft: &mut Draft, context: &Context, registries: &[&str]) {
    let named = |name: &str| context.host.env(name).filter(|value| !value.is_empty());
    if named("REGISTRY_AUTH_FILE").is_some() {
        return;
    }
    let file = context.engine.config_dir().map(|dir| dir.join("config.json"));
    let text = file.and_then(|file| context.host.read(&file)).unwrap_or_default();
    let given = named("DOCKER_AUTH_CONFIG");
    if given.is_none() && !host::contains(&text, b"credsStore") && !host::contains(&text, b"credHelpers") {
        return;
    }
    let Some(directory) = host::runtime_dir() else { return };
    let mut config: Map<String, Json> = serde_json::from_slice(&text).unwrap_or_default();
    let store = config.remove("credsStore").unwrap_or_default();
    let mut changed = false;
    if let Some(helpers) = config.get_mut("credHelpers").and_then(Json::as_object_mut) {
        let given = helpers.len();
        helpers.retain(|_, helper| helper.as_str().is_some_and(|helper| has_helper(context, helper)));
        changed = helpers.len() < given;
        if changed {
            // Podman would look there next, and fail.
            draft.set_env("DOCKER_CONFIG", &directory);
        }
    }
    if let Some(store) = store.as_str().filter(|store| !store.is_empty() && has_helper(context, store)) {
        if let Some(helpers) = config.entry("credHelpers").or_insert_with(|| Map::new().into()).as_object_mut() {
            registries.iter().for_each(|registry| {
                helpers.entry(*registry).or_insert_with(|| store.into());
            });
            changed = true;
        }
    }
    let given = given.and_then(|given| serde_json::from_slice::<Json>(given.as_encoded_bytes()).ok());
    if let Some(auths) = given.as_ref().and_then(|given| given.get("auths")).and_then(Json::as_object) {
        if let Some(all) = config.entry("auths").or_insert_with(|| Map::new().into()).as_object_mut() {
            all.extend(auths.clone());
            changed = true;
        }
    }
    if !changed {
        return;
    }
    let keys = ["auths", "credHelpers"].map(|key| (key.to_string(), config.remove(key).unwrap_or_else(|| Map::new().into())));
    let Ok(content) = serde_json::to_vec(&Json::from_iter(keys)) else { return };
    let mut hasher = DefaultHasher::new();
    hasher.write(&content);
    let path = directory.join(format!("auth-{:016x}.json", hasher.finish()));
    draft.set_env("REGISTRY_AUTH_FILE", &path);
    draft.prepare(Step::WriteOwn { path, content });
}

/// Whether a helper is installed. Docker goes on without one that is not.
fn has_helper(context: &Context, name: &str) -> bool {
    let path = context.host.env("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| context.host.exists(&dir.join(format!("docker-credential-{name}"))))
}
