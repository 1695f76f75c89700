//! What each page is given: one type for each template. A page that lacks something its template uses does not get past
//! the tests, which render a sample of each with everything undefined being an error.

mod people;
mod publishing;
mod watching;
mod writing;

use serde::Serialize;

pub(super) use people::{
    AccountPage, ErrorPage, LogInPage, SetUpPage, SettingsFields, SettingsPage, TokenRow, UserRow, UsersPage,
};
pub(super) use publishing::{
    BuildPage, BuildPanel, BuildRow, BuildUpdate, BuildsPage, LogLine, ReleaseRow, ReleasesPage,
};
pub(super) use watching::{AlertRow, AlertsPage, ErrorRow, ErrorsPage, Hearing};
pub(super) use writing::{
    Conflict, EditorPage, Face, Filter, MediaPage, MediaRow, PostFields, PostRow, PostsPage, RevisionRow, RevisionsPage,
};

/// A page.
pub(super) trait Page: Serialize {
    /// The template that shows it.
    const TEMPLATE: &'static str;
    /// Further templates that are given the same, for parts of the page.
    const PARTS: &'static [&'static str] = &[];
}

macro_rules! pages {
    ($($page:ident $template:literal $([$($part:literal),+])?),+ $(,)?) => {
        $(
            impl Page for $page {
                const TEMPLATE: &'static str = $template;
                $(const PARTS: &'static [&'static str] = &[$($part),+];)?
            }
        )+

        #[cfg(test)]
        mod tests {
            use super::*;
            use crate::dashboard::templates::render;

            fn rendered<P: Page>(page: &P) -> Vec<(&'static str, String)> {
                let templates = std::iter::once(P::TEMPLATE).chain(P::PARTS.iter().copied());
                templates.map(|name| (name, render(name, page).unwrap_or_else(|error| panic!("{error:?}")))).collect()
            }

            fn samples() -> Vec<(&'static str, String)> {
                let mut samples = Vec::new();
                $($page::samples().iter().for_each(|page| samples.extend(rendered(page)));)+
                samples
            }

            #[test]
            fn every_page_is_given_what_its_template_uses() {
                assert!(samples().iter().all(|(_, html)| !html.trim().is_empty()));
            }

            #[test]
            fn no_page_holds_a_script_or_a_style_of_its_own() {
                for (name, html) in samples() {
                    for script in ["<script>", "<style", " style=\"", " onclick=", " onsubmit=", "javascript:"] {
                        assert!(!html.contains(script), "{name} holds {script}");
                    }
                }
            }

            #[test]
            fn every_form_that_changes_something_carries_a_csrf_token() {
                for (name, html) in samples() {
                    for form in html.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap_or(rest)) {
                        let changes = form.contains("method=\"post\"");
                        assert!(!changes || form.contains("name=\"csrf_token\" value=\"token\""), "{name}: {form}");
                    }
                }
            }

            #[test]
            fn what_people_typed_never_becomes_markup() {
                for (name, html) in samples() {
                    assert!(!html.contains("<b>hostile"), "{name}");
                }
            }
        }
    };
}

pages! {
    AccountPage "account.html",
    AlertsPage "alerts.html",
    BuildPage "build.html",
    BuildUpdate "build_panel.html",
    BuildsPage "builds.html",
    EditorPage "editor.html" ["editor_update.html"],
    ErrorPage "error.html" ["error_fragment.html"],
    ErrorsPage "errors.html",
    LogInPage "log_in.html" ["log_in_form.html"],
    MediaPage "media.html",
    PostsPage "posts.html" ["posts_list.html"],
    ReleasesPage "releases.html",
    RevisionsPage "revisions.html",
    SetUpPage "set_up.html",
    SettingsPage "settings.html",
    UsersPage "users.html",
}

#[cfg(test)]
pub(super) mod sample {
    //! Pieces of samples.

    use super::super::moments::Moment;
    use super::super::problem::Problem;

    /// A text as nobody wishes to get one.
    pub(in super::super) const HOSTILE: &str = "<b>hostile</b> \"&' {{ 7 * 7 }} </textarea></title>";

    pub(in super::super) fn moment() -> Moment {
        Moment { iso: "2026-11-20T14:03:00Z".to_owned(), text: "today, 14:03".to_owned() }
    }

    pub(in super::super) fn problem(fields: &[&str]) -> Problem {
        let fields = fields.iter().map(|field| ((*field).to_owned(), HOSTILE.to_owned())).collect();
        Problem { title: "Some values are wrong".to_owned(), detail: HOSTILE.to_owned(), fields }
    }
}
