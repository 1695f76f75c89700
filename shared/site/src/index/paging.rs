//! How a list is cut into pages.
//!
//! Pages are numbered from the oldest post, so that a new post leaves all full pages as they are. The list's own
//! address (`/`, `/tags/rust/`) shows the newest posts: the last full page's worth and those that do not fill a page
//! yet, so that it is never nearly empty.

use std::ops::Range;

/// One page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slice {
    /// The list's own address.
    Newest,
    /// `page/{n}/`, from 1, the oldest.
    Page(usize),
}

/// A list of `len` posts, `size` to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) len: usize,
    pub(crate) size: usize,
}

impl Paging {
    /// How many numbered pages there are; the newest full page has no number yet, since the list's address shows it.
    pub(crate) fn numbered(self) -> usize {
        (self.len / self.size).saturating_sub(1)
    }

    /// Which posts the slice shows, as positions from the oldest; `None` when there is no such page.
    pub(crate) fn range(self, slice: Slice) -> Option<Range<usize>> {
        match slice {
            Slice::Newest => Some(self.numbered() * self.size..self.len),
            Slice::Page(number) if (1..=self.numbered()).contains(&number) => {
                Some((number - 1) * self.size..number * self.size)
            }
            Slice::Page(_) => None,
        }
    }

    /// The slice that shows this position.
    pub(crate) fn slice_of(self, position: usize) -> Slice {
        let number = position / self.size + 1;
        if number <= self.numbered() { Slice::Page(number) } else { Slice::Newest }
    }

    pub(crate) fn newer(self, slice: Slice) -> Option<Slice> {
        match slice {
            Slice::Newest => None,
            Slice::Page(number) if number < self.numbered() => Some(Slice::Page(number + 1)),
            Slice::Page(_) => Some(Slice::Newest),
        }
    }

    pub(crate) fn older(self, slice: Slice) -> Option<Slice> {
        match slice {
            Slice::Newest => Some(self.numbered()).filter(|&last| last > 0).map(Slice::Page),
            Slice::Page(number) => Some(number - 1).filter(|&before| before > 0).map(Slice::Page),
        }
    }

    pub(crate) fn slices(self) -> impl Iterator<Item = Slice> {
        std::iter::once(Slice::Newest).chain((1..=self.numbered()).map(Slice::Page))
    }

    /// The slices that may differ once a post was added or removed at `position`: those from there to the newest, the
    /// one before, and the newest numbered ones, whose links to their newer neighbours may lead elsewhere.
    pub(crate) fn affected_from(self, position: usize) -> impl Iterator<Item = Slice> {
        let first = (position / self.size).min(self.numbered().saturating_sub(1)).max(1);
        std::iter::once(Slice::Newest).chain((first..=self.numbered() + 1).map(Slice::Page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_post_is_on_exactly_one_page() {
        for size in [1, 2, 3, 10] {
            for len in 0..65 {
                let paging = Paging { len, size };
                let mut shown: Vec<usize> = paging.slices().flat_map(|slice| paging.range(slice).unwrap()).collect();
                shown.sort_unstable();
                assert_eq!(shown, (0..len).collect::<Vec<_>>(), "len {len}, size {size}");
                for position in 0..len {
                    assert!(paging.range(paging.slice_of(position)).unwrap().contains(&position));
                }
            }
        }
    }

    #[test]
    fn the_links_between_pages_form_one_chain() {
        let paging = Paging { len: 57, size: 10 };
        let mut chain = vec![Slice::Newest];
        while let Some(older) = paging.older(chain[chain.len() - 1]) {
            assert_eq!(paging.newer(older), Some(chain[chain.len() - 1]));
            chain.push(older);
        }
        assert_eq!(chain.len(), paging.slices().count());
        assert_eq!(paging.range(Slice::Newest), Some(40..57));
    }

    #[test]
    fn slices_outside_the_affected_ones_stay_the_same_when_a_post_is_added() {
        let show = |paging: Paging, slice| (paging.range(slice), paging.newer(slice), paging.older(slice));
        for size in [1, 2, 3, 10] {
            for len in 0..50 {
                let (before, after) = (Paging { len, size }, Paging { len: len + 1, size });
                for position in 0..=len {
                    let affected: Vec<_> = after.affected_from(position).collect();
                    for slice in before.slices().chain(after.slices()).filter(|slice| !affected.contains(slice)) {
                        assert_eq!(show(before, slice), show(after, slice), "{slice:?} len {len} at {position}");
                        assert!(after.range(slice).unwrap().end <= position);
                    }
                }
            }
        }
    }
}
