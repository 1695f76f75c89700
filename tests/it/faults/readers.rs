//! Readers of the site, through nginx. Whatever happens to the services, each page they get is there, whole, of one release,
//! and never of an earlier one than what they have read already.

use std::time::Duration;

use super::course::Course;
use super::texts;
use super::writers::Post;
use crate::nginx::Nginx;

/// A reader needs a moment for a page.
const MOMENT: Duration = Duration::from_millis(30);

/// Somebody who reads, and remembers.
pub(crate) struct Reader<'a> {
    course: &'a Course,
    nginx: &'a Nginx,
    agent: ureq::Agent,
    /// For each client the number that was read last.
    known: Vec<u64>,
    answers: u64,
}

impl<'a> Reader<'a> {
    /// Somebody who has read nothing yet.
    pub(crate) fn new(course: &'a Course, nginx: &'a Nginx) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { course, nginx, agent, known: course.acknowledged().iter().map(|_| 0).collect(), answers: 0 }
    }

    /// Reads all over the site until the run is over; tells how many pages.
    pub(crate) fn read(mut self, posts: &[Post]) -> u64 {
        let _guard = self.course.end_on_panic();
        while !self.course.is_over() {
            let front = self.get("/");
            assert_eq!(front.numbers.len(), posts.len(), "the front page shows {front:?}");
            for post in posts {
                self.read_post(post);
                std::thread::sleep(MOMENT);
            }
        }
        self.answers
    }

    /// Reads a post; tells the number of its text.
    pub(crate) fn read_post(&mut self, post: &Post) -> u64 {
        let page = self.get(&post.path);
        assert_eq!(page.whole, [post.client], "{}: {page:?}", post.path);
        self.known[post.client]
    }

    fn get(&mut self, path: &str) -> texts::Page {
        let mut answer = self.agent.get(self.nginx.url(path)).call().unwrap_or_else(|error| panic!("{path}: {error}"));
        let status = answer.status().as_u16();
        let html = answer.body_mut().read_to_string().unwrap_or_else(|error| panic!("{path} is cut off: {error}"));
        assert_eq!(status, 200, "{path}: {html}");
        let page = texts::read(&html).unwrap_or_else(|problem| panic!("{path}: {problem}\n{html}"));
        for (client, number) in &page.numbers {
            let known = &mut self.known[*client];
            assert!(number >= known, "{path} went back to {number} of client {client} after {known}");
            *known = *number;
            self.course.see(*client, *number);
        }
        self.answers += 1;
        page
    }
}
