//! Trouble that lasts: told once for each reason, and when it is over, instead of once a second.

use std::fmt::Display;

/// What a task last complained of.
#[derive(Debug, Default)]
pub struct Trouble(Option<String>);

impl Trouble {
    /// Notes a reason; tells whether it is another one than before.
    pub fn is_news(&mut self, reason: &impl Display) -> bool {
        let reason = reason.to_string();
        let is_news = self.0.as_ref() != Some(&reason);
        self.0 = Some(reason);
        is_news
    }

    /// Notes that all is well; tells whether it was not before.
    pub fn is_over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_news_once_until_all_is_well() {
        let mut trouble = Trouble::default();
        assert!(!trouble.is_over());
        let news = ["away", "away", "full", "away"].map(|reason| trouble.is_news(&reason));
        assert_eq!(news, [true, false, true, true]);
        assert!(trouble.is_over() && !trouble.is_over());
        assert!(trouble.is_news(&"away"));
    }
}
