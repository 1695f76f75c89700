//! Smaller variants of the folder's pictures: of those that posts show, each made once and kept in a cache.
//!
//! Owns which file a post means by a picture's address. Leaves the keeping to [`cache`], and the making to
//! [`microblog_images`]. Posts are read on all cores, so that pictures are made on all cores, too, as far as the memory
//! for pictures suffices.

mod cache;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use microblog_content::{ContentFolder, Resource};
use microblog_domain::{FilePath, UrlPath};
use microblog_site::Image;

pub(super) use self::cache::Cache;
use super::summary::Problem;

/// The pictures of a folder.
pub(super) struct Images {
    cache: Option<Cache>,
    /// The folder's own files, by where the site has them.
    files: HashMap<FilePath, PathBuf>,
    /// What became of each picture, by where it lies. Who comes second waits for the first.
    done: Mutex<HashMap<PathBuf, Done>>,
    variants: Mutex<BTreeMap<FilePath, PathBuf>>,
    problems: Mutex<Vec<Problem>>,
}

type Done = Arc<OnceLock<Option<Arc<Image>>>>;

impl Images {
    /// The pictures among the folder's files; without a cache, none is looked at.
    pub(super) fn new(folder: &ContentFolder, cache: Option<Cache>) -> Self {
        let named = folder.static_files().iter().map(|file| (file.path.clone(), file.source.clone()));
        let files = if cache.is_some() { named.collect() } else { HashMap::new() };
        Self { cache, files, done: Mutex::default(), variants: Mutex::default(), problems: Mutex::default() }
    }

    /// What is known of a picture that a post names, which may lie beside the post.
    pub(super) fn find(&self, file: &str, post: &UrlPath, beside: &[Resource]) -> Option<Arc<Image>> {
        let cache = self.cache.as_ref()?;
        let is_meant =
            |resource: &&Resource| place_beside(post, &resource.name).is_some_and(|path| path.as_str() == file);
        let own = beside.iter().find(is_meant).map(|resource| &resource.source);
        let source = self.files.get(file).or(own)?;
        let done = Arc::clone(lock(&self.done).entry(source.clone()).or_default());
        done.get_or_init(|| self.look_at(cache, source, &file.parse().ok()?)).clone()
    }

    fn look_at(&self, cache: &Cache, source: &Path, file: &FilePath) -> Option<Arc<Image>> {
        let known = match cache.variants_of(source) {
            Ok(known) => known?,
            Err(error) => {
                let reason = format!("is shown without smaller variants: {error:#}");
                lock(&self.problems).push(Problem { path: source.to_owned(), line: None, reason });
                return None;
            }
        };
        let name = Path::new(file.as_str()).file_name()?.to_str()?;
        let mut listed = Vec::with_capacity(known.variants.len());
        for variant in &known.variants {
            let Ok(public) = variant.public_file(name) else { continue };
            lock(&self.variants).insert(public.clone(), cache.file(&variant.hash));
            listed.push((public, variant.width));
        }
        Some(Arc::new(Image::new(file, known.width, known.height, listed)))
    }

    /// The variants that pages show, with where they lie.
    pub(super) fn variants(&self) -> BTreeMap<FilePath, PathBuf> {
        lock(&self.variants).clone()
    }

    /// What was wrong with single pictures, in the order of their paths.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut *lock(&self.problems));
        problems.sort_by(|a, b| a.path.cmp(&b.path));
        problems
    }
}

/// Where the site has a file that lies beside a post: beside the post's page.
pub(super) fn place_beside(post: &UrlPath, name: &FilePath) -> Option<FilePath> {
    let page = post.file();
    let folder = Path::new(page.as_str()).parent().and_then(Path::to_str).filter(|folder| !folder.is_empty());
    folder.map_or_else(|| name.as_str().parse(), |folder| format!("{folder}/{name}").parse()).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
