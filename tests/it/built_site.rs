//! A site that `microblog build` made, and what stands on its pages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use scraper::{Html, Selector};
use walkdir::WalkDir;

use crate::program::{empty_folder, microblog, run};

/// A folder as readers see it.
pub(crate) struct BuiltSite {
    pub(crate) root: PathBuf,
    /// Files by their address: `/`, `/feed.xml`.
    pub(crate) files: BTreeMap<String, PathBuf>,
}

/// The site of `tests/fixtures/site`: small, with every feature.
pub(crate) fn specimen() -> &'static BuiltSite {
    static SITE: LazyLock<BuiltSite> = LazyLock::new(|| BuiltSite::build(&specimen_content(), "specimen"));
    &SITE
}

pub(crate) fn specimen_content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/site")
}

impl BuiltSite {
    /// Builds the site of a content folder.
    pub(crate) fn build(content: &Path, name: &str) -> Self {
        let output = empty_folder(name);
        run(microblog().arg("build").arg("--content").arg(content).arg("--output").arg(&output));
        Self::open(&output)
    }

    fn open(output: &Path) -> Self {
        let root = output.canonicalize().unwrap();
        let found = WalkDir::new(&root).into_iter().map(Result::unwrap).filter(|item| item.file_type().is_file());
        let files = found.map(|item| (address(item.path().strip_prefix(&root).unwrap()), item.into_path())).collect();
        Self { root, files }
    }

    /// The addresses of all pages, files of the content folder left out.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .filter(|(_, file)| file.extension().is_some_and(|it| it == "html"))
            .map(|(address, _)| &**address)
    }

    pub(crate) fn text(&self, address: &str) -> String {
        let file = self.files.get(address).unwrap_or_else(|| panic!("the site has no {address}"));
        std::fs::read_to_string(file).unwrap()
    }

    pub(crate) fn page(&self, address: &str) -> Html {
        Html::parse_document(&self.text(address))
    }
}

fn address(file: &Path) -> String {
    let path = file.to_str().unwrap();
    format!("/{}", path.strip_suffix("index.html").filter(|it| it.is_empty() || it.ends_with('/')).unwrap_or(path))
}

pub(crate) fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}

/// The texts of all elements that match.
pub(crate) fn texts(page: &Html, css: &str) -> Vec<String> {
    page.select(&selector(css)).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
}

/// The values of an attribute of all elements that match.
pub(crate) fn attributes(page: &Html, css: &str, name: &str) -> Vec<String> {
    page.select(&selector(css)).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
}

/// A link within the site, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Decoded, from the site's root.
    pub(crate) path: String,
    pub(crate) fragment: Option<String>,
}

/// The links of a page to its own site, which begins with `origin` (`https://mill.example`) or `/`.
pub(crate) fn links_within(page: &Html, own_address: &str, origin: &str) -> Vec<Link> {
    let mut targets = attributes(page, "[href]", "href");
    targets.extend(attributes(page, "[src]", "src"));
    targets.iter().filter_map(|target| link_within(target, own_address, origin)).collect()
}

fn link_within(target: &str, own_address: &str, origin: &str) -> Option<Link> {
    let target = target.strip_prefix(origin).unwrap_or(target);
    if !target.starts_with(['/', '#']) || target.starts_with("//") {
        return None;
    }
    let (path, fragment) = target.split_once('#').map_or((target, None), |(path, fragment)| (path, Some(fragment)));
    let path = path.split('?').next().unwrap_or_default();
    let path = if path.is_empty() { own_address.to_owned() } else { decoded(path) };
    Some(Link { path, fragment: fragment.map(decoded) })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
