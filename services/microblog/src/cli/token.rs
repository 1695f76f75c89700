//! `microblog token`: secrets for programs that use the API.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use microblog_api::Secret;
use microblog_config::Settings;
use microblog_domain::Scope;
use microblog_store::tokens::{self, NewToken};
use microblog_store::users;

use crate::cli::installation::{block_on, clock_of, open_existing_store};
use crate::cli::report;

/// Make secrets for programs that use the API.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it, once: only its hash is kept.
    Create {
        /// In whose name it acts.
        #[arg(long)]
        user: String,
        /// What it is for, to be told apart from others.
        #[arg(long, default_value = "command line")]
        name: String,
        /// read, write or admin; may be given several times.
        #[arg(long = "scope", value_name = "SCOPE", default_values = ["read", "write"])]
        scopes: Vec<Scope>,
    },
}

pub(crate) fn run(args: TokenArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let TokenCommand::Create { user, name, scopes } = args.command;
    let secret = block_on(create(settings, &user, name, scopes))?;
    report::print(secret.reveal());
    Ok(ExitCode::SUCCESS)
}

async fn create(settings: &Settings, user: &str, name: String, mut scopes: Vec<Scope>) -> anyhow::Result<Secret> {
    scopes.sort_unstable();
    scopes.dedup();
    let store = open_existing_store(settings).await?;
    let now = clock_of(&store).await?.now();
    let mut tx = store.begin().await?;
    let found = users::find_by_name(&mut tx, user).await?;
    let owner = found.with_context(|| format!("nobody is called {user:?}; see `microblog user list`"))?.user.id;
    let secret = Secret::generate_token();
    let new = NewToken { hash: secret.hash(), user: owner, name, scopes, expires_at: None };
    tokens::create(&mut tx, &new, now).await?;
    tx.commit().await?;
    store.close().await;
    Ok(secret)
}
