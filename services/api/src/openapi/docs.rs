//! The description of the API as a page: plain HTML, readable without scripts.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::document::tag;
use crate::error::ErrorCode;
use crate::routes::api;
use crate::table::{Gives, Route, Takes};

#[derive(Debug, Serialize)]
struct Section {
    name: &'static str,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    method: String,
    path: &'static str,
    says: &'static str,
    guard: String,
    takes: &'static str,
    gives: String,
    query: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct ErrorRow {
    code: &'static str,
    status: u16,
    title: &'static str,
}

/// The page.
pub(super) fn page() -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("docs.html", include_str!("docs.html"))?;
    environment.get_template("docs.html")?.render(context! {
        version => crate::VERSION,
        sections => Value::from(Serde(sections())),
        errors => Value::from(Serde(errors())),
    })
}

fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for route in api() {
        let name = tag(route.path);
        match sections.iter_mut().find(|section| section.name == name) {
            Some(section) => section.rows.push(row(&route)),
            None => sections.push(Section { name, rows: vec![row(&route)] }),
        }
    }
    sections
}

fn row(route: &Route) -> Row {
    Row {
        method: route.method.to_string(),
        path: route.path,
        says: route.says,
        guard: route.guard.to_string(),
        takes: match route.takes {
            Takes::Nothing => "",
            Takes::Json(schema) => schema,
            Takes::Upload => "a form with a file",
        },
        gives: match route.gives {
            Gives::Anything | Gives::Nothing => String::new(),
            Gives::One(_, schema) => schema.to_owned(),
            Gives::Page(schema) => format!("a page of {schema}"),
        },
        query: route.query,
    }
}

fn errors() -> Vec<ErrorRow> {
    let row = |code: ErrorCode| ErrorRow { code: code.as_str(), status: code.status().as_u16(), title: code.title() };
    ErrorCode::ALL.into_iter().map(row).collect()
}
