//! The default theme in a plain template engine.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Object;
use minijinja::{Environment, Value};

use super::{AUTHOR, SITE, TITLE};

macro_rules! files {
    ($($folder:literal: $($name:literal)*),*) => {
        [$($(($name, include_str!(concat!("../../../themes/default/", $folder, "/", $name)))),*),*]
    };
}

const TEMPLATES: [(&str, &str); 10] = files!(
    "templates": "404.html" "archive.html" "base.html" "card.html" "home.html" "pager.html" "period.html" "post.html"
    "tag.html" "tags.html"
);

const FEEDS: [(&str, &str); 2] = [("atom.xml", include_str!("atom.xml")), ("rss.xml", include_str!("rss.xml"))];

pub(super) const ASSETS: [(&str, &str); 2] = files!("assets": "style.css" "icon.svg");

/// What templates find by name. So few names are found faster one by one than in a map.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }
}

impl Object for Fields {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

pub(super) struct Theme {
    templates: Environment<'static>,
    /// What templates call `site`.
    site: Value,
}

impl Theme {
    pub(super) fn load() -> anyhow::Result<Self> {
        let mut templates = Environment::new();
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        for (name, template) in TEMPLATES.into_iter().chain(FEEDS) {
            templates.add_template(name, template)?;
        }
        templates.add_function("asset", |name: &str| Value::from_safe_string(format!("/assets/{name}")));
        templates.add_filter("absolute", |address: &str| Value::from_safe_string(format!("{SITE}{address}")));
        let site = Fields::default()
            .with("home", Value::from_safe_string("/".to_owned()))
            .with("title", TITLE)
            .with("author", AUTHOR)
            .with("menu", ())
            .with("language", "en")
            .with("direction", "ltr");
        let site = Value::from_object(site);
        templates.add_global("site", site.clone());
        Ok(Self { templates, site })
    }

    pub(super) fn render(&self, template: &str, address: &str, fields: Fields) -> anyhow::Result<String> {
        let mut page = Fields::default().with("site", self.site.clone());
        page = page.with("address", Value::from_safe_string(address.to_owned()));
        page.0.extend(fields.0);
        Ok(self.templates.get_template(template)?.render(Value::from_object(page))?)
    }
}
