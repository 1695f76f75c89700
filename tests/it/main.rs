//! The whole system, as its users meet it: the real programs on real folders, judged by tools that others wrote.
//!
//! `site` builds a small site with every feature and checks its pages; `feeds` reads what other programs read; `variants`
//! has sites of another cut, `corpus` whatever posts are at hand. `program` builds and runs `microblog`, `server` serves a
//! folder, `nginx` has releases served by the real one, and `web` holds the judges of pages, for any server's.
//!
//! `installation` is a running `microblog up`: `journey` uses it as people do, `killing` as power cuts do, `misuse` as
//! those who have not read the README, and `pictures` as photographers. `scheduled` looks for posts that readers must not
//! see yet. `service` is one of the services as a process of its own, `servers` what several of them share; `services` has
//! them work together, and ends them, `takeover` has one builder go on where another one ended, `bad_input` gives them
//! databases and brokers that are not what they need, and `faults` is everything that can fail while they work with
//! database and broker; `disk` is one that can be full. `log_lines` examines what each of them logs.
//!
//! `alerts` sees to it that somebody hears of what fails. `panels` asks what dashboards ask, of everything that can be
//! measured, and `guides` follows the links of the guides.
//!
//! `torn_reads` reads through `nginx` while releases go live.

#![allow(clippy::disallowed_methods, reason = "the programs under test run on the machine's clock")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the lint knows tests, but not their helpers"
)]

mod alerts;
mod bad_input;
mod built_site;
mod collector;
mod corpus;
mod dashboard;
mod disk;
mod errors;
mod faults;
mod feeds;
mod guides;
mod installation;
mod journey;
mod killing;
mod log_lines;
mod logs;
mod metrics;
mod misuse;
mod nginx;
mod panels;
mod pictures;
mod program;
mod scheduled;
mod server;
mod servers;
mod service;
mod services;
mod site;
mod takeover;
mod torn_reads;
mod traces;
mod variants;
mod web;
