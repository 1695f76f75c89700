//! The templates, part of the program, and the engine that renders them.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use super::assets;
use crate::error::ApiError;

macro_rules! sources {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),+]
    };
}

const SOURCES: &[(&str, &str)] = sources![
    "account.html",
    "alerts.html",
    "build.html",
    "build_panel.html",
    "builds.html",
    "conflict.html",
    "editor.html",
    "editor_bar.html",
    "editor_update.html",
    "error.html",
    "error_fragment.html",
    "errors.html",
    "layout.html",
    "log_in.html",
    "log_in_form.html",
    "macros.html",
    "media.html",
    "plain.html",
    "posts.html",
    "posts_list.html",
    "problem.html",
    "releases.html",
    "revisions.html",
    "set_up.html",
    "settings.html",
    "users.html",
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_function("asset", |name: &str| {
        let address = assets::address(name).map(Value::from_safe_string);
        address.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("there is no asset {name:?}")))
    });
    for (name, source) in SOURCES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
});

/// Renders a template.
pub(super) fn render(name: &str, context: &impl Serialize) -> Result<String, ApiError> {
    let environment = ENVIRONMENT.as_ref().map_err(|error| broken(name, error))?;
    let template = environment.get_template(name).map_err(|error| broken(name, &error))?;
    template.render(Value::from(Serde(context))).map_err(|error| broken(name, &error))
}

fn broken(name: &str, error: &Error) -> ApiError {
    ApiError::internal(format!("the template {name} can not be rendered: {error:#}"))
}
