//! The numbers as people and scripts read them, each beside its target.
//!
//! [`row`] sums up what was measured and judges it; here it is printed.

mod row;

use std::fmt;
use std::io::Write as _;

use serde::Serialize;

use crate::machine::Machine;
pub(crate) use row::{Measured, Row, Statistic, Target, Unit, Verdict};

/// What is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// The load average when all was measured; it holds our own work, too.
    pub(crate) load_after: f64,
    /// The Hugo that was compared with.
    pub(crate) hugo: Option<String>,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn print_table(&self) -> anyhow::Result<()> {
        Ok(write!(std::io::stdout(), "{self}")?)
    }

    pub(crate) fn print_json(&self) -> anyhow::Result<()> {
        Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(self)?)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, cores, kernel, load_before } = &self.machine;
        let load_after = self.load_after;
        let hugo = self.hugo.as_deref().unwrap_or("none");
        writeln!(
            f,
            "{processor}, {cores} cores, Linux {kernel}; Hugo: {hugo}; load {load_before:.2} before, {load_after:.2} \
             after\n"
        )?;
        let head = ["what", "measured", "of", "value", "spread", "target", ""].map(str::to_owned);
        let lines: Vec<_> = std::iter::once(head).chain(self.rows.iter().map(cells)).collect();
        let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 7] = std::array::from_fn(width);
        for cells in &lines {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

fn cells(row: &Row) -> [String; 7] {
    let show = |value| row.unit.show(value);
    let (of, value, spread) = match row.measured {
        None => Default::default(),
        Some(Measured { value, samples: 1, .. }) => ("1".to_owned(), show(value), String::new()),
        Some(Measured { value, least, most, samples }) => {
            (format!("{} of {samples}", row.statistic), show(value), format!("{} to {}", show(least), show(most)))
        }
    };
    let target = match row.target {
        None => String::new(),
        Some(Target::AtLeast(target)) => format!(">= {}", show(target)),
        Some(Target::Under(target)) => format!("< {}", show(target)),
    };
    let verdict = row.verdict.map(|verdict| verdict.to_string()).unwrap_or_default();
    [row.what.clone(), row.quantity.to_string(), of, value, spread, target, verdict]
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 0.001 => format!("{:.0} us", value * 1e6),
            Self::Seconds if value < 0.1 => format!("{:.1} ms", value * 1e3),
            Self::Seconds if value < 1.0 => format!("{:.0} ms", value * 1e3),
            Self::Seconds => format!("{value:.2} s"),
            Self::Bytes => format!("{:.1} MB", value / 1e6),
            Self::PerSecond => format!("{value:.1}/s"),
            Self::Count => format!("{value:.0}"),
            Self::Ratio if value > 0.0 && value < 0.9 => format!("{value:.3} (1/{:.1})", 1.0 / value),
            Self::Ratio => format!("{value:.2}"),
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Median => "median",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::RatioOfMedians => "medians",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::NotMeasured => "NOT MEASURED",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_each_number_beside_its_target() {
        let machine =
            Machine { processor: "A processor".to_owned(), cores: 2, kernel: "6.1".to_owned(), load_before: 0.5 };
        let row = Row::new("build", "wall clock", Unit::Seconds, Statistic::Median, &[0.25, 0.4, 1.5]).unwrap();
        let missing = Row::not_measured("build", "wall clock / Hugo's", Unit::Ratio).under(Some(0.125));
        let rows = vec![row.under(Some(0.3)), missing];
        let table = Report { machine, load_after: 1.0, hugo: None, rows }.to_string();
        assert!(table.contains("A processor, 2 cores, Linux 6.1; Hugo: none; load 0.50 before, 1.00 after"), "{table}");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<_> = table.lines().rev().take(2).map(words).collect();
        assert_eq!(lines[1], "build wall clock median of 3 400 ms 250 ms to 1.50 s < 300 ms MISSED");
        assert_eq!(lines[0], "build wall clock / Hugo's < 0.125 (1/8.0) NOT MEASURED");
    }
}
