//! Pages about who is who and what the site is: log-in, set-up, account, users, settings; and errors.

use std::collections::BTreeMap;

use microblog_domain::{Role, TokenId, UserId, Version};
use serde::Serialize;

use super::super::frame::Frame;
use super::super::moments::Moment;
use super::super::problem::Problem;

/// The first run.
#[derive(Debug, Serialize)]
pub(in super::super) struct SetUpPage {
    pub(in super::super) csrf_token: String,
    /// Whether the link may be used.
    pub(in super::super) is_open: bool,
    /// The secret of the link.
    pub(in super::super) token: String,
    pub(in super::super) name: String,
    pub(in super::super) min_password_length: u32,
    pub(in super::super) problem: Option<Problem>,
}

/// Logging in.
#[derive(Debug, Serialize)]
pub(in super::super) struct LogInPage {
    pub(in super::super) csrf_token: String,
    pub(in super::super) name: String,
    /// Where to go then.
    pub(in super::super) next: String,
    pub(in super::super) flash: Option<&'static str>,
    /// Whether there is nobody yet who could log in.
    pub(in super::super) needs_set_up: bool,
    pub(in super::super) problem: Option<Problem>,
}

/// Something that went wrong.
#[derive(Debug, Serialize)]
pub(in super::super) struct ErrorPage {
    pub(in super::super) status: u16,
    pub(in super::super) code: &'static str,
    pub(in super::super) title: &'static str,
    pub(in super::super) detail: String,
    pub(in super::super) advice: &'static str,
    pub(in super::super) request_id: String,
}

/// The settings, as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in super::super) struct SettingsFields {
    pub(in super::super) title: String,
    pub(in super::super) description: String,
    pub(in super::super) author: String,
    pub(in super::super) base_url: String,
    pub(in super::super) language: String,
    pub(in super::super) timezone: String,
    pub(in super::super) permalink: String,
    pub(in super::super) posts_per_page: String,
    pub(in super::super) feed_items: String,
    pub(in super::super) menu: String,
    pub(in super::super) highlight: bool,
}

/// The settings of the site.
#[derive(Debug, Serialize)]
pub(in super::super) struct SettingsPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) fields: SettingsFields,
    pub(in super::super) version: Version,
    pub(in super::super) problem: Option<Problem>,
    /// What somebody else saved meanwhile, where it differs.
    pub(in super::super) theirs: BTreeMap<&'static str, String>,
}

/// Somebody who can log in.
#[derive(Debug, Serialize)]
pub(in super::super) struct UserRow {
    pub(in super::super) id: UserId,
    pub(in super::super) name: String,
    pub(in super::super) role: Role,
    pub(in super::super) at: Moment,
    pub(in super::super) is_disabled: bool,
    pub(in super::super) is_self: bool,
}

/// The people.
#[derive(Debug, Serialize)]
pub(in super::super) struct UsersPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) users: Vec<UserRow>,
    /// The name and the role that were typed for a new one.
    pub(in super::super) name: String,
    pub(in super::super) role: String,
    pub(in super::super) min_password_length: u32,
    pub(in super::super) problem: Option<Problem>,
}

/// An API token, without its secret.
#[derive(Debug, Serialize)]
pub(in super::super) struct TokenRow {
    pub(in super::super) id: TokenId,
    pub(in super::super) name: String,
    pub(in super::super) scopes: String,
    pub(in super::super) at: Moment,
    pub(in super::super) last_used: Option<Moment>,
    pub(in super::super) expires: Option<Moment>,
}

/// One's own account.
#[derive(Debug, Serialize)]
pub(in super::super) struct AccountPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) role: Role,
    pub(in super::super) min_password_length: u32,
    pub(in super::super) tokens: Vec<TokenRow>,
    /// The secret of a token that was just made: shown this once.
    pub(in super::super) new_token: Option<String>,
    pub(in super::super) password_problem: Option<Problem>,
    pub(in super::super) token_problem: Option<Problem>,
}

#[cfg(test)]
mod samples {
    use microblog_domain::Timestamp;

    use super::super::sample::{HOSTILE, moment, problem};
    use super::*;

    fn hostile() -> String {
        HOSTILE.to_owned()
    }

    impl SetUpPage {
        pub(crate) fn samples() -> Vec<Self> {
            let page = |is_open, problem| Self {
                csrf_token: "token".to_owned(),
                is_open,
                token: hostile(),
                name: hostile(),
                min_password_length: 10,
                problem,
            };
            vec![page(true, None), page(true, Some(problem(&["name", "password"]))), page(false, None)]
        }
    }

    impl LogInPage {
        pub(crate) fn samples() -> Vec<Self> {
            let page = |flash, needs_set_up, problem| Self {
                csrf_token: "token".to_owned(),
                name: hostile(),
                next: hostile(),
                flash,
                needs_set_up,
                problem,
            };
            vec![page(None, true, None), page(Some("You are logged out."), false, Some(problem(&[])))]
        }
    }

    impl ErrorPage {
        pub(crate) fn samples() -> Vec<Self> {
            let page = |advice| Self {
                status: 404,
                code: "not_found",
                title: "Not found",
                detail: hostile(),
                advice,
                request_id: hostile(),
            };
            vec![page(""), page("Go back.")]
        }
    }

    impl SettingsPage {
        pub(crate) fn samples() -> Vec<Self> {
            let page = |problem, theirs| Self {
                frame: Frame::sample(),
                fields: SettingsFields { title: hostile(), menu: hostile(), ..SettingsFields::default() },
                version: Version(2),
                problem,
                theirs,
            };
            let theirs = BTreeMap::from([("title", hostile())]);
            vec![page(None, BTreeMap::new()), page(Some(problem(&["title", "menu"])), theirs)]
        }
    }

    impl UsersPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |role, is_self: bool| UserRow {
                id: UserId::generate(Timestamp::UNIX_EPOCH),
                name: hostile(),
                role,
                at: moment(),
                is_disabled: !is_self,
                is_self,
            };
            let page = |problem| Self {
                frame: Frame::sample(),
                users: vec![row(Role::Owner, true), row(Role::Author, false)],
                name: hostile(),
                role: "editor".to_owned(),
                min_password_length: 10,
                problem,
            };
            vec![page(None), page(Some(problem(&["name", "password"])))]
        }
    }

    impl AccountPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |at: Option<Moment>| TokenRow {
                id: TokenId::generate(Timestamp::UNIX_EPOCH),
                name: hostile(),
                scopes: "read, write".to_owned(),
                at: moment(),
                last_used: at.clone(),
                expires: at,
            };
            let page = |tokens, new_token: Option<&str>, problem: Option<Problem>| Self {
                frame: Frame::sample(),
                role: Role::Owner,
                min_password_length: 10,
                tokens,
                new_token: new_token.map(str::to_owned),
                password_problem: problem.clone(),
                token_problem: problem,
            };
            vec![
                page(vec![row(None), row(Some(moment()))], Some("mb_secret"), None),
                page(Vec::new(), None, Some(problem(&["current_password", "name", "scopes"]))),
            ]
        }
    }
}
