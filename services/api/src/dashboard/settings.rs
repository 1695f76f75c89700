//! The settings of the site.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use microblog_domain::{SiteSettings, Version};
use serde_json::{Map, Value, json};

use super::flash::Flash;
use super::form::FormData;
use super::frame::{Section, Visit};
use super::pages::{SettingsFields, SettingsPage};
use super::problem::Problem;
use crate::change::Intent;
use crate::error::{ApiError, ErrorCode};
use crate::input::Fields;
use crate::json_api::settings::SettingsInput;
use crate::state::App;

/// `GET /dashboard/settings`
pub(crate) async fn show_settings_page(visit: Visit, State(app): State<App>) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let (frame, _) = visit.frame(&mut conn, Section::Settings).await?;
    let stored = app.site(&mut conn).await?;
    let fields = SettingsFields::of(&stored.settings);
    visit.show(&SettingsPage { frame, fields, version: stored.version, problem: None, theirs: BTreeMap::new() })
}

/// `POST /dashboard/settings`
pub(crate) async fn save_settings_from_form(
    visit: Visit,
    intent: Intent,
    form: FormData,
) -> Result<Response, ApiError> {
    let fields = SettingsFields::typed(&form);
    match save(&visit, intent, &fields, &form).await {
        Ok(()) => visit.go("/dashboard/settings", Flash::SettingsSaved),
        Err(error) => refused(&visit, fields, &form, error).await,
    }
}

async fn save(visit: &Visit, intent: Intent, fields: &SettingsFields, form: &FormData) -> Result<(), ApiError> {
    let SettingsInput(settings) = fields.input()?;
    let version: Version = form.text("version").parse().map_err(|_| {
        ApiError::new(ErrorCode::VersionRequired, "The form does not say which settings it changes. Open it again.")
    })?;
    let mut change = intent.begin_anew(&visit.app).await?;
    microblog_store::settings::save(&mut change.tx, version, &settings, &change.origin).await?;
    change.keep().await
}

/// Shows the form again. If somebody else was faster, it says what they saved, and saving once more replaces it.
async fn refused(
    visit: &Visit,
    fields: SettingsFields,
    form: &FormData,
    error: ApiError,
) -> Result<Response, ApiError> {
    let is_stale = error.code() == ErrorCode::Stale;
    let (status, problem) = Problem::with_form(error)?;
    let mut conn = visit.app.store.read().await?;
    let (frame, _) = visit.frame(&mut conn, Section::Settings).await?;
    let stored = visit.app.site(&mut conn).await?;
    let (theirs, version) = if is_stale {
        (SettingsFields::of(&stored.settings).differing(&fields), stored.version)
    } else {
        (BTreeMap::new(), form.text("version").parse().unwrap_or(stored.version))
    };
    visit.show_with(status, &SettingsPage { frame, fields, version, problem: Some(problem), theirs })
}

impl SettingsFields {
    fn of(site: &SiteSettings) -> Self {
        let entry = |item: &microblog_domain::MenuItem| format!("{} {}", item.title, item.url);
        Self {
            title: site.title.clone(),
            description: site.description.clone(),
            author: site.author.clone(),
            base_url: site.base_url.to_string(),
            language: site.language.clone(),
            timezone: site.timezone.clone().into(),
            permalink: site.permalink.to_string(),
            posts_per_page: site.posts_per_page.to_string(),
            feed_items: site.feed_items.to_string(),
            menu: site.menu.iter().map(entry).collect::<Vec<_>>().join("\n"),
            highlight: site.highlight,
        }
    }

    fn typed(form: &FormData) -> Self {
        let text = |name| form.text(name).trim().to_owned();
        Self {
            title: text("title"),
            description: text("description"),
            author: text("author"),
            base_url: text("base_url"),
            language: text("language"),
            timezone: text("timezone"),
            permalink: text("permalink"),
            posts_per_page: text("posts_per_page"),
            feed_items: text("feed_items"),
            menu: text("menu"),
            highlight: form.has("highlight"),
        }
    }

    fn input(&self) -> Result<SettingsInput, ApiError> {
        // What is no number goes on as it was typed, to be refused like any other wrong value.
        let number = |text: &str| text.parse::<u16>().map_or_else(|_| json!(text), |number| json!(number));
        let object = json!({
            "title": self.title,
            "description": self.description,
            "author": self.author,
            "base_url": self.base_url,
            "language": self.language,
            "timezone": self.timezone,
            "permalink": self.permalink,
            "posts_per_page": number(&self.posts_per_page),
            "feed_items": number(&self.feed_items),
            "menu": self.menu.lines().filter(|line| !line.trim().is_empty()).map(menu_item).collect::<Vec<_>>(),
            "highlight": self.highlight,
        });
        match object {
            Value::Object(object) => Fields::read(object),
            _ => Fields::read(Map::new()),
        }
    }

    /// Its own values, of the fields in which it differs from another.
    fn differing(&self, other: &Self) -> BTreeMap<&'static str, String> {
        let texts = |fields: &Self| {
            [
                ("title", fields.title.clone()),
                ("description", fields.description.clone()),
                ("author", fields.author.clone()),
                ("base_url", fields.base_url.clone()),
                ("language", fields.language.clone()),
                ("timezone", fields.timezone.clone()),
                ("permalink", fields.permalink.clone()),
                ("posts_per_page", fields.posts_per_page.clone()),
                ("feed_items", fields.feed_items.clone()),
                ("menu", fields.menu.clone()),
                ("highlight", if fields.highlight { "on".to_owned() } else { "off".to_owned() }),
            ]
        };
        let pairs = texts(self).into_iter().zip(texts(other));
        pairs.filter(|((_, own), (_, others))| own != others).map(|(own, _)| own).collect()
    }
}

/// `About me /about/`: the address is what stands last.
fn menu_item(line: &str) -> Value {
    let (title, url) = line.trim().rsplit_once(char::is_whitespace).unwrap_or(("", line.trim()));
    json!({"title": title.trim(), "url": url})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_go_through_the_form_unchanged() {
        let menu = serde_json::from_value(json!([{"title": "About me", "url": "/about/"}])).unwrap();
        let settings = SiteSettings { menu, posts_per_page: 7, highlight: false, ..SiteSettings::default() };
        let input = SettingsFields::of(&settings).input().unwrap();
        assert_eq!(input.0, settings);
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let fields = SettingsFields {
            title: String::new(),
            posts_per_page: "many".to_owned(),
            base_url: "here".to_owned(),
            menu: "About".to_owned(),
            ..SettingsFields::of(&SiteSettings::default())
        };
        let error = fields.input().map(|input| input.0).unwrap_err();
        let names: Vec<_> = error.fields().iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(names, ["base_url", "posts_per_page", "title", "menu"]);
    }

    #[test]
    fn what_somebody_else_saved_is_told_where_it_differs() {
        let mine = SettingsFields { title: "Mine".to_owned(), ..SettingsFields::of(&SiteSettings::default()) };
        let theirs = SettingsFields { highlight: false, ..SettingsFields::of(&SiteSettings::default()) };
        let expected = BTreeMap::from([("title", "My site".to_owned()), ("highlight", "off".to_owned())]);
        assert_eq!(theirs.differing(&mine), expected);
    }
}
