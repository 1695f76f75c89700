//! How far a build is, and what happened to it, in words.

use jiff::SignedDuration;
use microblog_domain::{BuildMode, BuildState, BuildStep, SiteSettings};
use microblog_store::Connection;
use microblog_store::builds::events::{self, BuildEvent};
use microblog_store::builds::{self, Build};

use super::super::moments::Moments;
use super::super::pages::{BuildPanel, LogLine};
use crate::error::ApiError;

/// More events than a build has, with room to spare.
const ALL: u32 = 1_000;

/// The panel of a build, as it is now.
pub(in super::super) async fn panel(
    conn: &mut Connection,
    build: Build,
    site: &SiteSettings,
    moments: &Moments,
) -> Result<BuildPanel, ApiError> {
    let position = builds::position(conn, &build).await?;
    let events = events::of_build(conn, build.id, 0, ALL).await?;
    let progress = progress(&build, &events);
    Ok(BuildPanel {
        id: build.id,
        state: build.state,
        is_final: build.state.is_final(),
        summary: summary(&build, position, &events, moments),
        progress,
        log: log(&events, moments),
        site_url: format!("{}/", site.base_url),
    })
}

/// The pages that are done, while it renders.
fn progress(build: &Build, events: &[BuildEvent]) -> Option<(u64, u64)> {
    let newest = events.last().filter(|_| build.state == BuildState::Running)?;
    match newest.step {
        BuildStep::Rendering { done, total } => Some((done, total)),
        _ => None,
    }
}

fn summary(build: &Build, position: Option<u32>, events: &[BuildEvent], moments: &Moments) -> String {
    match build.state {
        BuildState::Waiting if build.attempt > 0 => {
            format!("It will be tried again: {}.", moments.of(build.run_after).text)
        }
        BuildState::Waiting => match position {
            Some(place) if place > 1 => format!("Waiting in place {place}: another build runs first."),
            _ => "Waiting: it is next.".to_owned(),
        },
        BuildState::Running if build.cancel_requested => "Stopping.".to_owned(),
        BuildState::Running => {
            events.last().map_or_else(|| "Working.".to_owned(), |newest| sentence(&newest.step, moments))
        }
        BuildState::Succeeded => success(build),
        BuildState::Failed => {
            let reason = build.error.as_deref().unwrap_or("for an unknown reason");
            format!("Failed: {reason}. Readers keep the release they have.")
        }
        BuildState::Cancelled => "Called off. Readers keep the release they have.".to_owned(),
        BuildState::Superseded => "A later build took its work over.".to_owned(),
    }
}

fn success(build: &Build) -> String {
    match build.release {
        Some(release) if build.pages.total == 0 => format!("Live as release {release}."),
        Some(release) => {
            let pages = build.pages;
            format!("Live as release {release}: {} of {} pages were made anew.", pages.rendered, pages.total)
        }
        None => "Done, without a new release: nothing had changed, or the site is held at an earlier one.".to_owned(),
    }
}

/// One line for each event; of the steps of rendering only the last.
fn log(events: &[BuildEvent], moments: &Moments) -> Vec<LogLine> {
    let is_told = |(at, event): &(usize, &BuildEvent)| {
        let is_rendering = |event: &BuildEvent| matches!(event.step, BuildStep::Rendering { .. });
        !is_rendering(event) || !events.get(at + 1).is_some_and(is_rendering)
    };
    let line = |(_, event): (usize, &BuildEvent)| LogLine {
        at: moments.of(event.at),
        clock: moments.clock(event.at),
        kind: event.step.kind(),
        text: sentence(&event.step, moments),
    };
    events.iter().enumerate().filter(is_told).map(line).collect()
}

fn sentence(step: &BuildStep, moments: &Moments) -> String {
    match step {
        BuildStep::Queued { mode: BuildMode::Full } => "Asked for, with every page made anew.".to_owned(),
        BuildStep::Queued { mode: BuildMode::Incremental } => "Asked for.".to_owned(),
        BuildStep::Joined { .. } => "Asked for once more before it began.".to_owned(),
        BuildStep::Started { attempt: 1 } => "Started.".to_owned(),
        BuildStep::Started { attempt } => format!("Started, try {attempt}."),
        BuildStep::Rendering { done, total } => format!("Rendered {done} of {total} pages."),
        BuildStep::Validating => "Checking the new release.".to_owned(),
        BuildStep::Warning { message } => format!("Warning: {message}"),
        BuildStep::Activated { release } => format!("Readers see release {release}."),
        BuildStep::Succeeded => "Done.".to_owned(),
        BuildStep::Retrying { error, at } => format!("{error}. It is tried again {}.", moments.of(*at).text),
        BuildStep::HandedBack => "Given back by a builder that stops; another will take it.".to_owned(),
        BuildStep::Cancelling => "Asked to stop.".to_owned(),
        BuildStep::Failed { error } => format!("Failed: {error}."),
        BuildStep::Cancelled => "Called off.".to_owned(),
        BuildStep::Superseded { by } => format!("Build {by} took its work over."),
    }
}

/// A length of time as people read it.
pub(super) fn duration(length: SignedDuration) -> String {
    let seconds = length.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{} min {} s", length.as_mins(), length.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use microblog_domain::{BuildId, Timestamp};

    use super::*;

    #[test]
    fn of_many_steps_of_rendering_the_log_tells_the_last() {
        let moments = Moments::new("UTC".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let rendering = |done| BuildStep::Rendering { done, total: 9 };
        let steps =
            [BuildStep::Started { attempt: 1 }, rendering(1), rendering(5), rendering(9), BuildStep::Validating];
        let build = BuildId::generate(Timestamp::UNIX_EPOCH);
        let event = |(id, step)| BuildEvent { id, build, at: Timestamp::UNIX_EPOCH, step };
        let events: Vec<_> = (1..).zip(steps).map(event).collect();
        let texts: Vec<_> = log(&events, &moments).into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["Started.", "Rendered 9 of 9 pages.", "Checking the new release."]);
    }

    #[test]
    fn lengths_of_time_are_told_in_the_unit_that_fits() {
        assert_eq!(duration(SignedDuration::from_millis(340)), "0.34 s");
        assert_eq!(duration(SignedDuration::from_secs(125)), "2 min 5 s");
    }
}
