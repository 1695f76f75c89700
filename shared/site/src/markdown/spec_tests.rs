//! The examples of the CommonMark and GFM specifications, run through the engine with its own additions off.

use pulldown_cmark::Options;

use super::{Dialect, GITHUB, MarkdownOptions, render_as};

#[derive(serde::Deserialize)]
struct Example {
    example: u32,
    section: String,
    markdown: String,
    html: String,
}

/// Examples that come out differently by choice, with the reason.
type Deviations = &'static [(u32, &'static str)];

#[test]
fn every_example_of_commonmark_passes() {
    let dialect = Dialect { syntax: Options::empty(), decorated: false };
    check(include_str!("../../tests/spec/commonmark-0.31.2.json"), 652, &dialect, &[]);
}

#[test]
fn every_example_of_github_tables_tasks_and_strikethrough_passes() {
    let deviations: Deviations = &[(2, "cells are aligned by a class: HTML dropped the align attribute")];
    let dialect = Dialect { syntax: GITHUB, decorated: false };
    check(include_str!("../../tests/spec/gfm-0.29.json"), 14, &dialect, deviations);
}

fn check(examples: &str, count: usize, dialect: &Dialect, deviations: Deviations) {
    let examples: Vec<Example> = serde_json::from_str(examples).unwrap();
    assert_eq!(examples.len(), count);
    let options = MarkdownOptions::new("", "/");
    let mut wrong = Vec::new();
    for Example { example, section, markdown, html } in &examples {
        let ours = render_as(dialect, markdown, &options).html;
        let passes = normalised(&ours) == normalised(html);
        let deviates = deviations.iter().any(|(number, _)| number == example);
        if passes == deviates {
            let what = if passes { "passes, though listed as a deviation" } else { "fails" };
            wrong.push(format!("{example} ({section}) {what}\n{markdown:?}\nexpected {html:?}\nours     {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} examples:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Takes away the differences that mean nothing in HTML: the slash of void elements, quotes written as references
/// where they need not be, line breaks next to tags of blocks.
fn normalised(html: &str) -> String {
    let mut text = html.replace(" />", ">").replace("&quot;", "\"").replace("&#x27;", "'");
    for tag in ["li", "td", "th", "p", "blockquote", "ul", "ol", "table", "thead", "tbody", "tr"] {
        text = text.replace(&format!("<{tag}>\n"), &format!("<{tag}>"));
        text = text.replace(&format!("\n<{tag}>"), &format!("<{tag}>"));
        text = text.replace(&format!("\n</{tag}>"), &format!("</{tag}>"));
        text = text.replace(&format!("</{tag}>\n"), &format!("</{tag}>"));
    }
    text.trim_end().to_owned()
}
