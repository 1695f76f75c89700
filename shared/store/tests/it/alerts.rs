//! Alerts that fire, end, and fire again.

use std::collections::BTreeMap;
use std::time::Duration;

use microblog_domain::Timestamp;
use microblog_store::alerts::{self, Alert, HeardAlert, Trouble};
use microblog_testkit::DatabaseKind;

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    an_alert_that_is_told_twice_is_one_row_until_it_ends,
    an_alert_that_fires_again_is_another_row_and_the_earlier_one_has_ended,
    what_fires_is_summed_up_without_the_watchdog,
    the_watchdog_is_heard,
    alerts_that_nobody_speaks_of_end_and_are_forgotten,
];

fn alert(name: &str, severity: &str, starts_at: Timestamp) -> HeardAlert {
    let labels = BTreeMap::from([("alertname", name), ("severity", severity)]);
    HeardAlert {
        fingerprint: format!("print of {name}"),
        starts_at,
        ends_at: None,
        labels: labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        annotations: BTreeMap::from([("summary".to_owned(), "it is down".to_owned())]),
    }
}

impl Scenario {
    async fn hear(&self, told: &[HeardAlert]) {
        in_transaction!(self, |tx| alerts::hear(tx, told.to_vec(), self.now())).unwrap();
    }

    async fn alerts(&self) -> Vec<Alert> {
        reading!(self, |conn| alerts::list(conn, None, None, 10))
    }

    async fn trouble(&self) -> Trouble {
        reading!(self, |conn| alerts::trouble(conn))
    }
}

async fn an_alert_that_is_told_twice_is_one_row_until_it_ends(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let down = alert("ServiceDown", "critical", scenario.now());
    scenario.hear(std::slice::from_ref(&down)).await;
    let first = scenario.alerts().await;
    scenario.later(60);
    scenario.hear(&[down.clone(), down.clone()]).await;
    let again = scenario.alerts().await;
    assert_eq!((again.len(), again[0].id, &again[0].heard), (1, first[0].id, &down));
    assert_eq!(again[0].heard_at, scenario.now());
    let over = HeardAlert { ends_at: Some(scenario.now()), ..down.clone() };
    scenario.hear(std::slice::from_ref(&over)).await;
    assert_eq!(scenario.alerts().await[0].heard, over);
    assert!(reading!(scenario, |conn| alerts::list(conn, Some(true), None, 10)).is_empty());
    assert_eq!(reading!(scenario, |conn| alerts::list(conn, Some(false), None, 10)).len(), 1);
    scenario.hear(&[down]).await;
    assert_eq!(scenario.alerts().await[0].heard.ends_at, None, "it was told to be over too early");
}

async fn an_alert_that_fires_again_is_another_row_and_the_earlier_one_has_ended(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = alert("ServiceDown", "critical", scenario.now());
    let second = alert("ServiceDown", "critical", scenario.later(60));
    for told in [[first.clone()], [second.clone()], [first]] {
        scenario.hear(&told).await;
    }
    let ends: Vec<_> = scenario.alerts().await.into_iter().map(|alert| alert.heard.ends_at).collect();
    assert_eq!(ends, [None, Some(second.starts_at)]);
    assert_eq!(scenario.trouble().await.firing, 1);
}

async fn what_fires_is_summed_up_without_the_watchdog(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let now = scenario.now();
    assert_eq!(scenario.trouble().await, Trouble::default());
    scenario.hear(&[alert("Watchdog", "critical", now), alert("Note", "info", now)]).await;
    assert_eq!(scenario.trouble().await, Trouble::default());
    scenario.hear(&[alert("DiskLow", "warning", now)]).await;
    assert!(!scenario.trouble().await.is_critical);
    scenario.hear(&[alert("ServiceDown", "critical", now)]).await;
    let names = vec!["ServiceDown".to_owned(), "DiskLow".to_owned()];
    assert_eq!(scenario.trouble().await, Trouble { firing: 2, is_critical: true, names });
}

async fn the_watchdog_is_heard(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let watchdog = alert("Watchdog", "none", scenario.now());
    assert_eq!(reading!(scenario, |conn| alerts::watchdog_heard_at(conn)), None);
    scenario.hear(std::slice::from_ref(&watchdog)).await;
    scenario.later(60);
    scenario.hear(&[watchdog]).await;
    assert_eq!(reading!(scenario, |conn| alerts::watchdog_heard_at(conn)), Some(scenario.now()));
}

async fn alerts_that_nobody_speaks_of_end_and_are_forgotten(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let heard_at = scenario.now();
    scenario.hear(&[alert("Forgotten", "critical", heard_at)]).await;
    let now = scenario.later(60);
    scenario.hear(&[alert("ServiceDown", "critical", now)]).await;
    let before = now - Duration::from_secs(1);
    in_transaction!(scenario, |tx| alerts::end_unheard(tx, before)).unwrap();
    let ends: Vec<_> = scenario.alerts().await.into_iter().map(|alert| alert.heard.ends_at).collect();
    assert_eq!(ends, [None, Some(heard_at)]);
    in_transaction!(scenario, |tx| alerts::forget_ended(tx, before)).unwrap();
    assert_eq!(scenario.alerts().await.len(), 1);
}
