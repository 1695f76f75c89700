//! The form of the editor: from a post to texts in fields, and from there to the same input that the JSON API takes.

use microblog_domain::{PostContent, PostKind};
use serde_json::{Map, Value, json};

use super::form::FormData;
use super::moments::Moments;
use super::pages::PostFields;
use crate::error::ApiError;
use crate::input::Fields;
use crate::json_api::posts::PostInput;

impl PostFields {
    /// A post in fields.
    pub(super) fn of(content: &PostContent, moments: &Moments) -> Self {
        let joined = |texts: &mut dyn Iterator<Item = String>, by: &str| texts.collect::<Vec<_>>().join(by);
        Self {
            title: content.title.clone().unwrap_or_default(),
            markdown: content.markdown.clone(),
            slug: content.slug.to_string(),
            is_page: content.kind == PostKind::Page,
            published_at: content.published_at.map(|at| moments.local(at)).unwrap_or_default(),
            tags: joined(&mut content.tags.iter().map(ToString::to_string), ", "),
            description: content.description.clone().unwrap_or_default(),
            image: content.image.clone().unwrap_or_default(),
            authors: joined(&mut content.authors.iter().cloned(), ", "),
            aliases: joined(&mut content.aliases.iter().map(ToString::to_string), "\n"),
            permalink: content.permalink.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// The fields as they were typed.
    pub(super) fn typed(form: &FormData) -> Self {
        let text = |name| form.text(name).to_owned();
        Self {
            title: text("title"),
            markdown: text("markdown"),
            slug: text("slug"),
            is_page: form.text("kind") == "page",
            published_at: text("published_at"),
            tags: text("tags"),
            description: text("description"),
            image: text("image"),
            authors: text("authors"),
            aliases: text("aliases"),
            permalink: text("permalink"),
        }
    }

    /// What the fields ask for. `before` is the post as it is: what the form does not show is taken from there.
    pub(super) fn input(
        &self,
        wish: Option<&str>,
        before: Option<&PostContent>,
        moments: &Moments,
    ) -> Result<PostInput, ApiError> {
        let mut object = Map::new();
        let mut give = |name: &str, value: Value| object.insert(name.to_owned(), value);
        give("kind", json!(self.kind()));
        give("markdown", json!(self.markdown));
        give("tags", json!(parts(&self.tags, ',')));
        give("authors", json!(parts(&self.authors, ',')));
        give("aliases", json!(parts(&self.aliases, '\n')));
        give("status", json!(wish));
        give("extra", json!(before.map(|before| &before.extra)));
        give("published_at", json!(self.date(before, moments)?));
        let texts = [
            ("title", &self.title),
            ("slug", &self.slug),
            ("description", &self.description),
            ("image", &self.image),
            ("permalink", &self.permalink),
        ];
        for (name, text) in texts {
            give(name, json!(Some(text.trim()).filter(|text| !text.is_empty())));
        }
        Fields::read(object)
    }

    fn kind(&self) -> PostKind {
        match (self.is_page, self.title.trim().is_empty()) {
            (true, _) => PostKind::Page,
            (false, true) => PostKind::Note,
            (false, false) => PostKind::Article,
        }
    }

    fn date(&self, before: Option<&PostContent>, moments: &Moments) -> Result<Option<String>, ApiError> {
        let text = self.published_at.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let at = moments.read_local(text, before.and_then(|before| before.published_at));
        let at = at.ok_or_else(|| {
            ApiError::invalid_field("published_at", "must be a date and a time such as 2026-11-20T14:03")
        })?;
        Ok(Some(at.to_string()))
    }
}

/// The parts of a list in one text; empty ones do not count.
fn parts(text: &str, by: char) -> Vec<&str> {
    text.split(by).map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use microblog_domain::Timestamp;

    use super::*;

    fn moments() -> Moments {
        Moments::new("Europe/Berlin".parse().unwrap(), Timestamp::UNIX_EPOCH)
    }

    fn content() -> PostContent {
        serde_json::from_value(json!({
            "kind": "article", "title": "A title", "slug": "a-title", "markdown": "Text\n",
            "published_at": "2026-11-20T09:15:30.123456Z", "tags": ["Rust", "C++"], "description": "About it",
            "image": "/media/x.png", "authors": ["Ada", "Grace"], "aliases": ["/old/", "/older/"],
            "permalink": "/own/", "extra": {"mood": "good"},
        }))
        .unwrap()
    }

    #[test]
    fn a_post_goes_through_the_form_unchanged() {
        let fields = PostFields::of(&content(), &moments());
        let input = fields.input(None, Some(&content()), &moments()).unwrap();
        assert_eq!(input.content_of_existing(&content(), &"UTC".parse().unwrap()).unwrap(), content());
    }

    #[test]
    fn every_mistake_names_its_field() {
        let wrong = PostFields { slug: "../x".to_owned(), tags: "🎉".to_owned(), ..PostFields::default() };
        let error = wrong.input(None, None, &moments()).unwrap_err();
        let fields: Vec<_> = error.fields().iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["slug", "tags[0]", "markdown"]);
        let wrong = PostFields { markdown: "x".to_owned(), published_at: "soon".to_owned(), ..PostFields::default() };
        assert_eq!(wrong.input(None, None, &moments()).unwrap_err().fields()[0].field, "published_at");
    }
}
