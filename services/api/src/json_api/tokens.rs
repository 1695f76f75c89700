//! API tokens: everybody has their own; owners see and revoke all.

use axum::extract::State;
use microblog_domain::{Role, Scope, Timestamp, TokenId, UserId};
use microblog_store::audit;
use microblog_store::tokens::{self, NewToken, Token};
use serde::Serialize;
use serde_json::json;

use super::paging::PageBody;
use crate::auth::{Caller, Secret};
use crate::change::{Answer, Change, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{Fields, FromFields, Json, PathOf};
use crate::state::App;

/// A token as clients see one.
#[derive(Debug, Serialize)]
pub(crate) struct TokenBody {
    id: TokenId,
    user: UserId,
    name: String,
    scopes: Vec<Scope>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    /// The token itself: only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl TokenBody {
    fn of(token: Token, secret: Option<&Secret>) -> Self {
        let Token { id, user, name, scopes, created_at, last_used_at, expires_at, revoked_at } = token;
        let token = secret.map(|secret| secret.reveal().to_owned());
        Self { id, user, name, scopes, created_at, last_used_at, expires_at, revoked_at, token }
    }
}

pub(crate) struct TokenCreation {
    name: String,
    scopes: Vec<Scope>,
    expires_at: Option<Timestamp>,
}

impl FromFields for TokenCreation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required::<String>("name").map(|name| name.trim().to_owned());
        let mut scopes = fields.required::<Vec<Scope>>("scopes");
        let expires_at = fields.optional("expires_at");
        if let Some(name) = &name {
            fields.check((1..=100).contains(&name.chars().count()), "name", "must have 1 to 100 characters");
        }
        if let Some(scopes) = &mut scopes {
            scopes.sort_unstable();
            scopes.dedup();
            fields.check(!scopes.is_empty(), "scopes", "must hold at least one of read, write, admin");
        }
        Some(Self { name: name?, scopes: scopes?, expires_at })
    }
}

/// `GET /tokens`
pub(crate) async fn list_tokens(State(app): State<App>, caller: Caller) -> Result<Answer, ApiError> {
    let tokens = visible(&app, &caller).await?;
    let items: Vec<_> = tokens.into_iter().map(|token| TokenBody::of(token, None)).collect();
    Answer::ok(&PageBody { items, next_cursor: None })
}

/// The tokens that the caller may see.
pub(crate) async fn visible(app: &App, caller: &Caller) -> Result<Vec<Token>, ApiError> {
    let whose = if caller.role == Role::Owner { None } else { Some(caller.user) };
    Ok(tokens::list(&mut *app.store.read().await?, whose).await?)
}

/// `POST /tokens`: the answer is the only place where the token can be read, so it is not kept for repetition.
pub(crate) async fn create_token(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    Json { body, .. }: Json<TokenCreation>,
) -> Result<Answer, ApiError> {
    let (change, token, secret) = create(&app, &caller, intent, body).await?;
    let answer = Answer::created(&format!("/api/v1/tokens/{}", token.id), &TokenBody::of(token, Some(&secret)))?;
    change.finish(answer).await
}

/// Makes a token for the caller, with its secret.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    intent: Intent,
    TokenCreation { name, scopes, expires_at }: TokenCreation,
) -> Result<(Change, Token, Secret), ApiError> {
    if let Some(scope) = scopes.iter().find(|scope| !caller.has_scope(**scope)) {
        return Err(ApiError::forbidden(format!("A token can not give what it lacks itself: the scope {scope}.")));
    }
    if expires_at.is_some_and(|at| at <= app.clock.now()) {
        return Err(ApiError::invalid_field("expires_at", "must be in the future"));
    }
    let secret = Secret::generate_token();
    let new = NewToken { hash: secret.hash(), user: caller.user, name, scopes, expires_at };
    let mut change = intent.begin_anew(app).await?;
    let token = tokens::create(&mut change.tx, &new, change.origin.at).await?;
    let detail = json!({"scopes": token.scopes});
    audit::record(&mut change.tx, &change.origin, "token.create", &token.id.to_string(), &detail).await?;
    Ok((change, token, secret))
}

/// `DELETE /tokens/{id}`
pub(crate) async fn revoke_token(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    PathOf(id): PathOf<TokenId>,
) -> Result<Answer, ApiError> {
    revoke(&app, &caller, intent, id).await?;
    Ok(Answer::done())
}

/// Makes a token useless, if the caller may.
pub(crate) async fn revoke(app: &App, caller: &Caller, intent: Intent, id: TokenId) -> Result<(), ApiError> {
    let mut change = intent.begin_anew(app).await?;
    let token = tokens::get(&mut change.tx, id).await.named("token")?;
    if caller.role < Role::Owner && token.user != caller.user {
        return Err(ApiError::not_found("token"));
    }
    tokens::revoke(&mut change.tx, id, change.origin.at).await?;
    audit::record(&mut change.tx, &change.origin, "token.revoke", &id.to_string(), &json!({})).await?;
    change.keep().await
}
