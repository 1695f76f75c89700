//! `microblog user`: who can log in.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use microblog_api::Passwords;
use microblog_config::Settings;
use microblog_domain::Role;
use microblog_store::audit;
use microblog_store::users::{self, NewUser};
use serde_json::json;

use crate::cli::installation::{block_on, clock_of, open_existing_store, open_store, origin};
use crate::cli::report;

/// Longer ones would only keep the processor busy.
const MAX_PASSWORD_BYTES: u64 = 1_024;

/// Add and list the people who can log in, and give them new passwords.
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add somebody. Their password is read from standard input.
    Add {
        /// The name to log in with.
        #[arg(value_parser = name)]
        name: String,
        /// owner, editor or author.
        #[arg(long)]
        role: Role,
        /// Read the password from standard input, where it leaves no trace in the history of the shell.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Give somebody a new password, as when they forgot theirs. It is read from standard input and ends their log-ins.
    Password {
        /// The name that they log in with.
        name: String,
        /// Read the password from standard input, where it leaves no trace in the history of the shell.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List everybody.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: UserArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    match args.command {
        UserCommand::Add { name, role, .. } => {
            let password = read_password(settings.auth.min_password_length)?;
            block_on(add(settings, name, role, password))?;
        }
        UserCommand::Password { name, .. } => {
            let password = read_password(settings.auth.min_password_length)?;
            block_on(change_password(settings, &name, password))?;
        }
        UserCommand::List { json } => block_on(list(settings, json))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A name that people can be called by.
fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_fine = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if is_fine { Ok(name.to_owned()) } else { Err("a name has 1 to 100 characters".to_owned()) }
}

/// The first line of standard input.
fn read_password(least: u32) -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(MAX_PASSWORD_BYTES + 2).read_to_string(&mut text).context("reading the password")?;
    let password = text.lines().next().unwrap_or_default().to_owned();
    let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    ensure!(length >= least, "the password must have at least {least} characters; it is read from standard input");
    ensure!(password.len() as u64 <= MAX_PASSWORD_BYTES, "the password may have {MAX_PASSWORD_BYTES} bytes");
    Ok(password)
}

async fn add(settings: &Settings, name: String, role: Role, password: String) -> anyhow::Result<()> {
    let password_hash = Passwords::default().hash(password).await.context("hashing the password")?;
    let store = open_store(settings).await?;
    let now = clock_of(&store).await?.now();
    let mut tx = store.begin().await?;
    let user = match users::create(&mut tx, &NewUser { name, password_hash, role }, now).await {
        Err(microblog_store::StoreError::Taken { .. }) => bail!("somebody has this name already; choose another"),
        created => created?,
    };
    tx.commit().await?;
    store.close().await;
    report::say(format_args!("Added {} as {}.", user.name, user.role));
    Ok(())
}

async fn change_password(settings: &Settings, name: &str, password: String) -> anyhow::Result<()> {
    let password_hash = Passwords::default().hash(password).await.context("hashing the password")?;
    let store = open_existing_store(settings).await?;
    let origin = origin(&*clock_of(&store).await?);
    let mut tx = store.begin().await?;
    let found = users::find_by_name(&mut tx, name).await?;
    let user = found.with_context(|| format!("nobody is called {name:?}; see `microblog user list`"))?.user;
    users::set_password(&mut tx, user.id, &password_hash).await?;
    let detail = json!({"password_changed": true});
    audit::record(&mut tx, &origin, "user.change", &user.id.to_string(), &detail).await?;
    tx.commit().await?;
    store.close().await;
    report::say(format_args!("{} has a new password, and must log in again.", user.name));
    Ok(())
}

async fn list(settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    let store = open_existing_store(settings).await?;
    let users = users::list(&mut *store.read().await?).await?;
    store.close().await;
    if as_json {
        let users: Vec<_> = users
            .iter()
            .map(|user| json!({"id": user.id, "name": user.name, "role": user.role, "disabled": user.disabled}))
            .collect();
        return report::answer(&users);
    }
    for user in users {
        let note = if user.disabled { ", locked out" } else { "" };
        report::print(format_args!("{} ({}{note})", user.name, user.role));
    }
    Ok(())
}
