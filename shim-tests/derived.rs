//! What is derived from the catalogue: nothing of it is stale, and every command has its help.

use std::process::Command;

use docker_shim::settings::Settings;
use docker_shim::{admin, catalogue, help};

#[test]
fn the_compatibility_table_is_fresh() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/COMPATIBILITY.md");
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let table = admin::compatibility::table();
    assert!(kept == table, "COMPATIBILITY.md is stale: docker-shim generate compatibility >COMPATIBILITY.md");
}

#[test]
fn every_command_has_help_in_dockers_layout() {
    let mut shown = 0;
    for command in catalogue::commands().chain([catalogue::root()]) {
        let text = help::text(command, 80);
        assert!(text.starts_with(&format!("Usage:  {}", command.command_path())), "{text}");
        assert!(!command.about.is_empty() && text.contains(command.about), "{}", command.path);
        let too_wide = |line: &&str| line.chars().count() > 110 && !line.starts_with("Usage:") && !line.starts_with("  docker");
        assert_eq!(text.lines().find(too_wide), None, "{}", command.path);
        for flag in command.all_flags() {
            assert!(!flag.help.is_empty(), "{} --{}", command.path, flag.long);
        }
        shown += 1;
    }
    println!("derived: help of {shown} commands");
}

#[test]
fn completions_are_scripts() {
    for (shell, check) in [("bash", Some("bash")), ("zsh", None), ("fish", None)] {
        let output = Command::new(env!("CARGO_BIN_EXE_docker-shim")).args(["generate", "completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("docker") && script.contains("prune"), "{shell}");
        if let Some(check) = check {
            let file = std::env::temp_dir().join(format!("docker-shim-completions-{}", std::process::id()));
            std::fs::write(&file, &script).unwrap();
            assert!(Command::new(check).arg("-n").arg(&file).status().unwrap().success());
            std::fs::remove_file(&file).unwrap();
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_docker-shim")).args(["generate", "completions", "csh"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn every_shown_command_has_a_man_page() {
    let dir = std::env::temp_dir().join(format!("docker-shim-man-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let pages = admin::generate::man_pages(&dir).unwrap();
    let run = std::fs::read_to_string(dir.join("docker-run.1")).unwrap();
    assert!(run.starts_with(".ie") || run.contains(".TH"), "{run}");
    assert!(run.contains("\\-\\-publish") && run.contains("docker run"), "{run}");
    let shown = catalogue::commands().filter(|c| !c.hidden && !c.path.split(' ').any(|w| w == "alpha")).count();
    assert!(pages >= shown, "{pages} pages for {shown} commands");
    std::fs::remove_dir_all(&dir).unwrap();
    println!("derived: {pages} man pages");
}

#[test]
fn the_shipped_settings_are_the_defaults_and_name_them_all() {
    let shipped = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/docker-shim.toml"));
    assert_eq!(Settings::load(shipped, None).unwrap(), Settings::default());
    let uncommented = std::fs::read_to_string(shipped).unwrap().replace("\n#p", "\np");
    let file = std::env::temp_dir().join(format!("docker-shim-settings-{}.toml", std::process::id()));
    std::fs::write(&file, uncommented).unwrap();
    let settings = Settings::load(&file, None).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(settings.podman.as_deref(), Some(std::path::Path::new("/usr/bin/podman")));
}
