//! The dashboard of the running program, in a real browser and before the judges of pages.

use std::path::PathBuf;

use crate::installation::Installation;
use crate::program::empty_folder;
use crate::web::{Walked, axe, html_checker, walk};

#[test]
fn an_owner_sets_up_writes_publishes_and_rolls_back_in_a_browser_and_every_page_is_sound() {
    let installation = Installation::untouched();
    let running = installation.start();
    running.wait_for("/", |status, _| status == 200);
    let walked = walk(&running.dashboard, &running.site);
    assert_eq!(axe(&walked.pages, &walked.cookies), [""; 0]);
    let files = saved(&walked);
    assert_eq!(html_checker(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>()), [""; 0]);
}

/// The pages as files, each with a name that tells which one it is.
fn saved(walked: &Walked) -> Vec<PathBuf> {
    let folder = empty_folder("dashboard");
    let cookie = &walked.cookies[0];
    let save = |url: &String| {
        let path = url.split("/dashboard/").nth(1).unwrap();
        let file = folder.join(format!("{}.html", path.replace('/', "-")));
        let cookies = format!("{}={}", cookie.name, cookie.value);
        let mut answer = ureq::get(url).header("cookie", cookies).call().unwrap();
        std::fs::write(&file, answer.body_mut().read_to_string().unwrap()).unwrap();
        file
    };
    walked.pages.iter().map(save).collect()
}
