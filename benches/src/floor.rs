//! The least that any builder of these sites must do: read, parse, render, write, on all cores. How near a real builder
//! comes to it says more than any time.
//!
//! It has no highlighting, feeds, sitemap, assets, links between posts, nor any care for mistakes. It runs as a program
//! of its own (`bench --floor`), so that it is measured as the builders are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use minijinja::value::Object;
use minijinja::{Environment, Value, context};
use pulldown_cmark::{Options, Parser, html};
use rayon::prelude::*;
use walkdir::WalkDir;

const POSTS_PER_PAGE: usize = 10;
const TITLES_PER_PAGE: usize = 100;
const TEMPLATE: &str = include_str!("floor.html");

/// What lists show of a post.
#[derive(Debug)]
struct Card {
    title: String,
    date: String,
    address: String,
    description: String,
    tags: Vec<String>,
}

/// Templates take from it what they need, rather than get a copy of all.
impl Object for Card {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "title" => Value::from(&self.title),
            "date" => Value::from(&self.date),
            "address" => Value::from(&self.address),
            "description" => Value::from(&self.description),
            "tags" => self.tags.iter().map(Value::from).collect(),
            _ => return None,
        })
    }

    /// Says that there is one, to `{% if post %}`.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// Builds the posts of a folder.
pub(crate) fn build(content: &Path, output: &Path) -> anyhow::Result<()> {
    let mut templates = Environment::new();
    templates.add_template("page.html", TEMPLATE)?;
    let files = WalkDir::new(content).into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    let files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|kind| kind == "md")).collect();
    let cards = files.par_iter().map(|file| write_post(file, output, &templates));
    let mut cards: Vec<Arc<Card>> = cards.filter_map(Result::transpose).collect::<anyhow::Result<_>>()?;
    cards.sort_by(|a, b| b.date.cmp(&a.date));
    let lists: Vec<_> = lists(&cards).into_iter().collect();
    lists.par_iter().try_for_each(|(address, list)| write_list(address, list, output, &templates))
}

/// Writes the page of a post; nothing for a draft.
fn write_post(file: &Path, output: &Path, templates: &Environment) -> anyhow::Result<Option<Arc<Card>>> {
    let text = fs::read_to_string(file)?;
    let parts = text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n"));
    let (front, markdown) = parts.with_context(|| format!("{} has no front matter", file.display()))?;
    if front.contains("\ndraft: true") {
        return Ok(None);
    }
    let card = card(front).map(Arc::new).with_context(|| format!("the front matter of {}", file.display()))?;
    let mut content = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(
        &mut content,
        Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_SMART_PUNCTUATION),
    );
    let page = templates
        .get_template("page.html")?
        .render(context!(title => card.title.as_str(), post => Value::from_dyn_object(Arc::clone(&card)), content))?;
    write(output, &card.address, &page)?;
    Ok(Some(card))
}

fn card(front: &str) -> anyhow::Result<Card> {
    let field = |name: &str| {
        let value = front.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(|value| value.trim_matches('"')).ok_or_else(|| anyhow!("there is no {name}"))
    };
    let date = field("date")?;
    let (year, month) =
        date.split_once('-').and_then(|(year, rest)| Some((year, rest.get(..2)?))).context("no date")?;
    let tags = field("tags")?.trim_matches(['[', ']']).split(',').map(|tag| tag.trim().trim_matches('"').to_owned());
    Ok(Card {
        title: field("title")?.to_owned(),
        date: date.to_owned(),
        address: format!("{year}/{month}/{}/", field("slug")?),
        description: field("description")?.to_owned(),
        tags: tags.filter(|tag| !tag.is_empty()).collect(),
    })
}

/// Newest posts, tags, years and months.
fn lists(cards: &[Arc<Card>]) -> BTreeMap<String, Vec<&Arc<Card>>> {
    let mut lists = BTreeMap::<String, Vec<&Arc<Card>>>::new();
    for card in cards {
        let mut add = |address: String| lists.entry(address).or_default().push(card);
        add(String::new());
        card.tags.iter().for_each(|tag| add(format!("tags/{tag}/")));
        add(card.address[..5].to_owned());
        add(card.address[..8].to_owned());
    }
    lists
}

fn write_list(address: &str, list: &[&Arc<Card>], output: &Path, templates: &Environment) -> anyhow::Result<()> {
    let has_titles_only = address.starts_with(|letter: char| letter.is_ascii_digit());
    let size = if has_titles_only { TITLES_PER_PAGE } else { POSTS_PER_PAGE };
    for (number, posts) in list.chunks(size).enumerate() {
        let place = if number == 0 { address.to_owned() } else { format!("{address}page/{}/", number + 1) };
        let older = (list.len() > (number + 1) * size).then(|| format!("/{address}page/{}/", number + 2));
        let posts: Value = posts.iter().map(|card| Value::from_dyn_object(Arc::clone(card))).collect();
        let page = templates.get_template("page.html")?;
        write(output, &place, &page.render(context!(title => address, posts, has_titles_only, older))?)?;
    }
    Ok(())
}

fn write(output: &Path, address: &str, page: &str) -> anyhow::Result<()> {
    let folder = output.join(address);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("index.html"), page).with_context(|| format!("writing {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Inventory;
    use crate::place::Place;
    use crate::sample::{Addresses, SampleSite};

    #[test]
    fn posts_and_their_lists_are_written() {
        let place = Place::on_disk(&std::env::temp_dir()).unwrap();
        let site = SampleSite::generate(&place, None, 30, Addresses::Dated).unwrap();
        let output = place.new_folder("output-").unwrap();
        build(site.content(), &output).unwrap();
        let inventory = Inventory::take(&output).unwrap();
        assert!(inventory.files > 30 + 3 + 10, "{inventory:?}");
        assert!(inventory.code.text > 0, "{inventory:?}");
        let home = fs::read_to_string(output.join("index.html")).unwrap();
        assert_eq!(home.matches("<h2>").count(), POSTS_PER_PAGE, "{home}");
    }
}
