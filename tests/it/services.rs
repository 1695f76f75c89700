//! The services as processes of their own: they work together, wait for what they depend on, and may be ended any time.

use std::fs;

use serde_json::{Value, json};

use crate::installation::{Installation, PASSWORD, path_of};
use crate::servers::Servers;
use crate::service::{Service, api, builder, wait_until};

/// What readers see at the address of a post, once they see this text.
fn wait_for_text(installation: &Installation, post: &Value, text: &str) {
    let file = installation.path().join(format!("build/current{}index.html", path_of(post)));
    wait_until(text, || fs::read_to_string(&file).is_ok_and(|page| page.contains(text)));
}

fn edit(service: &Service, installation: &Installation, post: &Value, text: &str) {
    let body = json!({"title": post["title"], "markdown": text});
    service.client(installation).ok("PUT", &format!("/api/v1/posts/{}", post["id"].as_str().unwrap()), Some(&body));
}

#[test]
fn what_one_service_is_told_the_other_makes_live_and_either_may_be_killed() {
    publish_and_kill(&Installation::new());
}

#[test]
fn the_same_holds_when_they_share_a_database_server() {
    let servers = Servers::database();
    publish_and_kill(&servers.installation());
}

#[test]
fn a_client_that_asks_several_services_has_one_allowance() {
    let servers = Servers::database();
    let installation = servers.installation();
    let services = [(); 3].map(|()| Service::ready(api(&installation), &installation));
    let attempt = |service: &Service| {
        let wrong = json!({"name": "owner", "password": "a wrong password"});
        service.client(&installation).send("POST", "/api/v1/session", None, Some(&wrong)).unwrap().0
    };
    let answers: Vec<u16> = (0..9).map(|number| attempt(&services[number % 3])).collect();
    assert_eq!(answers.iter().filter(|status| **status == 401).count(), 5, "{answers:?}");
    assert!(answers.ends_with(&[429]), "{answers:?}");
}

/// Publishes through one service, kills both in turn, and sees every edit live.
fn publish_and_kill(installation: &Installation) {
    let [first_api, first_builder] =
        [Service::ready(api(installation), installation), Service::ready(builder(installation), installation)];
    let post = first_api.client(installation).publish("Hello", "The first text.");
    wait_for_text(installation, &post, "The first text.");

    first_builder.kill();
    edit(&first_api, installation, &post, "Nobody builds this yet.");
    first_api.kill();
    let second_builder = Service::ready(builder(installation), installation);
    wait_for_text(installation, &post, "Nobody builds this yet.");

    let second_api = Service::ready(api(installation), installation);
    edit(&second_api, installation, &post, "After both were killed.");
    wait_for_text(installation, &post, "After both were killed.");
    for metric in ["publish_to_live_seconds_count", "build_info{", "dependency_up{dependency=\"database\"} 1"] {
        second_builder.wait_for("/metrics", |_, text| text.contains(&format!("microblog_{metric}")));
    }
    for service in [second_api, second_builder] {
        service.terminate();
        assert!(service.end().success());
    }
}

#[test]
fn a_service_waits_for_what_it_depends_on_and_says_so() {
    let installation = Installation::untouched();
    let database = installation.path().join("data/microblog.db");
    fs::create_dir_all(database.parent().unwrap()).unwrap();
    fs::write(&database, "this is a shopping list\n".repeat(100)).unwrap();
    let programs = [api as fn(&Installation) -> std::process::Command, builder];
    let services = programs.map(|program| (program, Service::listening(program(&installation), &installation)));
    let healthcheck = |program: fn(&Installation) -> std::process::Command, service: &Service| {
        let output = program(&installation).args(["healthcheck", &service.url]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    for (program, service) in &services {
        let report =
            service.wait_for("/health/ready", |status, text| status == 503 && text.contains("can not be used"));
        assert!(!report.contains(installation.path().to_str().unwrap()), "{report}");
        assert_eq!(service.ask("/health/live").unwrap().0, 200);
        assert_eq!(service.ask("/health/startup").unwrap().0, 503);
        let (status, said) = healthcheck(*program, service);
        assert!(status == Some(1) && said.contains("database: it can not be used"), "{said}");
    }
    let (status, problem) = services[0].1.ask("/api/v1/posts").unwrap();
    assert!(status == 503 && problem.contains("The service is starting (database: it can not be used"), "{problem}");

    fs::remove_file(&database).unwrap();
    for (program, service) in &services {
        service.wait_for("/health/ready", |status, _| status == 200);
        assert_eq!(healthcheck(*program, service), (Some(0), "healthy\n".to_owned()));
    }
    let log = fs::read_to_string(installation.log()).unwrap();
    let complaints = log.matches("the database can not be used yet").count();
    assert_eq!(complaints, 2, "each says so once: {log}");
}

#[test]
fn a_service_that_is_told_to_stop_first_sends_others_away_and_told_twice_ends_at_once() {
    let installation = Installation::new();
    let mut slow = api(&installation);
    slow.args(["--set", "server.drain=10m"]);
    let service = Service::ready(slow, &installation);
    service.terminate();
    service.wait_for("/health/ready", |status, text| status == 503 && text.contains("it is stopping"));
    assert_eq!(service.ask("/").unwrap().0, 200);
    service.terminate();
    assert_eq!(service.end().code(), Some(1));
}

#[test]
fn a_site_is_set_up_and_used_through_any_of_several_services() {
    set_up_through_any(&Installation::untouched());
}

#[test]
fn a_site_on_a_database_server_is_set_up_through_any_of_several_services() {
    let servers = Servers::database();
    set_up_through_any(&servers.untouched());
}

fn set_up_through_any(installation: &Installation) {
    let services = [(); 3].map(|()| Service::listening(api(installation), installation));
    for service in &services {
        service.wait_for("/health/ready", |status, _| status == 200);
    }
    let link = || {
        let output = api(installation).arg("setup-link").output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().rsplit_once("token=").unwrap().1.to_owned()
    };
    let (old, new) = (link(), link());
    let set_up = |service: &Service, token: &str| {
        let owner = json!({"token": token, "name": "Olga", "password": PASSWORD});
        service.client(installation).send("POST", "/api/v1/setup", None, Some(&owner)).unwrap().0
    };
    assert_eq!(set_up(&services[0], &old), 409);
    assert_eq!(set_up(&services[1], &new), 201);
    assert_eq!(set_up(&services[2], &new), 409);
    let log = fs::read_to_string(installation.log()).unwrap();
    assert!(!log.contains(&old) && !log.contains(&new), "{log}");
    assert!(!api(installation).arg("setup-link").status().unwrap().success());
}

#[test]
fn a_script_can_name_the_secret_that_sets_a_site_up() {
    let installation = Installation::untouched();
    let token = "0123456789abcdef0123456789abcdef";
    let with_token = || {
        let mut command = api(&installation);
        command.env("MICROBLOG__AUTH__SETUP_TOKEN", token);
        command
    };
    let services = [(); 2].map(|()| Service::ready(with_token(), &installation));
    let owner = json!({"token": token, "name": "Olga", "password": PASSWORD});
    let (status, answer) = services[0].client(&installation).send("POST", "/api/v1/setup", None, Some(&owner)).unwrap();
    assert_eq!(status, 201, "{answer}");
    let log = fs::read_to_string(installation.log()).unwrap();
    assert!(!log.contains(token), "{log}");
}

#[test]
fn scheduled_posts_go_live_once_whichever_service_is_the_first_to_notice() {
    schedule_before_several(&Installation::new());
}

#[test]
fn scheduled_posts_on_a_database_server_go_live_once_whichever_service_is_the_first_to_notice() {
    let servers = Servers::database();
    schedule_before_several(&servers.installation());
}

fn schedule_before_several(installation: &Installation) {
    let services = [(); 3].map(|()| Service::ready(api(installation), installation));
    let _builder = Service::ready(builder(installation), installation);
    let client = services[0].client(installation);
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(2);
    let posts: Vec<Value> = (0..20)
        .map(|number| {
            let post = json!({"title": format!("Post {number}"), "markdown": "In time.", "status": "scheduled",
                "published_at": soon.to_string()});
            client.ok("POST", "/api/v1/posts", Some(&post))
        })
        .collect();
    for post in &posts {
        let path = format!("/api/v1/posts/{}", post["id"].as_str().unwrap());
        let mut now = Value::Null;
        wait_until("a scheduled post", || {
            now = client.ok("GET", &path, None);
            now["status"] == "published"
        });
        wait_for_text(installation, &now, "In time.");
        assert_eq!(client.ok("GET", &path, None)["version"], 2);
    }
    let published = |service: &Service| {
        let metrics = service.ask("/metrics").unwrap().1;
        let count = metrics.lines().find_map(|line| line.strip_prefix("microblog_posts_published_total "));
        count.unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(services.iter().map(published).sum::<u64>(), 20);
}
