//! Every address of the service: method, guard, what it takes, and who answers. Read it from top to bottom and you know
//! the product.
//!
//! The table is the only place where routes are registered, and what it says is what is enforced: the gate before each
//! route is built from its row. The OpenAPI document is made from the same rows, but for those of the dashboard.

use microblog_config::ByteSize;
use microblog_domain::Role::{Author, Editor, Owner};
use microblog_domain::Scope::{Admin, Read, Write};

use crate::auth::guard::Guard;
use crate::dashboard::{self, account, editor, log_in, revisions, set_up};
use crate::json_api::{
    alerts, audit, builds, errors, media, posts, preview, releases, session, settings, setup, tokens, users,
};
use crate::table::{Route, delete, get, patch, post, put};
use crate::{health, openapi, service};

/// Whoever is logged in may look.
const LOOK: Guard = Guard::Needs(Author, Read);
/// Whoever is logged in may write; whose posts they may change is decided post by post.
const WRITE: Guard = Guard::Needs(Author, Write);
/// What is one's own to administer.
const OWN: Guard = Guard::Needs(Author, Admin);
/// What changes the site as a whole.
const EDIT: Guard = Guard::Needs(Editor, Admin);
/// What changes who may do what, and what the site is.
const RULE: Guard = Guard::Needs(Owner, Admin);
/// What only those see who look after the service.
const WATCH: Guard = Guard::Needs(Owner, Read);
/// Everybody.
const ALL: Guard = Guard::Public;

/// Lists for people and programs come in pages.
const PAGE: &[&str] = &["limit", "cursor"];
/// Lists of what is open or over.
const STATE_FILTERS: &[&str] = &["state", "limit", "cursor"];
const POST_FILTERS: &[&str] = &["status", "tag", "owner", "q", "order", "limit", "cursor"];

/// All routes.
pub(crate) fn table() -> Vec<Route> {
    let mut table = api();
    table.extend(dashboard_routes());
    table
}

/// The routes for programs, which are described to them.
pub(crate) fn api() -> Vec<Route> {
    let mut table = service_routes();
    table.extend(account_routes());
    table.extend(post_routes());
    table.extend(site_routes());
    table.extend(watching_routes());
    table
}

/// The service itself.
fn service_routes() -> Vec<Route> {
    vec![
        get("/", ALL, service::show_service).free().says("Name, version and links"),
        get("/health", ALL, health::show_summary).free().says("Health of everything").gives("Health"),
        get("/health/live", ALL, health::show_live).free().says("Whether the process lives").gives("Health"),
        get("/health/ready", ALL, health::show_ready).free().says("Whether it can work").gives("Health"),
        get("/health/startup", ALL, health::show_startup).free().says("Whether it has started").gives("Health"),
        get("/metrics", ALL, service::show_metrics).free().says("Metrics for Prometheus"),
        get("/api/openapi.json", ALL, openapi::show_document).says("This document"),
        get("/api/docs", ALL, openapi::show_docs).says("This document, to be read"),
        get("/api/docs.css", ALL, openapi::show_docs_style).says("The style of the docs"),
        get("/media/{hash}/{name}", ALL, media::show_media).free().says("An uploaded file"),
        get("/assets/{*file}", ALL, preview::show_asset).free().says("A file of the theme, for previews"),
    ]
}

/// Who one is.
fn account_routes() -> Vec<Route> {
    vec![
        post("/api/v1/setup", ALL, setup::set_up).log_in().takes("Setup").made("Session").says("Make the owner, once"),
        post("/api/v1/session", ALL, session::log_in).log_in().takes("LogIn").gives("Session").says("Log in"),
        get("/api/v1/session", LOOK, session::show_session).gives("Session").says("Who is logged in"),
        delete("/api/v1/session", LOOK, session::log_out).says("Log out"),
        put("/api/v1/session/password", OWN, session::change_own_password)
            .log_in()
            .takes("PasswordChange")
            .says("Change one's own password; ends all log-ins"),
        get("/api/v1/tokens", OWN, tokens::list_tokens).gives_page("Token").says("List API tokens"),
        post("/api/v1/tokens", OWN, tokens::create_token).takes("NewToken").made("Token").says("Make an API token"),
        delete("/api/v1/tokens/{id}", OWN, tokens::revoke_token).says("Revoke an API token"),
        get("/api/v1/users", RULE, users::list_users).gives_page("User").says("List users"),
        post("/api/v1/users", RULE, users::create_user).takes("NewUser").made("User").says("Add a user"),
        patch("/api/v1/users/{id}", RULE, users::change_user)
            .takes("UserChange")
            .gives("User")
            .says("Change role or password, lock out or let in"),
        delete("/api/v1/users/{id}", RULE, users::disable_user).says("Lock a user out"),
    ]
}

/// What is written.
fn post_routes() -> Vec<Route> {
    vec![
        get("/api/v1/posts", LOOK, posts::list_posts).with(POST_FILTERS).gives_page("Post").says("List posts"),
        post("/api/v1/posts", WRITE, posts::create_post).takes("PostInput").made("Post").says("Create a post"),
        get("/api/v1/posts/{id}", LOOK, posts::show_post).gives("Post").says("Read a post"),
        put("/api/v1/posts/{id}", WRITE, posts::change_post).takes("PostInput").gives("Post").says("Change a post"),
        delete("/api/v1/posts/{id}", WRITE, posts::trash_post).says("Put a post into the trash"),
        post("/api/v1/posts/{id}/publish", WRITE, posts::publish_post).gives("Post").says("Publish a post"),
        post("/api/v1/posts/{id}/unpublish", WRITE, posts::unpublish_post).gives("Post").says("Make it a draft again"),
        post("/api/v1/posts/{id}/restore", WRITE, posts::restore_post).gives("Post").says("Take it out of the trash"),
        get("/api/v1/posts/{id}/revisions", LOOK, posts::list_revisions)
            .with(PAGE)
            .gives_page("Revision")
            .says("List the saved texts of a post"),
        post("/api/v1/posts/{id}/revisions/{number}/restore", WRITE, posts::restore_revision)
            .gives("Post")
            .says("Make an earlier text the current one"),
        post("/api/v1/preview", WRITE, preview::preview)
            .takes("PostInput")
            .gives("Preview")
            .says("The page as the site would show it"),
        get("/api/v1/media", LOOK, media::list_media).with(PAGE).gives_page("Media").says("List uploads"),
        post("/api/v1/media", WRITE, media::upload).takes_upload().made("Media").says("Upload a file"),
        delete("/api/v1/media/{id}", WRITE, media::delete_media).says("Delete an upload"),
    ]
}

/// What readers see.
fn site_routes() -> Vec<Route> {
    vec![
        get("/api/v1/builds", LOOK, builds::list_builds).with(PAGE).gives_page("Build").says("List builds"),
        post("/api/v1/builds", EDIT, builds::start_build)
            .build()
            .takes("BuildWish")
            .accepted("Build")
            .says("Build the site, or join the build that waits"),
        get("/api/v1/builds/{id}", LOOK, builds::show_build).gives("Build").says("Look at a build"),
        post("/api/v1/builds/{id}/cancel", EDIT, builds::cancel_build).gives("Build").says("Call a build off"),
        get("/api/v1/builds/{id}/events", LOOK, builds::watch_build).says("Watch a build: server-sent events"),
        get("/api/v1/releases", LOOK, releases::list_releases).with(PAGE).gives_page("Release").says("List releases"),
        post("/api/v1/releases/{id}/activate", EDIT, releases::activate_release)
            .accepted("Pin")
            .says("Show an earlier release again, and stay there"),
        delete("/api/v1/releases/pin", EDIT, releases::unpin)
            .accepted("Pin")
            .says("Let the site follow its builds again"),
        get("/api/v1/settings", LOOK, settings::show_settings).gives("Settings").says("Read the settings of the site"),
        put("/api/v1/settings", RULE, settings::save_settings)
            .takes("Settings")
            .gives("Settings")
            .says("Change the settings of the site"),
    ]
}

/// How the service is doing.
fn watching_routes() -> Vec<Route> {
    vec![
        get("/api/v1/audit", WATCH, audit::list_audit)
            .with(PAGE)
            .gives_page("AuditEntry")
            .says("Read who changed what, when and from where"),
        get("/api/v1/errors", WATCH, errors::list_errors)
            .with(STATE_FILTERS)
            .gives_page("ErrorGroup")
            .says("List what went wrong, each once by what it is and where it happens"),
        post("/api/v1/errors/{id}/acknowledge", RULE, errors::acknowledge_error)
            .gives("ErrorGroup")
            .says("Take note of an error; its next occurrence opens it again"),
        get("/api/v1/alerts", WATCH, alerts::list_alerts)
            .with(STATE_FILTERS)
            .gives_page("Alert")
            .says("List alerts that fire or fired"),
        post("/api/v1/alerts/webhook", Guard::Alertmanager, alerts::hear_alerts)
            .at_most(ByteSize::mebibytes(1))
            .takes("AlertNotification")
            .says("For Alertmanager: tell of alerts"),
    ]
}

/// What people see: pages, and the forms on them.
fn dashboard_routes() -> Vec<Route> {
    let mut routes = vec![
        get("/dashboard", ALL, dashboard::show_dashboard),
        get("/dashboard/assets/{file}", ALL, dashboard::show_asset).free(),
        get("/dashboard/setup", ALL, set_up::show_set_up),
        post("/dashboard/setup", ALL, set_up::set_up_from_form).log_in(),
        get("/dashboard/login", ALL, log_in::show_log_in),
        post("/dashboard/login", ALL, log_in::log_in_from_form).log_in(),
        post("/dashboard/logout", LOOK, account::log_out_from_form),
        get("/dashboard/account", OWN, account::show_account),
        post("/dashboard/account/password", OWN, account::change_password_from_form).log_in(),
        post("/dashboard/account/tokens", OWN, account::create_token_from_form),
        post("/dashboard/account/tokens/{id}/revoke", OWN, account::revoke_token_from_form),
        get("/dashboard/users", RULE, dashboard::users::show_users),
        post("/dashboard/users", RULE, dashboard::users::add_user_from_form),
        post("/dashboard/users/{id}", RULE, dashboard::users::change_user_from_form),
        get("/dashboard/settings", RULE, dashboard::settings::show_settings_page),
        post("/dashboard/settings", RULE, dashboard::settings::save_settings_from_form),
    ];
    routes.extend(writing_routes());
    routes.extend(publishing_routes());
    routes.extend(watching_pages());
    routes
}

fn writing_routes() -> Vec<Route> {
    vec![
        get("/dashboard/posts", LOOK, dashboard::posts::show_posts),
        get("/dashboard/posts/new", WRITE, editor::show_new_post),
        post("/dashboard/posts", WRITE, editor::create_from_form),
        get("/dashboard/posts/{id}", LOOK, editor::show_editor),
        post("/dashboard/posts/{id}", WRITE, editor::save_from_form),
        post("/dashboard/posts/{id}/trash", WRITE, editor::trash_from_form),
        post("/dashboard/posts/{id}/restore", WRITE, editor::restore_from_form),
        get("/dashboard/posts/{id}/revisions", LOOK, revisions::show_revisions),
        post("/dashboard/posts/{id}/revisions/{number}/restore", WRITE, revisions::restore_revision_from_form),
        post("/dashboard/preview", WRITE, dashboard::preview::preview_form),
        get("/dashboard/media", LOOK, dashboard::media::show_media_page),
        post("/dashboard/media/{id}/delete", WRITE, dashboard::media::delete_media_from_form),
    ]
}

fn publishing_routes() -> Vec<Route> {
    vec![
        get("/dashboard/builds", LOOK, dashboard::builds::show_builds),
        post("/dashboard/builds", EDIT, dashboard::builds::start_from_form).build(),
        get("/dashboard/builds/{id}", LOOK, dashboard::builds::show_build_page),
        get("/dashboard/builds/{id}/events", LOOK, dashboard::builds::watch_panel),
        post("/dashboard/builds/{id}/cancel", EDIT, dashboard::builds::cancel_from_form),
        get("/dashboard/releases", LOOK, dashboard::releases::show_releases),
        post("/dashboard/releases/{id}/activate", EDIT, dashboard::releases::activate_from_form),
        post("/dashboard/releases/unpin", EDIT, dashboard::releases::unpin_from_form),
    ]
}

fn watching_pages() -> Vec<Route> {
    vec![
        get("/dashboard/alerts", WATCH, dashboard::alerts::show_alerts),
        get("/dashboard/errors", WATCH, dashboard::error_groups::show_errors),
        post("/dashboard/errors/{id}/acknowledge", RULE, dashboard::error_groups::acknowledge_from_form),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To be read by whoever changes who may do what.
    #[test]
    fn the_table_lists_every_route_with_its_guard() {
        let line = |route: &Route| format!("{:7}{:55}{}", route.method.as_str(), route.path, route.guard);
        let lines: Vec<_> = table().iter().map(line).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn whatever_changes_something_is_guarded_but_for_log_in_and_set_up() {
        let is_open = |route: &&Route| route.guard == Guard::Public && route.method != axum::http::Method::GET;
        let open: Vec<_> = table().iter().filter(is_open).map(|route| route.path).collect();
        assert_eq!(open, ["/api/v1/setup", "/api/v1/session", "/dashboard/setup", "/dashboard/login"]);
    }
}
