//! What the programs log, while they run: where, and how much.

use std::path::Path;

use serde_json::{Value, json};

use crate::installation::{Client, Installation};
use crate::service::{Service, api, builder, wait_until};

/// The lines of a file that are whole, which all must be JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_level_is_read_again_while_the_service_runs_and_files_have_what_is_logged() {
    let installation = Installation::new();
    let settings = installation.path().join("microblog.toml");
    let write =
        |level: &str| std::fs::write(&settings, format!("[log]\ndir = \"logs\"\nlevel = \"{level}\"\n")).unwrap();
    write("info");
    let mut command = api(&installation);
    command.args(["--config".as_ref(), settings.as_os_str()]);
    let service = Service::ready(command, &installation);
    let file = installation.path().join("logs/microblog-api.log");
    let has = |what: &str| lines(&file).iter().any(|line| line["message"].as_str().unwrap_or_default().contains(what));

    // Probes are logged for those who look closely only.
    service.ask("/health/live");
    wait_until("the service says that it is ready", || has("ready"));
    assert!(!has("/health/live answered"));

    write("info,microblog_api=debug");
    service.reload();
    wait_until("the new level is told", || has("the log level was read again"));
    wait_until("probes are logged", || {
        service.ask("/health/live");
        has("/health/live answered")
    });

    write("info,microblog_api=loud");
    service.reload();
    wait_until("the mistake is told", || has("the log level stays as it is"));
}

/// A line of this target that has these values.
fn is_told(lines: &[Value], target: &str, values: &Value) -> bool {
    let has = |line: &Value| values.as_object().unwrap().iter().all(|(name, value)| &line[name] == value);
    lines.iter().any(|line| line["target"] == target && has(line))
}

#[test]
fn who_changed_what_who_was_refused_and_what_took_how_long_are_lines_of_their_own() {
    let installation = Installation::with(vec!["rate_limit.login=2".to_owned()]);
    let service = Service::ready(api(&installation), &installation);
    let client = service.client(&installation);
    let _builder = Service::ready(builder(&installation), &installation);
    let hostile = ["two words".to_owned(), "y".repeat(10_000)];
    let post = json!({"markdown": "hello", "status": "published"});
    let quoted = client.send_with("POST", "/api/v1/posts", &[("x-request-id", "quoted-1")], Some(&post)).unwrap();
    assert_eq!(quoted.0, 201);
    let id = &quoted.1["id"];
    let refused = Client { token: "mb_guessed".to_owned(), ..client.clone() };
    assert_eq!(refused.send("GET", "/api/v1/posts", None, None).unwrap().0, 401);
    let log_in = json!({"name": "owner", "password": "hunter2hunter2"});
    let statuses = [(); 3].map(|()| refused.send("POST", "/api/v1/session", None, Some(&log_in)).unwrap().0);
    assert_eq!(statuses, [401, 401, 429]);

    let told = |target: &str, values: Value| {
        wait_until(&format!("{target}: {values}"), || is_told(&lines(&installation.log()), target, &values));
    };
    let ip = "127.0.0.1";
    told("audit", json!({"action": "post.create", "subject": id, "ip": ip, "request_id": "quoted-1"}));
    told("security", json!({"message": "a bearer token was refused", "ip": ip}));
    told("security", json!({"message": "a log-in was refused", "ip": ip}));
    told("security", json!({"message": "too many requests", "client": format!("network {ip}")}));
    wait_until("the phases of a build are told", || {
        let phases = ["total_ms", "load_ms", "render_ms", "validate_ms", "activate_ms"];
        let has = |line: &Value| line["target"] == "performance" && phases.iter().all(|phase| line[phase].is_f64());
        lines(&installation.log()).iter().any(has)
    });
    for id in hostile {
        let (status, problem) = client.send_with("GET", "/api/v1/posts/x", &[("x-request-id", &id)], None).unwrap();
        assert_eq!(status, 404);
        assert_eq!(problem["request_id"].as_str().unwrap().len(), 32, "an id of our own stands in: {problem}");
    }
}
