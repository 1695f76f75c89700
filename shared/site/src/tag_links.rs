//! The links of tags, as templates see them: each is made once and shared by all posts with the tag, since tags are few
//! and posts are many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use microblog_domain::{Tag, UrlPath};
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};

/// All that were made so far, for one site.
#[derive(Debug, Default)]
pub(crate) struct TagLinks(Mutex<HashMap<Tag, Value>>);

impl TagLinks {
    /// A tag and the address of its page.
    pub(crate) fn get(&self, tag: &Tag, base_path: &str) -> Value {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(tag) {
            return link.clone();
        }
        let link = Value::from_object(TagLink::new(tag, base_path));
        links.insert(tag.clone(), link.clone());
        link
    }
}

#[derive(Debug)]
struct TagLink {
    title: Value,
    url: Value,
}

impl TagLink {
    fn new(tag: &Tag, base_path: &str) -> Self {
        let url = UrlPath::folder(["tags", tag.slug().as_str()]).map(|path| path.href()).unwrap_or_default();
        Self { title: Value::from(tag.name()), url: Value::from_safe_string(format!("{base_path}{url}")) }
    }
}

impl Object for TagLink {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "title" => Some(self.title.clone()),
            "url" => Some(self.url.clone()),
            _ => None,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}
