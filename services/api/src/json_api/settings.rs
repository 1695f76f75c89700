//! The settings of the site.

use axum::extract::State;
use microblog_domain::SiteSettings;
use microblog_store::settings::{self, StoredSettings};

use crate::auth::Caller;
use crate::change::{Answer, Begun, Intent};
use crate::error::ApiError;
use crate::input::{Fields, FromFields, IfMatch, Json};
use crate::state::App;

/// Settings as clients send them: all of them, as what is left out goes back to its default.
pub(crate) struct SettingsInput(pub(crate) SiteSettings);

impl FromFields for SettingsInput {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let default = SiteSettings::default();
        let site = SiteSettings {
            title: fields.optional("title").unwrap_or(default.title),
            description: fields.optional("description").unwrap_or(default.description),
            base_url: fields.optional("base_url").unwrap_or(default.base_url),
            language: fields.optional("language").unwrap_or(default.language),
            timezone: fields.optional("timezone").unwrap_or(default.timezone),
            author: fields.optional("author").unwrap_or(default.author),
            permalink: fields.optional("permalink").unwrap_or(default.permalink),
            posts_per_page: fields.optional("posts_per_page").unwrap_or(default.posts_per_page),
            feed_items: fields.optional("feed_items").unwrap_or(default.feed_items),
            menu: fields.optional("menu").unwrap_or(default.menu),
            highlight: fields.optional("highlight").unwrap_or(default.highlight),
        };
        for problem in site.problems() {
            fields.reject(problem.field, problem.message);
        }
        Some(Self(site))
    }
}

/// `GET /settings`
pub(crate) async fn show_settings(State(app): State<App>) -> Result<Answer, ApiError> {
    answer(&app.site(&mut *app.store.read().await?).await?)
}

/// `PUT /settings`
pub(crate) async fn save_settings(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    if_match: IfMatch,
    Json { body, hash }: Json<SettingsInput>,
) -> Result<Answer, ApiError> {
    let expected = if_match.required()?;
    let mut change = match intent.begin(&app, &caller, &hash).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return Ok(answer),
    };
    let expected = match expected {
        Some(version) => version,
        None => app.site(&mut change.tx).await?.version,
    };
    let (saved, _) = settings::save(&mut change.tx, expected, &body.0, &change.origin).await?;
    let answer = answer(&saved)?;
    change.finish(answer).await
}

fn answer(stored: &StoredSettings) -> Result<Answer, ApiError> {
    Ok(Answer::ok(&stored.settings)?.at_version(stored.version))
}
