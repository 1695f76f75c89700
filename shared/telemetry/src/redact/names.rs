//! Which fields are secret, told by their names.

/// The words that make a name secret, alone or beside others: `token`, `csrf_token`, `passwordHash`.
const SECRET_WORDS: [&[&str]; 14] = [
    &["password"],
    &["passwd"],
    &["pwd"],
    &["secret"],
    &["token"],
    &["api", "key"],
    &["apikey"],
    &["auth"],
    &["authorization"],
    &["credential"],
    &["credentials"],
    &["private", "key"],
    &["access", "key"],
    &["cookie"],
];

/// Whether the value of a field with this name must not be seen. Whole words count, so that `author` is not `auth`.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let words = words_of(name);
    SECRET_WORDS.iter().any(|secret| {
        words.windows(secret.len()).any(|part| part.iter().zip(*secret).all(|(word, secret)| is_form_of(word, secret)))
    })
}

/// `tokens` is as secret as `token`.
fn is_form_of(word: &str, secret: &str) -> bool {
    word == secret || word.strip_suffix('s') == Some(secret)
}

/// `userToken`, `user-token` and `USER_TOKEN` are the words `user` and `token`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for letter in name.chars() {
        let begins_word = !letter.is_alphanumeric() || (letter.is_uppercase() && after_lower);
        if begins_word && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        after_lower = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
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
