//! What networks and brokers do to connections. After each, hints pass again, by themselves.

use std::time::Duration;

use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Confirmation};
use microblog_queue::{Condition, HintReceiver, HintSender, SendError};
use microblog_testkit::eventually;

use crate::harness::{Line, gets_through, heard, hint, send, try_to_send, up};

/// Both ends of a line, both up.
async fn both_up(line: &Line) -> (HintSender, HintReceiver) {
    let (sender, receiver) = line.queue().both_ends();
    up(&sender.status()).await;
    up(&receiver.status()).await;
    (sender, receiver)
}

#[tokio::test]
async fn connections_that_are_cut_are_made_anew() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    for _ in 0..3 {
        gets_through(&sender, &mut receiver).await;
        line.proxy.cut();
    }
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_broker_that_refuses_connections_for_a_while_is_found_again() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.proxy.refuse();
    assert!(try_to_send(&sender, &hint()).await.is_err());
    eventually("nobody is up", async || {
        ![sender.status(), receiver.status()].iter().any(|end| end.condition() == Condition::Up)
    })
    .await;
    line.proxy.mend();
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_frozen_connection_is_noticed_by_both_ends_and_given_up() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.proxy.freeze();
    assert_eq!(try_to_send(&sender, &hint()).await, Err(SendError::NotConfirmed));
    eventually("the receiver notices", async || receiver.status().condition() != Condition::Up).await;
    line.proxy.mend();
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_connection_that_is_half_closed_is_made_anew() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.proxy.half_close();
    eventually("both notice", async || {
        ![sender.status(), receiver.status()].iter().any(|end| end.condition() == Condition::Up)
    })
    .await;
    line.proxy.mend();
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_slow_line_is_no_reason_to_give_up() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.proxy.delay(Duration::from_millis(100));
    gets_through(&sender, &mut receiver).await;
    line.proxy.throttle(20_000);
    gets_through(&sender, &mut receiver).await;
    assert_eq!(sender.status().condition(), Condition::Up);
}

#[tokio::test]
async fn failures_in_a_row_open_the_breaker_and_the_broker_s_return_closes_it() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.proxy.refuse();
    for _ in 0..5 {
        let permit = sender.permit().unwrap();
        assert!(sender.send(permit, &[hint()]).await[0].is_err());
    }
    assert!(sender.permit().is_err(), "it is open");
    line.proxy.mend();
    gets_through(&sender, &mut receiver).await;
    assert_eq!(sender.permit().unwrap().most(), 500);
}

#[tokio::test]
async fn a_queue_that_was_deleted_is_declared_anew() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.broker.delete_queue("builds").await;
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_hint_for_a_queue_that_is_missing_is_no_success() {
    let line = Line::new().await;
    let sender = line.queue().sender();
    up(&sender.status()).await;
    line.broker.delete_queue("builds").await;
    assert_eq!(try_to_send(&sender, &hint()).await, Err(SendError::Unroutable));
    send(&sender, &hint()).await;
    line.broker.wait_for_messages("builds", 1).await;
}

#[tokio::test]
async fn connections_that_an_operator_closes_are_made_anew() {
    let line = Line::alone().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.broker.close_connections();
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_channel_that_the_broker_closes_is_made_anew_and_what_was_held_is_told_again() {
    let line = Line::alone().await;
    // How long a worker may hold a hint, and how often the broker looks.
    let set = |limit: &str, look: &str| {
        line.broker.eval(&format!(
            "application:set_env(rabbit, consumer_timeout, {limit}), \
             application:set_env(rabbit, channel_tick_interval, {look})"
        ));
    };
    set("500", "250");
    let (sender, mut receiver) = both_up(&line).await;
    let held = hint();
    send(&sender, &held).await;
    assert_eq!(heard(&mut receiver).await, held);
    assert_eq!(heard(&mut receiver).await, held, "the broker took it back and gave it out again");
    set("1800000", "60000");
    eventually("it is up", async || receiver.status().condition() == Condition::Up).await;
    receiver.settle();
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_message_that_nobody_understands_goes_to_the_dead_letters_and_stops_nobody() {
    let line = Line::new().await;
    let (sender, mut receiver) = both_up(&line).await;
    let channel = line.broker.channel().await;
    channel.confirm_select(Default::default()).await.unwrap();
    for body in ["", "hunter2", "{\"version\":9}", "{\"version\":1,\"job_id\":7}"] {
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let confirm = channel.basic_publish("".into(), "builds".into(), options, body.as_bytes(), properties).await;
        assert_eq!(confirm.unwrap().await.unwrap(), Confirmation::Ack(None));
    }
    gets_through(&sender, &mut receiver).await;
    line.broker.wait_for_messages("builds.dead", 4).await;
    line.broker.wait_for_messages("builds", 0).await;
    let dead = channel.basic_get("builds.dead".into(), BasicGetOptions::default()).await.unwrap().unwrap();
    let headers = dead.properties.headers().clone().unwrap();
    let reason = headers.inner().get("x-first-death-reason");
    assert_eq!(reason, Some(&AMQPValue::LongString("rejected".into())), "at once, not after many tries");
}

#[tokio::test]
async fn hints_survive_a_broker_that_is_killed_and_one_that_is_restarted() {
    let line = Line::alone().await;
    let sender = line.queue().sender();
    up(&sender.status()).await;
    let hints = [hint(), hint()];
    send(&sender, &hints[0]).await;
    // RabbitMQ notes half a second later where it keeps a new queue; killed before, it never finds the queue's log again.
    line.broker.eval("[dets:sync(Table) || Table <- dets:all()]");
    line.broker.kill();
    assert!(try_to_send(&sender, &hints[1]).await.is_err());
    line.broker.start().await;
    send(&sender, &hints[1]).await;
    line.broker.stop();
    line.broker.start().await;
    let mut receiver = line.queue().receiver();
    assert_eq!(heard(&mut receiver).await, hints[0]);
    line.broker.wait_for_messages("builds", 0).await;
}

#[tokio::test]
async fn a_queue_that_a_killed_broker_can_not_find_again_is_made_anew() {
    let line = Line::alone().await;
    let (sender, mut receiver) = both_up(&line).await;
    // Right after the queue was declared: RabbitMQ 3.10 has not noted yet where it keeps it.
    line.broker.kill();
    line.broker.start().await;
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_broker_that_stands_still_is_noticed_and_used_again_when_it_goes_on() {
    let line = Line::alone().await;
    let (sender, mut receiver) = both_up(&line).await;
    line.broker.pause();
    assert_eq!(try_to_send(&sender, &hint()).await, Err(SendError::NotConfirmed));
    eventually("the receiver notices", async || receiver.status().condition() != Condition::Up).await;
    line.broker.resume();
    gets_through(&sender, &mut receiver).await;
}

#[tokio::test]
async fn a_broker_that_is_short_of_memory_blocks_senders_and_nothing_else() {
    let line = Line::alone().await;
    let (sender, mut receiver) = both_up(&line).await;
    let held = hint();
    send(&sender, &held).await;
    assert_eq!(heard(&mut receiver).await, held);
    line.broker.set_memory_alarm(true);
    eventually("it is blocked", async || {
        let sent = try_to_send(&sender, &hint()).await;
        sent == Err(SendError::Blocked) && sender.status().condition() == Condition::Blocked
    })
    .await;
    receiver.settle();
    assert_eq!(receiver.status().condition(), Condition::Up);
    line.broker.set_memory_alarm(false);
    gets_through(&sender, &mut receiver).await;
    line.broker.wait_for_messages("builds", 0).await;
}
