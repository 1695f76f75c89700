//! The settings of Hugo, Zola and Jekyll, as far as Microblog has the same.
//!
//! What is unknown here, or has no equal, is passed over: it was written for another program. A value that Microblog
//! could not use gives way to its default, for the same reason.

use microblog_domain::{MenuItem, SiteSettings};
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

/// From `hugo.toml` or Zola's `config.toml`.
pub(super) fn hugo_or_zola(fields: &Fields) -> SiteSettings {
    let mut settings = common(fields, &["baseURL", "baseUrl", "baseurl", "base_url"], "");
    let pattern = ["page.posts", "posts", "page.post", "post", "page.blog", "blog"]
        .iter()
        .find_map(|section| text(fields, &format!("permalinks.{section}")));
    set_permalink(&mut settings, pattern);
    settings.menu = ["menu.main", "menus.main"].iter().find_map(|path| menu(find(fields, path)?)).unwrap_or_default();
    without_mistakes(settings)
}

/// From `_config.yml`. Posts keep the addresses that Jekyll gave them.
pub(super) fn jekyll(fields: &Fields) -> SiteSettings {
    let mut settings = common(fields, &["url"], text(fields, "baseurl").unwrap_or_default());
    let pattern = match text(fields, "permalink").unwrap_or("date") {
        "date" | "ordinal" => "/:year/:month/:day/:title.html",
        "pretty" => "/:year/:month/:day/:title/",
        "none" => "/:title.html",
        pattern => pattern,
    };
    set_permalink(&mut settings, Some(pattern));
    without_mistakes(settings)
}

fn common(fields: &Fields, address: &[&str], folder: &str) -> SiteSettings {
    let mut settings = SiteSettings::default();
    let first = |names: &[&str]| names.iter().find_map(|name| text(fields, name)).map(str::to_owned);
    let keep = |target: &mut String, found: Option<String>| *target = found.unwrap_or_else(|| target.clone());
    keep(&mut settings.title, first(&["title"]));
    keep(&mut settings.description, first(&["description", "params.description", "extra.description"]));
    keep(
        &mut settings.author,
        first(&["author", "author.name", "params.author", "params.author.name", "extra.author"]),
    );
    keep(
        &mut settings.language,
        first(&["default_language", "languageCode", "languagecode", "defaultContentLanguage", "lang", "locale"])
            .map(|tag| tag.replace('_', "-")),
    );
    if let Some(url) = first(address).and_then(|url| format!("{}{folder}", url.trim_end_matches('/')).parse().ok()) {
        settings.base_url = url;
    }
    if let Some(zone) = first(&["timeZone", "timezone"]).and_then(|name| name.parse().ok()) {
        settings.timezone = zone;
    }
    let per_page = ["paginate", "pagination.pagerSize"].iter().find_map(|path| find(fields, path)?.as_u64());
    settings.posts_per_page = per_page.and_then(|count| count.try_into().ok()).unwrap_or(settings.posts_per_page);
    settings
}

/// Puts the default in place of each value that Microblog could not use.
fn without_mistakes(mut settings: SiteSettings) -> SiteSettings {
    let default = SiteSettings::default();
    for problem in settings.problems() {
        match problem.field {
            "title" => settings.title.clone_from(&default.title),
            "description" => settings.description.clone_from(&default.description),
            "language" => settings.language.clone_from(&default.language),
            "posts_per_page" => settings.posts_per_page = default.posts_per_page,
            _ => settings.menu.clear(),
        }
    }
    settings
}

/// A value by its path, such as `params.author`.
fn find<'a>(fields: &'a Fields, path: &str) -> Option<&'a Value> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = fields.get(name)?;
    match rest {
        None => Some(value),
        Some(rest) => find(value.as_object()?, rest),
    }
}

fn text<'a>(fields: &'a Fields, path: &str) -> Option<&'a str> {
    find(fields, path)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// Hugo's menu, by weight.
fn menu(entries: &Value) -> Option<Vec<MenuItem>> {
    let mut entries: Vec<&Fields> = entries.as_array()?.iter().filter_map(Value::as_object).collect();
    entries.sort_by_key(|entry| entry.get("weight").and_then(Value::as_i64).unwrap_or(i64::MAX));
    let item = |entry: &Fields| {
        let title = text(entry, "name").or_else(|| text(entry, "title"))?;
        let url = text(entry, "url").or_else(|| text(entry, "pageRef"))?;
        Some(MenuItem { title: title.to_owned(), url: url.to_owned() })
    };
    Some(entries.into_iter().filter_map(item).collect())
}

/// Translates a pattern such as `/:year/:month/:slug/`, if every part of it has an equal.
fn set_permalink(settings: &mut SiteSettings, pattern: Option<&str>) {
    let Some(pattern) = pattern else { return };
    let mut translated = pattern.replace("/:categories", "").replace(":output_ext", ".html");
    for (theirs, ours) in [
        (":year", "{yyyy}"),
        (":month", "{mm}"),
        (":day", "{dd}"),
        (":slugorcontentbasename", "{slug}"),
        (":slugorfilename", "{slug}"),
        (":contentbasename", "{slug}"),
        (":filename", "{slug}"),
        (":title", "{slug}"),
        (":slug", "{slug}"),
    ] {
        translated = translated.replace(theirs, ours);
    }
    if translated.contains(':') {
        return;
    }
    if let Ok(pattern) = format!("/{}", translated.trim_start_matches('/')).parse() {
        settings.permalink = pattern;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn hugo_settings_are_understood() {
        let settings = hugo_or_zola(&fields(json!({
            "baseURL": "https://example.org/blog/", "title": "Field notes", "languageCode": "de_CH", "theme": "ananke",
            "timeZone": "Europe/Zurich", "params": {"author": {"name": "Jane"}, "description": "Notes"},
            "permalinks": {"posts": "/:year/:slug/"},
            "menu": {"main": [
                {"name": "About", "pageRef": "/about/", "weight": 20}, {"name": "Home", "url": "/", "weight": 10},
            ]},
        })));
        assert_eq!(settings.base_url.as_str(), "https://example.org/blog");
        assert_eq!((settings.title.as_str(), settings.language.as_str()), ("Field notes", "de-CH"));
        assert_eq!((settings.author.as_str(), settings.description.as_str()), ("Jane", "Notes"));
        assert_eq!(settings.permalink.to_string(), "/{yyyy}/{slug}/");
        let titles: Vec<_> = settings.menu.iter().map(|item| item.title.as_str()).collect();
        assert_eq!(titles, ["Home", "About"]);
    }

    #[test]
    fn jekyll_addresses_are_kept() {
        let address = |permalink: Value| jekyll(&fields(json!({"permalink": permalink}))).permalink.to_string();
        assert_eq!(address(Value::Null), "/{yyyy}/{mm}/{dd}/{slug}.html");
        assert_eq!(address("pretty".into()), "/{yyyy}/{mm}/{dd}/{slug}/");
        assert_eq!(address("/:categories/:title/".into()), "/{slug}/");
        assert_eq!(address("/:collection/:title/".into()), SiteSettings::default().permalink.to_string());
        let settings = jekyll(&fields(json!({"url": "https://jane.example", "baseurl": "/blog"})));
        assert_eq!(settings.base_url.as_str(), "https://jane.example/blog");
    }

    #[test]
    fn values_of_no_use_give_way_to_defaults() {
        let settings = hugo_or_zola(&fields(json!({
            "baseURL": "/", "title": 7, "languageCode": "??", "paginate": 5_000, "timezone": "Mars/Olympus",
            "menu": {"main": [{"name": "X", "url": "javascript:alert(1)"}]},
        })));
        assert_eq!(settings, SiteSettings::default());
    }
}
