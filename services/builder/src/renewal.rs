//! Beginning the process anew, when only that ends what it is stuck in. All that it was told to do is in the database.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::quarantine::this_program;
use crate::worker::Stuck;

impl Stuck {
    /// Puts the same program, with the same arguments, in the place of a process that ended because of a build that does
    /// not stop. How any other process ended is left as it is.
    ///
    /// # Errors
    /// What the process ended with; or why it could not be replaced.
    pub fn replace_process(ended: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
        let Err(error) = ended else { return ended };
        if !error.is::<Self>() {
            return Err(error);
        }
        tracing::error!(%error, "the process begins anew");
        let mut arguments = std::env::args_os();
        let mut command = Command::new(this_program());
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        Err(command.args(arguments).exec()).context("the process could not begin anew")
    }
}
