//! Who answers at an address, when several posts want it.
//!
//! Each post claims the file of its address and those of its aliases. The first claim wins: an address before an alias,
//! then the older post; so the winner depends on the posts alone, not on the order in which they came. Files that the
//! site makes itself can not be claimed, and a file gives way to a folder of its name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use microblog_domain::{FilePath, PostId};

use crate::entry::{Entry, OrderKey};

/// A post's wish to answer at an address. Sorted by who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    is_alias: bool,
    order: OrderKey,
}

impl Claim {
    pub(crate) fn post(self) -> PostId {
        self.order.1
    }
}

/// What stands at an address that a post claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tenant {
    Post(PostId),
    /// An alias, which leads to the post.
    Redirect(PostId),
}

/// Why a post does not answer at an address it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Another post was first.
    By(PostId),
    /// The site itself needs the address.
    BySite,
    /// A folder of this name is needed by another post.
    ByFolder,
}

/// All claims on the site.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    by_file: BTreeMap<FilePath, Vec<Claim>>,
    /// The files among them for which a claim may be refused: few, so that asking for the refused ones costs little.
    doubtful: BTreeSet<FilePath>,
}

impl Claims {
    pub(crate) fn add(&mut self, entry: &Entry) {
        for (file, claim) in claims_of(entry) {
            let claims = self.by_file.entry(file.clone()).or_default();
            if let Err(at) = claims.binary_search(&claim) {
                claims.insert(at, claim);
            }
            if claims.len() > 1 || file.is_reserved() || !is_page(&file) {
                self.doubtful.insert(file);
            }
        }
    }

    pub(crate) fn remove(&mut self, entry: &Entry) {
        for (file, claim) in claims_of(entry) {
            let Some(claims) = self.by_file.get_mut(&file) else { continue };
            claims.retain(|other| *other != claim);
            if claims.is_empty() {
                self.by_file.remove(&file);
                self.doubtful.remove(&file);
            }
        }
    }

    /// Who answers with this file.
    pub(crate) fn tenant(&self, file: &FilePath) -> Option<Tenant> {
        let first = self.by_file.get(file)?.first()?;
        if file.is_reserved() || self.is_folder(file) {
            return None;
        }
        Some(if first.is_alias { Tenant::Redirect(first.post()) } else { Tenant::Post(first.post()) })
    }

    /// The files on which a change of this post's claims may have an effect.
    pub(crate) fn touched_by(&self, entry: &Entry) -> Vec<FilePath> {
        let mut files: Vec<_> = claims_of(entry).map(|(file, _)| file).collect();
        let parents: Vec<_> =
            files.iter().flat_map(parents).filter(|parent| self.by_file.contains_key(parent)).collect();
        files.extend(parents);
        files
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &FilePath> {
        self.by_file.keys()
    }

    /// Every wish that was not granted.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&FilePath, PostId, Taken)> {
        let doubtful = self.doubtful.iter().filter_map(|file| self.by_file.get_key_value(file));
        doubtful.flat_map(move |(file, claims)| {
            let (granted, reason) = if file.is_reserved() {
                (0, Taken::BySite)
            } else if self.is_folder(file) {
                (0, Taken::ByFolder)
            } else {
                (1, claims.first().map_or(Taken::BySite, |winner| Taken::By(winner.post())))
            };
            claims.iter().skip(granted).map(move |claim| (file, claim.post(), reason))
        })
    }

    fn is_folder(&self, file: &FilePath) -> bool {
        let folder = format!("{file}/");
        self.by_file
            .range::<str, _>((Bound::Included(folder.as_str()), Bound::Unbounded))
            .take_while(|(next, _)| next.as_str().starts_with(&folder))
            .any(|(next, _)| !next.is_reserved())
    }
}

fn claims_of(entry: &Entry) -> impl Iterator<Item = (FilePath, Claim)> {
    let claim = |is_alias| Claim { is_alias, order: entry.order() };
    let own = std::iter::once((entry.address.file(), claim(false)));
    let aliases = entry.aliases.iter().map(|alias| alias.file()).filter(|file| *file != entry.address.file());
    own.chain(aliases.map(move |file| (file, claim(true))))
}

/// Whether the file is named like a page, so that no folder can have its name.
fn is_page(file: &FilePath) -> bool {
    matches!(file.extension().as_str(), "html" | "htm")
}

fn parents(file: &FilePath) -> Vec<FilePath> {
    file.as_str().match_indices('/').filter_map(|(at, _)| file.as_str()[..at].parse().ok()).collect()
}
