//! The template engine as themes see it: strict about what is missing, lean about what it escapes.

use std::collections::BTreeMap;
use std::sync::Arc;

use microblog_domain::{MenuItem, SiteSettings};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context};

use super::{Theme, ThemeError};
use crate::entry::prefixed;

/// Parses every template; the first error is returned with its place.
pub(super) fn parse(theme: &Theme) -> Result<Environment<'static>, ThemeError> {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    let syntax = syntax.map_err(|error| located(theme, &error, "syntax"))?;
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(write_escaped);
    for (name, template) in &theme.templates {
        environment
            .add_template_owned(name.clone(), template.source.to_string())
            .map_err(|error| located(theme, &error, name))?;
    }
    Ok(environment)
}

/// The environment for a site: its settings as `site`, and the functions `asset(name)`, `url(path)` and the filter
/// `absolute`.
pub(crate) fn for_site(
    theme: &Theme,
    settings: &SiteSettings,
    site: &Value,
) -> Result<Environment<'static>, ThemeError> {
    let mut environment = parse(theme)?;
    environment.add_global("site", site.clone());
    let base_path: Arc<str> = settings.base_url.path_prefix().into();
    let assets: BTreeMap<String, String> =
        theme.assets().map(|asset| (asset.name.clone(), format!("{base_path}/{}", asset.file))).collect();
    environment.add_function("asset", move |name: &str| match assets.get(name) {
        Some(url) => Ok(Value::from_safe_string(url.clone())),
        None => Err(Error::new(ErrorKind::InvalidOperation, format!("the theme has no asset {name:?}"))),
    });
    environment.add_function("url", move |path: &str| prefixed(&base_path, path));
    let root = settings.base_url.as_str()[..settings.base_url.as_str().len() - settings.base_url.path_prefix().len()]
        .to_owned();
    environment.add_filter("absolute", move |url: &str| prefixed(&root, url));
    Ok(environment)
}

/// The settings as templates see them. Every page asks for a dozen of these, so they are fields, not a map.
#[derive(Debug)]
struct SiteValue {
    title: Value,
    description: Value,
    language: Value,
    direction: Value,
    author: Value,
    url: Value,
    home: Value,
    menu: Value,
}

impl SiteValue {
    fn new(settings: &SiteSettings) -> Self {
        let base_path = settings.base_url.path_prefix();
        let item = |item: &MenuItem| context! { title => item.title.as_str(), url => prefixed(base_path, &item.url) };
        Self {
            title: Value::from(settings.title.as_str()),
            description: Value::from(settings.description.as_str()),
            language: Value::from(settings.language.as_str()),
            direction: Value::from(writing_direction(&settings.language)),
            author: Value::from(settings.author.as_str()),
            url: Value::from(format!("{}/", settings.base_url)),
            home: Value::from(format!("{base_path}/")),
            menu: settings.menu.iter().map(item).collect(),
        }
    }
}

/// What templates call `site`.
pub(crate) fn site_value(settings: &SiteSettings) -> Value {
    Value::from_object(SiteValue::new(settings))
}

impl Object for SiteValue {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let field = match key {
            "title" => &self.title,
            "description" => &self.description,
            "language" => &self.language,
            "direction" => &self.direction,
            "author" => &self.author,
            "url" => &self.url,
            "home" => &self.home,
            "menu" => &self.menu,
            _ => return None,
        };
        Some(field.clone())
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

/// Where lines of the language begin, for the `dir` attribute.
fn writing_direction(language: &str) -> &'static str {
    match language.split('-').next() {
        Some("ar" | "arc" | "ckb" | "dv" | "fa" | "he" | "ps" | "sd" | "ug" | "ur" | "yi") => "rtl",
        _ => "ltr",
    }
}

/// Says in which file of the theme, and where in it, an error arose.
pub(crate) fn located(theme: &Theme, error: &Error, rendered: &str) -> ThemeError {
    let name = error.name().unwrap_or(rendered);
    let file = theme.templates.get(name).map_or_else(|| name.to_owned(), |template| template.origin.clone());
    let reason = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    ThemeError::Template { file, line: error.line().unwrap_or(1), reason }
}

/// Writes a value into HTML. Unlike the engine's own, leaves `/` alone: addresses are a good part of every page.
fn write_escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if value.is_safe() || matches!(state.auto_escape(), AutoEscape::None) => Ok(out.write_str(text)?),
        Some(text) => Ok(escape_into(out, text)?),
        None if matches!(value.kind(), ValueKind::Undefined | ValueKind::None) => {
            minijinja::escape_formatter(out, state, value)
        }
        None => Ok(escape_into(out, &value.to_string())?),
    }
}

/// Most texts do not. Written without branches, so that the processor looks at many bytes at once.
fn needs_escape(text: &str) -> bool {
    let is_special = |byte: u8| (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == b'\'');
    text.bytes().fold(0, |found, byte| found | u8::from(is_special(byte))) != 0
}

/// Writes text so that it is safe in HTML and XML, in text and in quoted attributes.
pub(crate) fn escape_into(out: &mut (impl std::fmt::Write + ?Sized), text: &str) -> std::fmt::Result {
    if !needs_escape(text) {
        return out.write_str(text);
    }
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.write_str(&text[written..at])?;
        out.write_str(entity)?;
        written = at + 1;
    }
    out.write_str(&text[written..])
}
