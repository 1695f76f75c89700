//! One run: everybody at work at once, while one set of faults after the other strikes and passes.

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::course::Course;
use super::fault::Fault;
use super::figures::{Figures, Recovery};
use super::plan::{Load, Strike, Wishes};
use super::readers::Reader;
use super::stack::Stack;
use super::verdict;
use super::watchers::Watcher;
use super::writers::{self, Post, Writer};

const READERS: usize = 2;

/// A run.
pub(crate) struct Run<'a> {
    pub(crate) course: Course,
    pub(crate) stack: &'a Stack,
    pub(crate) posts: &'a [Post],
    /// Of somebody who is logged in.
    pub(crate) cookie: &'a str,
    pub(crate) wishes: Wishes,
}

impl Run<'_> {
    /// From the first edit until everything has come to rest.
    pub(crate) fn go(&self) -> Figures {
        let started = Instant::now();
        let mut figures = Figures { seed: self.wishes.seed, ..Figures::default() };
        std::thread::scope(|threads| {
            let _guard = self.course.end_on_panic();
            let writers: Vec<_> = self.posts.iter().map(|post| threads.spawn(|| self.writer(post).write())).collect();
            let readers: Vec<_> = (0..READERS).map(|_| threads.spawn(|| self.reader().read(self.posts))).collect();
            let watcher = threads.spawn(|| self.watcher().watch());
            let undecodable = self.let_faults_strike(&mut figures);
            self.course.stop_writing();
            for written in writers.into_iter().map(|writer| writer.join().unwrap()) {
                figures.edits += written.edits;
                figures.requests += written.requests;
                figures.to_live.extend(written.to_live);
            }
            let acknowledged = self.course.acknowledged();
            self.course.wait_until_seen(&acknowledged, || self.stack.state());
            verdict::wait_for_rest(self.stack);
            self.course.end();
            figures.answers = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
            let (seen, reconnected) = watcher.join().unwrap();
            (figures.watched, figures.reconnected) = (seen.len(), reconnected);
            verdict::every_edit_was_kept_once(self.stack, self.posts, &acknowledged);
            verdict::every_event_was_seen_once(self.stack, &seen);
            verdict::only_undecodable_messages_are_dead(self.stack, undecodable);
            verdict::no_service_gave_up(self.stack);
        });
        figures.failed_builds = verdict::failed_builds(self.stack);
        figures.lasted = started.elapsed();
        figures
    }

    /// One after the other; tells how many messages were sent that nobody can read.
    fn let_faults_strike(&self, figures: &mut Figures) -> u32 {
        let mut dice = SmallRng::seed_from_u64(self.wishes.seed);
        let mut undecodable = 0;
        for strike in self.wishes.plan(self.stack) {
            if self.course.is_over() {
                break;
            }
            undecodable += strike.faults.iter().map(|fault| u32::from(*fault == Fault::Undecodable)).sum::<u32>();
            let recovery = self.course.disturbed(|| self.strike(&strike, &mut dice));
            verdict::only_undecodable_messages_are_dead(self.stack, undecodable);
            super::say(&format!("{strike}: {recovery}"));
            figures.note(&strike.kind(), strike.faults.len(), recovery);
            // Writers measure how long an edit takes when nothing is disturbed.
            std::thread::sleep(Duration::from_millis(dice.random_range(500..1_500)));
        }
        undecodable
    }

    /// Lets faults strike at once, waits until they have passed, and until everything has come back.
    fn strike(&self, strike: &Strike, dice: &mut SmallRng) -> Recovery {
        let lasts = strike.faults.iter().map(|fault| fault.lasts(dice)).max().unwrap_or_default();
        let remedies: Vec<_> = strike.faults.iter().map(|fault| fault.strike(self.stack, dice)).collect();
        std::thread::sleep(lasts);
        let silence = (strike.load == Load::EndsFirst).then(|| self.course.silence());
        remedies.into_iter().rev().for_each(|remedy| remedy());
        let ready = self.stack.wait_until_ready();
        let acknowledged = self.course.acknowledged();
        let live = self.course.wait_until_seen(&acknowledged, || self.stack.state());
        drop(silence);
        verdict::the_log_in_holds_everywhere(self.stack, self.cookie);
        Recovery { ready, live }
    }

    fn writer(&self, post: &Post) -> Writer<'_> {
        let (apis, token) = (self.stack.apis(), self.stack.installation.token.clone());
        let dice = writers::dice(self.wishes.seed, post.client);
        Writer { course: &self.course, apis, token, post: post.clone(), reader: self.reader(), dice }
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.course, &self.stack.nginx)
    }

    fn watcher(&self) -> Watcher<'_> {
        let (apis, token) = (self.stack.apis(), self.stack.installation.token.clone());
        Watcher { course: &self.course, apis, token, reconnected: 0 }
    }
}
