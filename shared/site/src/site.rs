//! A site: settings, theme and the memory of its posts.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use microblog_domain::{FilePath, Fingerprint, FingerprintBuilder, PathError, PostId, SiteSettings};
use minijinja::{Environment, Value};

use crate::entry::{Entry, SourcePost};
use crate::images::{Gallery, Image};
use crate::index::{Index, Taken};
use crate::page::PageKey;
use crate::tag_links::TagLinks;
use crate::theme::{Theme, ThemeError, environment};
use crate::view::Recipe;

/// Counts the changes of this crate that make it give other bytes for the same inputs. Raising it makes every site
/// render all its pages once after an upgrade.
const ENGINE_REVISION: u64 = 2;

/// A change of the site's posts.
#[derive(Debug)]
pub enum Change {
    /// The post is new, or different from before.
    Put(Entry),
    /// The post is not on the site any more.
    Remove(PostId),
}

/// A post that does not answer at an address it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressProblem {
    /// The post.
    pub post: PostId,
    /// What links call it.
    pub name: String,
    /// The file of the address.
    pub file: FilePath,
    /// Why not.
    pub taken: Taken,
    /// What links call the post that has the address.
    pub taken_by: Option<String>,
}

impl fmt::Display for AddressProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.file.as_str().trim_end_matches("index.html");
        write!(f, "{:?} can not be found at /{address}: ", self.name)?;
        match (self.taken, &self.taken_by) {
            (Taken::By(_), Some(other)) => write!(f, "{other:?} is there; give one of them another slug"),
            (Taken::By(_), None) => f.write_str("another post is there; give one of them another slug"),
            (Taken::BySite, _) => f.write_str("the site needs that address itself; choose another one"),
            (Taken::ByFolder, _) => f.write_str("other posts are in a folder of that name; choose another one"),
        }
    }
}

/// A site in memory, ready to say what each page shows and to render it.
#[derive(Debug)]
pub struct Site {
    pub(crate) settings: Arc<SiteSettings>,
    pub(crate) theme: Arc<Theme>,
    pub(crate) environment: Environment<'static>,
    /// What templates call `site`.
    pub(crate) value: Value,
    pub(crate) index: Index,
    gallery: Gallery,
    tag_links: TagLinks,
    /// Of what every page depends on.
    common: Fingerprint,
}

impl Site {
    /// A site without posts.
    ///
    /// # Errors
    /// When a template of the theme is not valid.
    pub fn new(settings: Arc<SiteSettings>, theme: Arc<Theme>) -> Result<Self, ThemeError> {
        let value = environment::site_value(&settings);
        let environment = environment::for_site(&theme, &settings, &value)?;
        let common = FingerprintBuilder::new()
            .number(ENGINE_REVISION)
            .text(&serde_json::to_string(&*settings).unwrap_or_default())
            .finish();
        Ok(Self {
            index: Index::new(&settings),
            gallery: Gallery::default(),
            tag_links: TagLinks::default(),
            settings,
            theme,
            environment,
            value,
            common,
        })
    }

    /// Digests a post for this site; many threads may do so at once.
    ///
    /// # Errors
    /// When the post's address is too long.
    pub fn digest(&self, post: &SourcePost) -> Result<Entry, PathError> {
        self.digest_showing(post, &|file| self.gallery.find(file))
    }

    /// Digests a post for this site whose pictures the caller knows: `image` tells what is known of a file of the site.
    ///
    /// # Errors
    /// When the post's address is too long.
    pub fn digest_showing(
        &self,
        post: &SourcePost,
        image: &dyn Fn(&str) -> Option<Arc<Image>>,
    ) -> Result<Entry, PathError> {
        Entry::digest_with(post, &self.settings, &self.tag_links, image)
    }

    /// Takes over pictures, or that there are none (any more), each by its file. Tells which posts show them otherwise
    /// than before: those must be digested again and [applied](Self::apply), as if they had been edited.
    #[must_use]
    pub fn set_images(&mut self, images: impl IntoIterator<Item = (FilePath, Option<Image>)>) -> BTreeSet<PostId> {
        images.into_iter().flat_map(|(file, image)| self.gallery.set(file, image)).collect()
    }

    /// Fills an empty site with all its posts.
    pub fn fill(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let gallery = &mut self.gallery;
        self.index.fill(entries.into_iter().inspect(|entry| gallery.put(entry)));
    }

    /// Takes over changes, and tells which pages may be different, new or gone: more than those that are, never less.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) -> Vec<PageKey> {
        let menu_before = self.automatic_menu();
        let mut touched = BTreeSet::new();
        for change in changes {
            let (Change::Put(Entry { id, .. }) | Change::Remove(id)) = &change;
            if let Some(before) = self.index.entry(*id) {
                self.gallery.remove(before);
            }
            match change {
                Change::Put(entry) => {
                    self.gallery.put(&entry);
                    self.index.put(Arc::new(entry), &mut touched);
                }
                Change::Remove(id) => self.index.remove(id, &mut touched),
            }
        }
        if self.automatic_menu() != menu_before {
            touched.extend(self.pages());
        }
        touched.into_iter().collect()
    }

    /// What the menu shows of pages outside time; every page shows it.
    fn automatic_menu(&self) -> Vec<Fingerprint> {
        let is_shown = self.settings.menu.is_empty();
        self.index.standing().filter(|_| is_shown).map(|entry| entry.link.fingerprint).collect()
    }

    /// Of everything that its pages are made from besides posts: settings, theme, and this crate's revision.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        FingerprintBuilder::new().fingerprint(self.common).fingerprint(self.theme.fingerprint()).finish()
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &SiteSettings {
        &self.settings
    }

    /// What the site remembers of a post.
    #[must_use]
    pub fn entry(&self, id: PostId) -> Option<&Entry> {
        self.index.entry(id).map(|entry| &**entry)
    }

    /// Every post that does not answer at an address it asked for, because that is taken.
    #[must_use]
    pub fn address_problems(&self) -> Vec<AddressProblem> {
        let name = |post| self.index.entry(post).map(|entry| entry.link.title().to_owned());
        let problem = |(file, post, taken): (&FilePath, PostId, Taken)| AddressProblem {
            post,
            name: name(post).unwrap_or_default(),
            file: file.clone(),
            taken,
            taken_by: if let Taken::By(other) = taken { name(other) } else { None },
        };
        self.index.claims().refused().map(problem).collect()
    }

    pub(crate) fn base_fingerprint(&self, recipe: &Recipe) -> Fingerprint {
        match recipe {
            Recipe::Template(name) => FingerprintBuilder::new()
                .fingerprint(self.common)
                .fingerprint(self.theme.template_fingerprint(name))
                .finish(),
            _ => self.common,
        }
    }
}
