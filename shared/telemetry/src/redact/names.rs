//! Which fields are secret, told by their names.

/// The words that make a name secret, alone or beside others: `token`, `csrf_token`, `passwordHash`.
const SECRET_WORDS: [&str; 11] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "cookie",
];

/// The same of two words that follow each other.
const SECRET_PAIRS: [(&str, &str); 3] = [("api", "key"), ("private", "key"), ("access", "key")];

/// Whether the value of a field with this name must not be seen. Whole words count, so that `author` is not `auth`. Asked
/// for every field of every line, so it makes nothing that has to be freed.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let mut before = "";
    words_of(name).any(|word| {
        let is_pair = |(first, second): &(&str, &str)| is_form_of(before, first) && is_form_of(word, second);
        let is_secret = SECRET_WORDS.iter().any(|secret| is_form_of(word, secret)) || SECRET_PAIRS.iter().any(is_pair);
        before = word;
        is_secret
    })
}

/// In any case; `tokens` is as secret as `token`.
fn is_form_of(word: &str, secret: &str) -> bool {
    let singular = word.strip_suffix(['s', 'S']);
    word.eq_ignore_ascii_case(secret) || singular.is_some_and(|word| word.eq_ignore_ascii_case(secret))
}

/// `userToken`, `user-token` and `USER_TOKEN` are two words each.
fn words_of(name: &str) -> impl Iterator<Item = &str> {
    name.split(|letter: char| !letter.is_alphanumeric()).flat_map(humps)
}

/// `userToken` has two.
fn humps(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut after_lower = false;
        let begins_hump = |(_, letter): &(usize, char)| {
            let begins = letter.is_uppercase() && after_lower;
            after_lower = letter.is_lowercase();
            begins
        };
        let end = rest.char_indices().find(begins_hump).map_or(rest.len(), |(at, _)| at);
        let (hump, others) = rest.split_at(end);
        rest = others;
        (!hump.is_empty()).then_some(hump)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_any_case_and_company() {
        for name in [
            "password",
            "PASSWORD",
            "user.passwd",
            "pwd",
            "clientSecret",
            "csrf_token",
            "tokens",
            "api_key",
            "API-Key",
            "apikey",
            "auth",
            "Authorization",
            "credentials",
            "private_key",
            "aws_access_key_id",
            "set-cookie",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_look_like_secrets_are_shown() {
        for name in ["author", "authors", "key", "slug", "tokenizer", "message", ""] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
