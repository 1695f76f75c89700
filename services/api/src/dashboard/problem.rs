//! What is wrong with a form, told beside its fields.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Serialize;

use crate::error::{ApiError, ErrorCode, render, sentence};

/// Why a form was not taken, for the page that shows it again with everything that was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    pub(super) title: String,
    pub(super) detail: String,
    /// Each wrong field with what is expected of it.
    pub(super) fields: BTreeMap<String, String>,
}

impl Problem {
    /// A problem that the form itself can be shown with again, and its status. Others get a page of their own.
    pub(super) fn with_form(error: ApiError) -> Result<(StatusCode, Self), ApiError> {
        use ErrorCode::{Conflict, CsrfRejected, InvalidInput, Stale, WrongCredentials};
        if !matches!(error.code(), Conflict | CsrfRejected | InvalidInput | Stale | WrongCredentials) {
            return Err(error);
        }
        render::report(&error);
        Ok((error.code().status(), Self::of(&error)))
    }

    /// What an error says.
    pub(super) fn of(error: &ApiError) -> Self {
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        for wrong in error.fields() {
            let told = fields.entry(base(&wrong.field).to_owned()).or_default();
            let space = if told.is_empty() { "" } else { " " };
            *told = format!("{told}{space}{}", sentence(&wrong.message));
        }
        Self { title: error.code().title().to_owned(), detail: error.detail().to_owned(), fields }
    }
}

/// The field of the form: `tags` for `tags[2]`.
fn base(field: &str) -> &str {
    field.split(['[', '.']).next().unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldError;

    #[test]
    fn mistakes_of_one_field_are_told_together() {
        let wrong = |field: &str, message: &str| FieldError { field: field.to_owned(), message: message.to_owned() };
        let error =
            ApiError::invalid(vec![wrong("tags[0]", "is empty"), wrong("tags[2]", "is long"), wrong("slug", "no")]);
        let (status, problem) = Problem::with_form(error).unwrap();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem.fields["tags"], "Is empty. Is long.");
        assert_eq!(problem.fields["slug"], "No.");
    }

    #[test]
    fn what_no_form_can_mend_is_not_shown_with_it() {
        assert!(Problem::with_form(ApiError::internal("x")).is_err());
        assert!(Problem::with_form(ApiError::new(ErrorCode::Forbidden, "x")).is_err());
    }
}
