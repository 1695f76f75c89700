//! Pages for writing: posts, the editor, earlier texts, uploads.

use microblog_domain::{MediaId, PostId, PostStatus, RevisionNumber, Version};
use serde::Serialize;

use super::super::frame::Frame;
use super::super::moments::Moment;
use super::super::problem::Problem;
use super::BuildPanel;

/// What the list of posts can be narrowed to.
#[derive(Debug, Serialize)]
pub(in super::super) struct Filter {
    pub(in super::super) label: &'static str,
    /// The word in the address; empty for all.
    pub(in super::super) word: &'static str,
    pub(in super::super) count: u64,
    pub(in super::super) is_current: bool,
}

/// A post in a list.
#[derive(Debug, Serialize)]
pub(in super::super) struct PostRow {
    pub(in super::super) id: PostId,
    /// The title, or the first words of a note.
    pub(in super::super) name: String,
    pub(in super::super) is_note: bool,
    pub(in super::super) status: PostStatus,
    pub(in super::super) status_label: &'static str,
    pub(in super::super) when: Moment,
    pub(in super::super) tags: Vec<String>,
    pub(in super::super) url: Option<String>,
}

/// The list of posts.
#[derive(Debug, Serialize)]
pub(in super::super) struct PostsPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) filters: Vec<Filter>,
    /// The word of the filter that is chosen.
    pub(in super::super) filter: &'static str,
    pub(in super::super) query: String,
    pub(in super::super) posts: Vec<PostRow>,
    /// The address of what follows.
    pub(in super::super) more: Option<String>,
    /// Whether there is no post at all.
    pub(in super::super) is_blank: bool,
}

/// A post as the editor knows it, besides what can be typed.
#[derive(Debug, Serialize)]
pub(in super::super) struct Face {
    /// Missing while it was never saved.
    pub(in super::super) id: Option<PostId>,
    /// Where the form goes.
    pub(in super::super) action: String,
    pub(in super::super) status: PostStatus,
    pub(in super::super) status_label: &'static str,
    /// What the form was made from; empty while it was never saved.
    pub(in super::super) version: String,
    pub(in super::super) saved: Option<Moment>,
    pub(in super::super) url: Option<String>,
    pub(in super::super) set_aside_reason: Option<String>,
    pub(in super::super) may_change: bool,
}

/// What can be typed, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in super::super) struct PostFields {
    pub(in super::super) title: String,
    pub(in super::super) markdown: String,
    pub(in super::super) slug: String,
    pub(in super::super) is_page: bool,
    pub(in super::super) published_at: String,
    pub(in super::super) tags: String,
    pub(in super::super) description: String,
    pub(in super::super) image: String,
    pub(in super::super) authors: String,
    pub(in super::super) aliases: String,
    pub(in super::super) permalink: String,
}

/// What somebody else saved meanwhile.
#[derive(Debug, Serialize)]
pub(in super::super) struct Conflict {
    pub(in super::super) by: String,
    pub(in super::super) is_own: bool,
    pub(in super::super) at: Moment,
    pub(in super::super) version: Version,
    pub(in super::super) theirs: PostFields,
    pub(in super::super) mine: PostFields,
}

/// The editor.
#[derive(Debug, Serialize)]
pub(in super::super) struct EditorPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) post: Face,
    pub(in super::super) fields: PostFields,
    pub(in super::super) zone: String,
    pub(in super::super) problem: Option<Problem>,
    pub(in super::super) conflict: Option<Conflict>,
    /// The build that brings what was saved to the readers.
    pub(in super::super) panel: Option<BuildPanel>,
}

/// An earlier text.
#[derive(Debug, Serialize)]
pub(in super::super) struct RevisionRow {
    pub(in super::super) number: RevisionNumber,
    pub(in super::super) at: Moment,
    pub(in super::super) by: String,
    pub(in super::super) is_current: bool,
    pub(in super::super) is_conflict: bool,
    pub(in super::super) title: Option<String>,
    pub(in super::super) markdown: String,
}

/// The texts of a post.
#[derive(Debug, Serialize)]
pub(in super::super) struct RevisionsPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) post: PostId,
    pub(in super::super) name: String,
    pub(in super::super) may_change: bool,
    pub(in super::super) revisions: Vec<RevisionRow>,
    pub(in super::super) more: Option<String>,
}

/// An upload.
#[derive(Debug, Serialize)]
pub(in super::super) struct MediaRow {
    pub(in super::super) id: MediaId,
    pub(in super::super) url: String,
    pub(in super::super) name: String,
    pub(in super::super) is_image: bool,
    pub(in super::super) size: String,
    pub(in super::super) dimensions: Option<(u32, u32)>,
    pub(in super::super) at: Moment,
    /// For a post.
    pub(in super::super) markdown: String,
    pub(in super::super) may_delete: bool,
}

/// The uploads.
#[derive(Debug, Serialize)]
pub(in super::super) struct MediaPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) items: Vec<MediaRow>,
    pub(in super::super) more: Option<String>,
}

#[cfg(test)]
mod samples {
    use microblog_domain::Timestamp;

    use super::super::sample::{HOSTILE, moment, problem};
    use super::*;

    fn hostile() -> String {
        HOSTILE.to_owned()
    }

    impl PostsPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |is_note, status| PostRow {
                id: PostId::generate(Timestamp::UNIX_EPOCH),
                name: hostile(),
                is_note,
                status,
                status_label: "Draft",
                when: moment(),
                tags: vec![hostile()],
                url: (!is_note).then(hostile),
            };
            let filter = |is_current| Filter { label: "All", word: "", count: 3, is_current };
            let page = |posts: Vec<PostRow>, query: &str, is_blank| Self {
                frame: Frame::sample(),
                filters: vec![filter(true), filter(false)],
                filter: "draft",
                query: query.to_owned(),
                more: posts.first().map(|_| "/dashboard/posts?cursor=x".to_owned()),
                posts,
                is_blank,
            };
            let rows = vec![row(true, PostStatus::Draft), row(false, PostStatus::Published)];
            vec![page(rows, HOSTILE, false), page(Vec::new(), HOSTILE, false), page(Vec::new(), "", true)]
        }
    }

    impl PostFields {
        pub(crate) fn sample() -> Self {
            Self { title: hostile(), markdown: hostile(), tags: hostile(), image: hostile(), ..Self::default() }
        }
    }

    impl EditorPage {
        pub(crate) fn samples() -> Vec<Self> {
            let face = |id: Option<PostId>, status, may_change| Face {
                id,
                action: "/dashboard/posts".to_owned(),
                status,
                status_label: "Draft",
                version: id.map(|_| "3".to_owned()).unwrap_or_default(),
                saved: id.map(|_| moment()),
                url: id.map(|_| hostile()),
                set_aside_reason: id.map(|_| hostile()),
                may_change,
            };
            let page = |post| Self {
                frame: Frame::sample(),
                post,
                fields: PostFields::sample(),
                zone: "Europe/Berlin".to_owned(),
                problem: None,
                conflict: None,
                panel: None,
            };
            let conflict = Conflict {
                by: hostile(),
                is_own: false,
                at: moment(),
                version: Version(4),
                theirs: PostFields::sample(),
                mine: PostFields::sample(),
            };
            let id = Some(PostId::generate(Timestamp::UNIX_EPOCH));
            let statuses =
                [PostStatus::Scheduled, PostStatus::Published, PostStatus::Trashed, PostStatus::Unpublishable];
            let mut pages: Vec<_> = statuses.map(|status| page(face(id, status, true))).into();
            pages.extend([
                page(face(None, PostStatus::Draft, true)),
                page(face(id, PostStatus::Draft, false)),
                Self { problem: Some(problem(&["slug", "tags"])), ..page(face(id, PostStatus::Draft, true)) },
                Self { conflict: Some(conflict), ..page(face(id, PostStatus::Draft, true)) },
                Self { panel: BuildPanel::samples().pop(), ..page(face(id, PostStatus::Published, true)) },
            ]);
            pages
        }
    }

    impl RevisionsPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |number, is_conflict| RevisionRow {
                number: RevisionNumber(number),
                at: moment(),
                by: hostile(),
                is_current: number == 2,
                is_conflict,
                title: is_conflict.then(hostile),
                markdown: hostile(),
            };
            vec![Self {
                frame: Frame::sample(),
                post: PostId::generate(Timestamp::UNIX_EPOCH),
                name: hostile(),
                may_change: true,
                revisions: vec![row(2, false), row(1, true)],
                more: Some("?cursor=1".to_owned()),
            }]
        }
    }

    impl MediaPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |is_image: bool| MediaRow {
                id: MediaId::generate(Timestamp::UNIX_EPOCH),
                url: "/media/0/x.png".to_owned(),
                name: hostile(),
                is_image,
                size: "12 KB".to_owned(),
                dimensions: is_image.then_some((3, 4)),
                at: moment(),
                markdown: hostile(),
                may_delete: is_image,
            };
            let page = |items: Vec<_>, more| Self { frame: Frame::sample(), items, more };
            vec![page(vec![row(true), row(false)], Some("?cursor=x".to_owned())), page(Vec::new(), None)]
        }
    }
}
