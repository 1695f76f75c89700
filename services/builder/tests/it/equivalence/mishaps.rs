//! Builds that come to nothing: stopped, killed, short of disk, or given a broken theme.

use std::sync::Arc;

use microblog_builder::BuildError;
use microblog_builder::build_site::{Built, Control, Order, Phase, build_site};
use microblog_domain::BuildMode;
use microblog_release::Error as ReleaseError;
use microblog_release::faults::{Fault, Faults};
use proptest::prelude::*;

use super::edits::{Build, Mistake};
use super::newsroom::{Newsroom, RUNTIME};
use super::tree::{same, tree_of};

const ORDER: Order = Order { mode: BuildMode::Incremental, lease: None };

impl Newsroom {
    /// A build that comes to nothing, unless what should stop it comes too late or is not met.
    pub(super) fn go_wrong(&mut self, build: Build) -> Result<(), TestCaseError> {
        let before = tree_of(&self.build_folder());
        let came_to = match build {
            Build::Incremental | Build::Full => return Ok(()),
            Build::Restarted => {
                self.restart();
                return Ok(());
            }
            Build::Cancelled => self.cancel(),
            Build::DiskFails { at } => self.build_with_fault(at, Fault::Fail(rustix::io::Errno::NOSPC)),
            Build::Killed { at } => {
                let came_to = self.build_with_fault(at, Fault::Stop);
                self.restart();
                came_to
            }
            Build::ThemeBroken(mistake) => self.build_with_mistake(mistake),
        };
        match came_to {
            Ok(_) | Err(BuildError::Release(ReleaseError::NotDurable { .. })) => self.note_live(),
            Err(_) if matches!(build, Build::Killed { .. }) => self.note_live(),
            Err(error) => {
                same(&before, &tree_of(&self.build_folder()), &format!("after a build failed with: {error}"))?;
            }
        }
        Ok(())
    }

    fn cancel(&mut self) -> Result<Built, BuildError> {
        let control = Control::default();
        let desk = &mut self.desk;
        std::thread::scope(|scope| {
            let building = scope.spawn(|| {
                let _context = RUNTIME.enter();
                build_site(desk, ORDER, &control)
            });
            while control.progress().phase == Phase::Load && !building.is_finished() {
                std::thread::yield_now();
            }
            control.stop();
            building.join().unwrap()
        })
    }

    fn build_with_fault(&mut self, at: u64, fault: Fault) -> Result<Built, BuildError> {
        let faults = Arc::new(Faults::new(at, fault));
        *self.desk.releases_mut() = self.open_releases(Some(faults))?;
        let came_to = build_site(&mut self.desk, ORDER, &Control::default());
        *self.desk.releases_mut() = self.open_releases(None)?;
        came_to
    }

    fn build_with_mistake(&mut self, mistake: Mistake) -> Result<Built, BuildError> {
        let path = self.theme_file("templates/archive.html");
        let source = match mistake {
            Mistake::Syntax => "{% if %}",
            Mistake::Use => "{{ nothing() }}",
        };
        std::fs::write(&path, source).unwrap();
        let came_to = build_site(&mut self.desk, ORDER, &Control::default());
        std::fs::remove_file(path).unwrap();
        came_to
    }
}
