//! Posts that crash the renderer, since no real one is known that does: a text that holds `microblog-fault:` and one of
//! the words below.
//!
//! Compiled only with the feature `fault-injection`; a program without it takes such a text for what it is.

#![allow(clippy::panic, reason = "that is what it is for")]

use std::time::Duration;

const MARK: &str = "microblog-fault:";

/// Does what the text says.
pub(crate) fn strike(markdown: &str) {
    let Some((_, rest)) = markdown.split_once(MARK) else { return };
    let word: &str = rest.split(|letter: char| !letter.is_ascii_lowercase()).next().unwrap_or_default();
    match word {
        "panic" => panic!("the post wished for it"),
        "abort" => std::process::abort(),
        "overflow" => drop(nest(0)),
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        _ => {}
    }
}

/// Never comes back, and needs more of the stack with each call.
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn nest(depth: u64) -> [u64; 64] {
    let mut frame = nest(std::hint::black_box(depth + 1));
    frame[0] += depth;
    std::hint::black_box(frame)
}
