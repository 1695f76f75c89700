//! What a confused newcomer or a broken machine gets: a message that says what happened and what to do.

use std::net::TcpListener;
use std::process::Command;

use crate::installation::Installation;
use crate::program::microblog;

/// What the program says when it refuses to start, and its exit status.
fn refusal(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_port_in_use_is_named_with_the_setting_that_changes_it() {
    let installation = Installation::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let setting = format!("site.listen={}", taken.local_addr().unwrap());
    let (status, said) = refusal(installation.command(&["up"]).args(["--set", &setting]));
    assert_eq!(status, Some(1));
    assert!(said.contains(&taken.local_addr().unwrap().to_string()) && said.contains("--set site.listen="), "{said}");
}

#[test]
fn a_second_process_on_the_same_data_is_refused() {
    let installation = Installation::new();
    let _running = installation.start();
    let (status, said) = refusal(&mut installation.command(&["up"]));
    assert_eq!(status, Some(1));
    assert!(said.contains("another Microblog is running on the data folder"), "{said}");
}

#[test]
fn a_database_that_is_none_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let file = folder.path().join("data/microblog.db");
    std::fs::write(&file, "this is a shopping list\n".repeat(100)).unwrap();
    let (status, said) = refusal(microblog().current_dir(&folder).arg("up"));
    assert_eq!(status, Some(1));
    assert!(said.contains("microblog.db is not a SQLite database"), "{said}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("this is a shopping list"));
}

/// `/proc` takes no files, not even from root.
#[test]
fn a_folder_that_can_not_be_written_is_named() {
    let ports = ["--set", "server.listen=127.0.0.1:0", "--set", "site.listen=127.0.0.1:0"];
    for (setting, folder) in [("data.dir", "/proc/microblog-data"), ("build.dir", "/proc/microblog-build")] {
        let here = tempfile::tempdir().unwrap();
        let read_only = format!("{setting}={folder}");
        let (status, said) = refusal(microblog().current_dir(&here).arg("up").args(ports).args(["--set", &read_only]));
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(folder), "{said}");
    }
}

#[test]
fn a_check_of_an_empty_folder_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said) = refusal(microblog().current_dir(&folder).arg("check"));
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("none yet"), "{said}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn every_wrong_setting_is_listed_at_once_and_the_exit_status_is_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.toml"), "[server]\nlisten = \"everywhere\"\ncolour = \"red\"\n").unwrap();
    let mut command = microblog();
    command.current_dir(&folder).args(["up", "--config", "site.toml"]).env("MICROBLOG__RELEASE__KEEP", "0");
    let (status, said) = refusal(&mut command);
    assert_eq!(status, Some(2), "{said}");
    for wrong in ["server.listen", "everywhere", "server.colour", "release.keep"] {
        assert!(said.contains(wrong), "{wrong} is not named:\n{said}");
    }
}

#[test]
fn a_build_folder_that_holds_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("build")).unwrap();
    std::fs::write(folder.path().join("build/thesis.txt"), "the only copy").unwrap();
    let ports = ["--set", "server.listen=127.0.0.1:0", "--set", "site.listen=127.0.0.1:0"];
    let (status, said) = refusal(microblog().current_dir(&folder).arg("up").args(ports));
    assert_eq!(status, Some(1));
    assert!(said.contains("is not a release store") && said.contains("thesis.txt"), "{said}");
    assert!(folder.path().join("build/thesis.txt").exists());
}

#[test]
fn a_theme_with_an_error_is_named_with_file_and_line_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let templates = folder.path().join("theme/templates");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("post.html"), "<p>\n{% if %}\n").unwrap();
    let (status, said) = refusal(microblog().current_dir(&folder).args(["check", "--set", "site.theme=theme"]));
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("post.html:2"), "{said}");
}
