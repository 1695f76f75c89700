//! Beginning the process anew, when only that ends what it is stuck in. All that it was told to do is in the database.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use microblog_process::ToldToStop;

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
        if !Self::calls_for_a_new_process(&error) {
            return Err(error);
        }
        let mut arguments = std::env::args_os();
        let mut command = Command::new(this_program());
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        Err(command.args(arguments).exec()).context("the process could not begin anew")
    }

    /// A process that was told to stop ends with its build.
    fn calls_for_a_new_process(error: &anyhow::Error) -> bool {
        error.is::<Self>() && !error.is::<ToldToStop>()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Error;

    use super::*;

    #[test]
    fn a_process_begins_anew_for_a_stuck_build_unless_it_was_told_to_stop() {
        let failed = || Error::from(Stuck).context("the builder has failed");
        assert!(Stuck::calls_for_a_new_process(&failed()));
        assert!(!Stuck::calls_for_a_new_process(&failed().context(ToldToStop)));
        assert!(!Stuck::calls_for_a_new_process(&Error::msg("the disk is full")));
    }
}
