//! The numbers as people and scripts read them, each beside its target.

use std::fmt;
use std::io::Write as _;

use anyhow::Context as _;
use serde::Serialize;

use crate::machine::Machine;

/// What is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// The load average when all was measured; it holds our own work, too.
    pub(crate) load_after: f64,
    pub(crate) rows: Vec<Row>,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Seconds,
    Bytes,
}

/// Which of several values stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Statistic {
    Median,
    P99,
}

/// Whether a target was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Met,
    Missed,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What was done, and to what.
    case: String,
    /// What was measured of it.
    quantity: &'static str,
    unit: Unit,
    statistic: Statistic,
    value: f64,
    least: f64,
    most: f64,
    samples: usize,
    /// What it has to stay under.
    target: Option<f64>,
    verdict: Option<Verdict>,
}

impl Row {
    /// Sums up values of which there is at least one.
    pub(crate) fn new(
        case: &str,
        quantity: &'static str,
        unit: Unit,
        statistic: Statistic,
        samples: &[f64],
    ) -> anyhow::Result<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let value = statistic.of(&sorted).with_context(|| format!("{case}: nothing was measured"))?;
        Ok(Self {
            case: case.to_owned(),
            quantity,
            unit,
            statistic,
            value,
            least: sorted.first().copied().unwrap_or(value),
            most: sorted.last().copied().unwrap_or(value),
            samples: sorted.len(),
            target: None,
            verdict: None,
        })
    }

    /// Judges it by what it has to stay under, where anything is promised.
    pub(crate) fn under(mut self, target: Option<f64>) -> Self {
        self.target = target;
        self.verdict = target.map(|target| if self.value < target { Verdict::Met } else { Verdict::Missed });
        self
    }

    fn cells(&self) -> [String; 7] {
        let show = |value| self.unit.show(value);
        [
            self.case.clone(),
            self.quantity.to_owned(),
            format!("{} of {}", self.statistic, self.samples),
            show(self.value),
            format!("{} to {}", show(self.least), show(self.most)),
            self.target.map(|target| format!("< {}", show(target))).unwrap_or_default(),
            self.verdict.map(|verdict| verdict.to_string()).unwrap_or_default(),
        ]
    }
}

impl Statistic {
    fn of(self, sorted: &[f64]) -> Option<f64> {
        let count = sorted.len();
        match self {
            Self::Median if count % 2 == 1 => sorted.get(count / 2).copied(),
            Self::Median => Some(f64::midpoint(*sorted.get((count / 2).checked_sub(1)?)?, *sorted.get(count / 2)?)),
            // The nearest rank: one of the values, and of fewer than 100 the greatest.
            Self::P99 => sorted.get((count * 99).div_ceil(100).checked_sub(1)?).copied(),
        }
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 1.0 => format!("{:.0} ms", value * 1e3),
            Self::Seconds => format!("{value:.2} s"),
            Self::Bytes => format!("{:.0} MB", value / 1e6),
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Median => "median",
            Self::P99 => "p99",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, cores, kernel, load_before } = &self.machine;
        let load_after = self.load_after;
        writeln!(
            f,
            "{processor}, {cores} cores, Linux {kernel}; load {load_before:.2} before, {load_after:.2} after\n"
        )?;
        let head = ["what", "measured", "of", "value", "spread", "target", ""].map(str::to_owned);
        let lines: Vec<_> = std::iter::once(head).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 7] = std::array::from_fn(width);
        for cells in &lines {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

impl Report {
    pub(crate) fn print_table(&self) -> anyhow::Result<()> {
        Ok(write!(std::io::stdout(), "{self}")?)
    }

    pub(crate) fn print_json(&self) -> anyhow::Result<()> {
        Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(self)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(statistic: Statistic, samples: &[f64]) -> Row {
        Row::new("build", "wall clock", Unit::Seconds, statistic, samples).unwrap()
    }

    #[test]
    fn a_median_stands_in_the_middle() {
        assert_eq!(row(Statistic::Median, &[3.0, 1.0, 2.0]).value, 2.0);
        assert_eq!(row(Statistic::Median, &[4.0, 1.0, 2.0, 3.0]).value, 2.5);
        assert!(Row::new("build", "wall clock", Unit::Seconds, Statistic::Median, &[]).is_err());
    }

    #[test]
    fn one_value_in_a_hundred_is_above_the_p99() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(row(Statistic::P99, &hundred).value, 99.0);
        assert_eq!(row(Statistic::P99, &hundred[..20]).value, 20.0);
    }

    #[test]
    fn a_target_is_met_only_below_it() {
        assert_eq!(row(Statistic::Median, &[0.4]).under(Some(0.5)).verdict, Some(Verdict::Met));
        assert_eq!(row(Statistic::Median, &[0.5]).under(Some(0.5)).verdict, Some(Verdict::Missed));
        assert_eq!(row(Statistic::Median, &[0.5]).under(None).verdict, None);
    }

    #[test]
    fn the_table_shows_each_number_beside_its_target() {
        let machine =
            Machine { processor: "A processor".to_owned(), cores: 2, kernel: "6.1".to_owned(), load_before: 0.5 };
        let rows = vec![row(Statistic::Median, &[0.25, 0.4, 1.5]).under(Some(0.3))];
        let table = Report { machine, load_after: 1.0, rows }.to_string();
        assert!(table.contains("A processor, 2 cores, Linux 6.1; load 0.50 before, 1.00 after"), "{table}");
        let line = table.lines().last().unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words.join(" "), "build wall clock median of 3 400 ms 250 ms to 1.50 s < 300 ms MISSED");
    }
}
