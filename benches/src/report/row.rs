//! One number: what was measured, summed up, and judged by its target.

use std::borrow::Cow;

use anyhow::Context as _;
use serde::Serialize;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Seconds,
    Bytes,
    Count,
    PerSecond,
    Ratio,
}

/// Which of several values stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Statistic {
    Median,
    P95,
    P99,
    RatioOfMedians,
}

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    Under(f64),
    AtLeast(f64),
}

/// Whether a target was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// Something that was needed is not on this machine.
    NotMeasured,
}

/// Several values, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Measured {
    pub(crate) value: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) samples: usize,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What was done, and to what.
    pub(crate) what: String,
    /// What was measured of it.
    pub(crate) quantity: Cow<'static, str>,
    pub(crate) unit: Unit,
    pub(crate) statistic: Statistic,
    #[serde(flatten)]
    pub(crate) measured: Option<Measured>,
    pub(crate) target: Option<Target>,
    pub(crate) verdict: Option<Verdict>,
}

impl Row {
    /// Sums up values of which there is at least one.
    pub(crate) fn new(
        what: &str,
        quantity: impl Into<Cow<'static, str>>,
        unit: Unit,
        statistic: Statistic,
        samples: &[f64],
    ) -> anyhow::Result<Self> {
        let measured = Measured::of(statistic, samples).with_context(|| format!("{what}: nothing was measured"))?;
        Ok(Self { statistic, measured: Some(measured), verdict: None, ..Self::not_measured(what, quantity, unit) })
    }

    /// One median by another. The spread is that of the pairs that were measured one after the other.
    pub(crate) fn ratio(
        what: &str,
        quantity: impl Into<Cow<'static, str>>,
        ours: &[f64],
        theirs: &[f64],
    ) -> anyhow::Result<Self> {
        let median = |samples| Measured::of(Statistic::Median, samples);
        let (above, below) =
            median(ours).zip(median(theirs)).with_context(|| format!("{what}: nothing was measured"))?;
        let pairs: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let spread = median(&pairs).unwrap_or(above);
        let measured = Measured { value: above.value / below.value, ..spread };
        Ok(Self {
            statistic: Statistic::RatioOfMedians,
            measured: Some(measured),
            verdict: None,
            ..Self::not_measured(what, quantity, Unit::Ratio)
        })
    }

    /// A number that could not be had.
    pub(crate) fn not_measured(what: &str, quantity: impl Into<Cow<'static, str>>, unit: Unit) -> Self {
        let (what, quantity, statistic) = (what.to_owned(), quantity.into(), Statistic::Median);
        Self { what, quantity, unit, statistic, measured: None, target: None, verdict: Some(Verdict::NotMeasured) }
    }

    /// Judges it by what it has to stay under, where anything is promised.
    pub(crate) fn under(self, target: Option<f64>) -> Self {
        self.judge(target.map(Target::Under))
    }

    /// Judges it by what it has to reach, where anything is promised.
    pub(crate) fn at_least(self, target: Option<f64>) -> Self {
        self.judge(target.map(Target::AtLeast))
    }

    fn judge(mut self, target: Option<Target>) -> Self {
        self.target = target;
        self.verdict = match (self.measured, target) {
            (None, _) => Some(Verdict::NotMeasured),
            (Some(_), None) => None,
            (Some(measured), Some(target)) => Some(target.verdict(measured.value)),
        };
        self
    }
}

impl Target {
    fn verdict(self, value: f64) -> Verdict {
        let is_met = match self {
            Self::Under(target) => value < target,
            Self::AtLeast(target) => value >= target,
        };
        if is_met { Verdict::Met } else { Verdict::Missed }
    }
}

impl Measured {
    fn of(statistic: Statistic, samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        Some(Self { value: statistic.of(&sorted)?, least, most, samples: sorted.len() })
    }
}

impl Statistic {
    fn of(self, sorted: &[f64]) -> Option<f64> {
        let count = sorted.len();
        match self {
            Self::P95 => sorted.get(rank(count, 95)?).copied(),
            Self::P99 => sorted.get(rank(count, 99)?).copied(),
            Self::Median | Self::RatioOfMedians if count % 2 == 1 => sorted.get(count / 2).copied(),
            Self::Median | Self::RatioOfMedians => {
                Some(f64::midpoint(*sorted.get((count / 2).checked_sub(1)?)?, *sorted.get(count / 2)?))
            }
        }
    }
}

/// The nearest rank: one of the values, and of few the greatest.
fn rank(count: usize, percent: usize) -> Option<usize> {
    (count * percent).div_ceil(100).checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(statistic: Statistic, samples: &[f64]) -> Row {
        Row::new("build", "wall clock", Unit::Seconds, statistic, samples).unwrap()
    }

    fn value(row: &Row) -> f64 {
        row.measured.unwrap().value
    }

    #[test]
    fn a_median_stands_in_the_middle() {
        assert_eq!(value(&row(Statistic::Median, &[3.0, 1.0, 2.0])), 2.0);
        assert_eq!(value(&row(Statistic::Median, &[4.0, 1.0, 2.0, 3.0])), 2.5);
        assert!(Row::new("build", "wall clock", Unit::Seconds, Statistic::Median, &[]).is_err());
    }

    #[test]
    fn one_value_in_a_hundred_is_above_the_p99() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(value(&row(Statistic::P99, &hundred)), 99.0);
        assert_eq!(value(&row(Statistic::P99, &hundred[..20])), 20.0);
        assert_eq!(value(&row(Statistic::P95, &hundred)), 95.0);
    }

    #[test]
    fn a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_pairs() {
        let ratio = Row::ratio("build", "wall clock / Hugo's", &[1.0, 2.0, 3.0], &[10.0, 8.0, 6.0]).unwrap();
        let Measured { value, least, most, samples } = ratio.measured.unwrap();
        assert_eq!((value, least, most, samples), (0.25, 0.1, 0.5, 3));
    }

    #[test]
    fn a_target_is_met_only_on_its_side() {
        let verdict = |row: Row| row.verdict;
        assert_eq!(verdict(row(Statistic::Median, &[0.4]).under(Some(0.5))), Some(Verdict::Met));
        assert_eq!(verdict(row(Statistic::Median, &[0.5]).under(Some(0.5))), Some(Verdict::Missed));
        assert_eq!(verdict(row(Statistic::Median, &[0.5]).at_least(Some(0.5))), Some(Verdict::Met));
        assert_eq!(verdict(row(Statistic::Median, &[0.5]).under(None)), None);
        assert_eq!(verdict(row(Statistic::Median, &[0.5])), None);
    }

    #[test]
    fn what_was_not_measured_meets_no_target() {
        let row = Row::not_measured("build", "wall clock / Hugo's", Unit::Ratio).under(Some(1.0));
        assert_eq!(row.verdict, Some(Verdict::NotMeasured));
    }
}
