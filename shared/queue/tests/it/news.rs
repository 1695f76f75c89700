//! News of builds from process to process.

use std::time::Duration;

use microblog_domain::BuildId;
use microblog_queue::BuildEvents;
use microblog_testkit::eventually;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::harness::{Line, hint};

/// Tells of a build until it is heard: what is told before the other side listens is heard by nobody.
async fn reaches(from: &BuildEvents, to: &mut Receiver<BuildId>) {
    let build = hint().build;
    eventually("the news arrive", async || {
        from.announce(build);
        let heard = async { while to.recv().await != Ok(build) {} };
        tokio::time::timeout(Duration::from_millis(200), heard).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn what_one_process_announces_is_heard_by_the_others_whatever_happens_to_connections() {
    let line = Line::new().await;
    let (builder, one, other) = (BuildEvents::default(), BuildEvents::default(), BuildEvents::default());
    let _telling = line.queue().tell_others(&builder).unwrap();
    let _hearing = [line.queue().hear_from_others(&one), line.queue().hear_from_others(&other)];
    let (mut at_one, mut at_other) = (one.watch(), other.watch());
    for _ in 0..2 {
        reaches(&builder, &mut at_one).await;
        reaches(&builder, &mut at_other).await;
        line.proxy.cut();
    }
    reaches(&builder, &mut at_one).await;
}

#[tokio::test]
async fn a_process_that_tells_and_hears_hears_its_own_news_once() {
    let line = Line::new().await;
    let (queue, events, witness) = (line.queue(), BuildEvents::default(), BuildEvents::default());
    let _bridges = [queue.tell_others(&events), queue.hear_from_others(&events)];
    let _witness = line.queue().hear_from_others(&witness).unwrap();
    let mut elsewhere = witness.watch();
    reaches(&events, &mut elsewhere).await;
    let (mut here, build) = (events.watch(), hint().build);
    events.announce(build);
    reaches(&events, &mut elsewhere).await;
    let heard = std::iter::from_fn(|| here.try_recv().ok()).filter(|heard| *heard == build).count();
    assert_eq!((heard, here.try_recv()), (1, Err(TryRecvError::Empty)));
}
