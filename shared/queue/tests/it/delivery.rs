//! Hints on their way while nothing goes wrong, and workers that die.

use microblog_queue::Hint;

use crate::harness::{Line, heard, hint, send, up};

#[tokio::test]
async fn a_hint_arrives_with_what_is_known_of_its_request() {
    let line = Line::new().await;
    let (sender, mut receiver) = line.queue().both_ends();
    let hint = Hint {
        request_id: Some("r-1".to_owned()),
        trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap()),
        ..hint()
    };
    send(&sender, &hint).await;
    assert_eq!(heard(&mut receiver).await, hint);
}

#[tokio::test]
async fn hints_wait_at_the_broker_for_a_worker() {
    let line = Line::new().await;
    let queue = line.queue();
    let sender = queue.sender();
    let hints: Vec<_> = (0..100).map(|_| hint()).collect();
    up(&sender.status()).await;
    let sent = sender.send(sender.permit().unwrap(), &hints).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    line.broker.wait_for_messages("builds", 100).await;
    let mut receiver = queue.receiver();
    assert_eq!(heard(&mut receiver).await, hints[0]);
    drop(sender);
}

#[tokio::test]
async fn what_a_worker_was_told_is_told_to_another_when_it_dies() {
    let line = Line::new().await;
    let queue = line.queue();
    let hint = hint();
    send(&queue.sender(), &hint).await;
    let mut first = queue.receiver();
    assert_eq!(heard(&mut first).await, hint);
    let mut second = queue.receiver();
    up(&second.status()).await;
    drop(first);
    assert_eq!(heard(&mut second).await, hint);
}

#[tokio::test]
async fn what_a_worker_has_settled_is_gone() {
    let line = Line::new().await;
    let queue = line.queue();
    let sender = queue.sender();
    let mut receiver = queue.receiver();
    send(&sender, &hint()).await;
    heard(&mut receiver).await;
    receiver.settle();
    let unsettled = hint();
    send(&sender, &unsettled).await;
    heard(&mut receiver).await;
    drop(receiver);
    let mut next = queue.receiver();
    assert_eq!(heard(&mut next).await, unsettled);
    line.broker.wait_for_messages("builds", 0).await;
}
