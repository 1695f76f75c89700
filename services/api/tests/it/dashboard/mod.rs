//! The dashboard as a browser without scripts meets it; and, where it says so, as its scripts ask for parts of pages.

mod log_in;
mod people;
mod publishing;
mod watching;
mod writing;

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use microblog_api::offer_setup;
use microblog_domain::Role;
use microblog_store::users;
use serde_json::json;

use crate::harness::{Answer, Client, TestApp};

const PASSWORD: &str = "correct horse";
/// A text as nobody wishes to get one.
const HOSTILE: &str = "<b>hostile</b> \"&' {{ 7 * 7 }} </textarea></title><script>alert(1)</script>";

/// A browser: it keeps cookies, and sends the hidden fields of the page that it shows.
pub(super) struct Browser<'a> {
    app: &'a TestApp,
    cookies: Mutex<BTreeMap<String, String>>,
    token: Mutex<String>,
}

impl<'a> Browser<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: Mutex::default(), token: Mutex::default() }
    }

    /// The browser of the owner, who has just set the site up.
    async fn of_owner(app: &'a TestApp) -> Self {
        let browser = Self::new(app);
        let secret = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
        browser.open(&format!("/dashboard/setup?token={}", secret.reveal())).await;
        let fields =
            [("token", secret.reveal()), ("name", "olga"), ("password", PASSWORD), ("password_again", PASSWORD)];
        browser.send("/dashboard/setup", &fields).await.redirect("/dashboard/posts");
        browser.open("/dashboard/posts/new").await;
        browser
    }

    /// The browser of somebody else, who has just logged in. The site must be set up.
    async fn of(app: &'a TestApp, name: &str, role: Role) -> Self {
        let user = app.database.user(name, role).await;
        let hash = app.state.passwords.hash(PASSWORD.to_owned()).await.unwrap();
        let mut tx = app.database.store().begin().await.unwrap();
        users::set_password(&mut tx, user.id, &hash).await.unwrap();
        tx.commit().await.unwrap();
        let browser = Self::new(app);
        browser.open("/dashboard/login").await;
        browser.send("/dashboard/login", &[("name", name), ("password", PASSWORD)]).await.redirect("/dashboard/posts");
        browser.open("/dashboard/account").await;
        browser
    }

    fn client(&self) -> Client<'a> {
        let cookies = self.cookies.lock().unwrap();
        let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.app.anonymous().with("cookie", &cookies.join("; "))
    }

    fn forget_cookie(&self, name: &str) {
        self.cookies.lock().unwrap().remove(name);
    }

    /// Takes from an answer what browsers take.
    fn keep(&self, answer: Answer) -> Answer {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{attributes}");
            let mut cookies = self.cookies.lock().unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = answer.text();
        if let Some(rest) = text.split("name=\"csrf_token\" value=\"").nth(1) {
            rest.split('"').next().unwrap().clone_into(&mut self.token.lock().unwrap());
        }
        answer
    }

    /// Opens a page. Every page is held to what all have in common.
    async fn open(&self, path: &str) -> Answer {
        let answer = self.keep(self.client().get(path).await);
        if answer.status != StatusCode::SEE_OTHER {
            answer.hold_to_policy();
        }
        answer
    }

    /// Opens a page that must be there.
    async fn page(&self, path: &str) -> String {
        let answer = self.open(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.html()
    }

    /// Sends a form of the page that was opened last.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_as(&self.client(), path, fields).await
    }

    /// The same, as htmx does it.
    async fn send_by_script(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let client = self.client().with("hx-request", "true").with("hx-request-type", "partial");
        self.send_as(&client, path, fields).await
    }

    async fn send_as(&self, client: &Client<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token.lock().unwrap().clone();
        let fields: Vec<_> = fields.iter().copied().chain([("csrf_token", token.as_str())]).collect();
        let body = Body::from(serde_urlencoded::to_string(fields).unwrap());
        let client = client.with("content-type", "application/x-www-form-urlencoded");
        self.keep(client.ask(Method::POST, path, body).await)
    }

    /// Saves a new post, and gives where it is edited.
    async fn write(&self, fields: &[(&str, &str)]) -> String {
        let answer = self.send("/dashboard/posts", fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        answer.header("location").split('?').next().unwrap().to_owned()
    }
}

impl Answer {
    /// The text, with slashes as people write them: the templates escape more than they must.
    fn html(&self) -> String {
        self.text().replace("&#x2f;", "/")
    }

    /// Where the browser is sent.
    #[track_caller]
    fn redirect(&self, to: &str) {
        assert_eq!((self.status, &*self.header("location")), (StatusCode::SEE_OTHER, to), "{}", self.text());
    }

    /// A page with this status that says this.
    #[track_caller]
    fn says(&self, status: StatusCode, words: &str) -> String {
        let text = self.html();
        assert_eq!(self.status, status, "{text}");
        assert!(text.contains(words), "{words:?} is not in {text}");
        self.hold_to_policy();
        text
    }

    /// Nothing that stands in a page runs, nobody frames it, and no cache keeps it.
    #[track_caller]
    fn hold_to_policy(&self) {
        let policy = self.header("content-security-policy");
        let scripts = policy.split(';').any(|rule| rule.trim().starts_with("script-src"));
        assert!(policy.starts_with("default-src 'self'") && !scripts && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        let text = self.text();
        for inline in ["<script>", "<style", " style=\"", " onclick=", "alert(1)</script>"] {
            assert!(!text.contains(inline), "{inline} in {text}");
        }
    }
}

#[tokio::test]
async fn files_are_kept_for_ever_under_names_that_hold_their_hash() {
    let app = TestApp::new().await;
    let page = Browser::new(&app).page("/dashboard/login").await;
    let style = page.split('"').find(|part| part.starts_with("/dashboard/assets/dashboard.")).unwrap();
    let answer = app.anonymous().get(style).await;
    assert_eq!((answer.status, &*answer.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(answer.header("cache-control").contains("immutable"));
    let missing = app.anonymous().get("/dashboard/assets/dashboard.css").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn errors_are_pages_that_say_what_happened_and_hold_the_request_id() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let missing = browser.open("/dashboard/posts/0190c1d2-7a3b-7c4d-8e5f-0123456789ab").await;
    let text = missing.says(StatusCode::NOT_FOUND, "There is no such post.");
    assert!(text.contains(&missing.header("x-request-id")));
    browser.open("/dashboard/nowhere").await.says(StatusCode::NOT_FOUND, "There is nothing at this address.");
    browser.open("/dashboard/builds?cursor=x").await.says(StatusCode::UNPROCESSABLE_ENTITY, "cursor");
    let program = app.anonymous().get("/api/v1/nowhere").await;
    program.problem("not_found");
}

#[tokio::test]
async fn authors_meet_no_page_that_is_not_for_them() {
    let app = TestApp::new().await;
    Browser::of_owner(&app).await;
    let author = Browser::of(&app, "anna", Role::Author).await;
    for path in ["/dashboard/settings", "/dashboard/users"] {
        author.open(path).await.says(StatusCode::FORBIDDEN, "This needs the role owner; yours is author.");
    }
    let posts = author.page("/dashboard/posts").await;
    assert!(!posts.contains("/dashboard/settings") && !posts.contains("/dashboard/users"));
    assert!(!author.page("/dashboard/builds").await.contains("Build every page anew"));
    author.send("/dashboard/builds", &[]).await.says(StatusCode::FORBIDDEN, "editor");
}

#[tokio::test]
async fn without_a_log_in_every_page_and_every_form_is_closed() {
    let app = TestApp::new().await;
    let browser = Browser::new(&app);
    let asked = browser.open("/dashboard/posts?q=a%20b&status=draft").await;
    asked.redirect("/dashboard/login?next=%2Fdashboard%2Fposts%3Fq%3Da%2520b%26status%3Ddraft");
    let form = browser.send("/dashboard/posts", &[("title", "x")]).await;
    form.says(StatusCode::UNAUTHORIZED, "Your log-in has ended. Nothing was saved.");
    let part = browser.send_by_script("/dashboard/posts", &[("title", "x")]).await;
    assert_eq!((part.status, &*part.header("hx-retarget")), (StatusCode::UNAUTHORIZED, "#notices"));
    assert!(!part.text().contains("<html"));
    let token = app.owner().await;
    assert_eq!(token.get("/api/v1/posts").await.ok()["items"], json!([]));
}
