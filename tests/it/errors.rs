//! What the running services tell people of what goes wrong.

use serde_json::{Value, json};

use crate::installation::{Client, Installation};
use crate::service::{Service, api, builder, wait_until};

/// An installation whose theme can not be used.
fn broken() -> Installation {
    let installation = Installation::with(vec!["site.theme=theme".to_owned()]);
    let templates = installation.path().join("theme/templates");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("post.html"), "{% if %}").unwrap();
    installation
}

fn errors(client: &Client) -> Vec<Value> {
    client.ok("GET", "/api/v1/errors", None)["items"].as_array().unwrap().clone()
}

/// Uploads a file to where there is no folder any more, and gives the id of the request.
fn fail(installation: &Installation, client: &Client) -> String {
    let media = installation.path().join("data/media");
    if media.is_dir() {
        std::fs::remove_dir_all(&media).unwrap();
    }
    std::fs::write(&media, "no folder").unwrap();
    let form = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x--\r\n";
    let request = ureq::post(format!("{}/api/v1/media", client.api))
        .header("authorization", format!("Bearer {}", client.token))
        .header("content-type", "multipart/form-data; boundary=x");
    let mut answer = request.config().http_status_as_error(false).build().send(form).unwrap();
    let problem: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert!(problem["status"].as_u64() >= Some(500), "{problem}");
    problem["request_id"].as_str().unwrap().to_owned()
}

#[test]
fn what_goes_wrong_in_either_service_is_listed_and_survives_a_stop() {
    let installation = broken();
    let service = Service::ready(api(&installation), &installation);
    let client = service.client(&installation);
    let worker = Service::ready(builder(&installation), &installation);
    fail(&installation, &client);
    wait_until("both errors are listed", || {
        let places: Vec<_> = errors(&client).iter().map(|error| error["place"].clone()).collect();
        places.contains(&json!("build")) && places.contains(&json!("POST /api/v1/media"))
    });
    worker.terminate();
    assert!(worker.end().success());

    // Stored by the stop itself, if not before.
    let last = fail(&installation, &client);
    service.terminate();
    assert!(service.end().success());
    let service = Service::ready(api(&installation), &installation);
    let client = service.client(&installation);
    let found = errors(&client);
    let error = found.iter().find(|error| error["place"] == "POST /api/v1/media").unwrap();
    assert_eq!((&error["count"], &error["request_id"]), (&json!(2), &json!(last)));
}
