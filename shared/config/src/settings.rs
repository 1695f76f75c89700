//! Every setting: its name, its default, its form and what it is for, one struct per section.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use microblog_domain::{DatabaseUrl, QueueUrl, SiteSettings};

use crate::layers::Layers;
use crate::monitor::MonitorSettings;
use crate::otlp::OtlpSettings;
use crate::problem::ConfigError;
use crate::reader::Reader;
use crate::sources::Sources;
use crate::values::{AddressRange, ByteSize, ChosenSecret, LogFormat, PerMinute};

/// All settings of the program. Relative paths start at the folder that it was started in.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `data.*`
    pub data: DataSettings,
    /// `database.*`
    pub database: DatabaseSettings,
    /// `queue.*`
    pub queue: QueueSettings,
    /// `build.*`
    pub build: BuildSettings,
    /// `release.*`
    pub release: ReleaseSettings,
    /// `server.*`
    pub server: ServerSettings,
    /// `builder.*`
    pub builder: BuilderSettings,
    /// `site.listen` and `site.theme`: how the site is served and dressed.
    pub site_server: SiteServerSettings,
    /// `site.*`: what a new site starts with. Once it exists, its owner changes these in the dashboard.
    pub site: SiteSettings,
    /// `auth.*`
    pub auth: AuthSettings,
    /// `rate_limit.*`
    pub rate_limit: RateLimitSettings,
    /// `log.*`
    pub log: LogSettings,
    /// `otlp.*`
    pub otlp: OtlpSettings,
    /// `monitor.*`
    pub monitor: MonitorSettings,
    /// `alerts.*`
    pub alerts: AlertSettings,
}

/// Where the program keeps what must not be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSettings {
    /// `data.dir`, default `./data`: the database, if it is a file, and the uploads.
    pub dir: PathBuf,
}

impl DataSettings {
    /// The folder of the uploads.
    #[must_use]
    pub fn media_dir(&self) -> PathBuf {
        self.dir.join("media")
    }
}

/// Where posts, users and jobs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// `database.url`, default `sqlite://` and `microblog.db` in the data folder; or `postgres://` and a server.
    pub url: DatabaseUrl,
    /// `database.max_connections`, default 10, from 2 to 1000: how many connections to a server one process makes.
    pub max_connections: u32,
    /// `database.connect_timeout`, default `5s`: how long a connection to a server may take.
    pub connect_timeout: Duration,
    /// `database.statement_timeout`, default `30s`: how long a server may take for one statement.
    pub statement_timeout: Duration,
}

/// How the builder hears of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// `queue.url`, default `embedded:`: within the process, or a RabbitMQ broker (`amqp://`, `amqps://`).
    pub url: QueueUrl,
    /// `queue.ca_file`: the certificates (PEM) of those who vouch for the broker, instead of those that the system trusts.
    pub ca_file: Option<PathBuf>,
}

/// How the site is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSettings {
    /// `build.dir`, default `./build`: the releases; `current` in it is what readers see.
    pub dir: PathBuf,
    /// `build.deadline`, default `15m`: a build that takes longer has failed.
    pub deadline: Duration,
    /// `build.page_limit`, default `30s`: a page that takes longer hangs. The builder starts anew, finds the post that
    /// causes it, and sets it aside.
    pub page_limit: Duration,
}

/// What becomes of releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseSettings {
    /// `release.keep`, default 10, from 2 to 1000: how many can be gone back to.
    pub keep: u32,
    /// `release.compress`, default true: whether pages and other texts get compressed copies beside them, for web servers
    /// that can send these as they are.
    pub compress: bool,
}

/// How the API and the dashboard are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// `server.listen`, default `127.0.0.1:8000`.
    pub listen: SocketAddr,
    /// `server.trusted_proxies`, default this machine: whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<AddressRange>,
    /// `server.request_timeout`, default `30s`: after it a request is answered with 503. Uploads and event streams
    /// may take longer.
    pub request_timeout: Duration,
    /// `server.upload_timeout`, default `10m`: the same for uploads.
    pub upload_timeout: Duration,
    /// `server.max_body`, default `8 MiB`: the largest request, but for uploads.
    pub max_body: ByteSize,
    /// `server.max_upload`, default `50 MiB`: the largest upload.
    pub max_upload: ByteSize,
    /// `server.drain`, default `1s`: how long the service goes on after a service manager told it to stop, saying that it
    /// is not ready, so that whoever spreads requests sends it no more.
    pub drain: Duration,
}

/// How a builder that is a process of its own presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuilderSettings {
    /// `builder.listen`, default `127.0.0.1:8001`: where its health and metrics are.
    pub listen: SocketAddr,
    /// `builder.name`, by default the name of the machine and the port: whose builds it takes up again at once when it was
    /// restarted with the same `data.dir`.
    pub name: Option<String>,
}

/// How `microblog up` serves the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteServerSettings {
    /// `site.listen`, default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `site.theme`: a folder whose templates and files take the place of the theme's own.
    pub theme: Option<PathBuf>,
}

/// Logging in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSettings {
    /// `auth.session_lifetime`, default `30d`: when a log-in ends by itself.
    pub session_lifetime: Duration,
    /// `auth.min_password_length`, default 10, from 8 to 128: characters in a new password.
    pub min_password_length: u32,
    /// `auth.setup_token`: the secret of the link by which the first owner is made, for installations that are set up by
    /// a script. By default the program makes one.
    pub setup_token: Option<ChosenSecret>,
}

/// How often a client may ask; beyond it the answer is 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitSettings {
    /// `rate_limit.login`, default 5: attempts to log in, a minute and address.
    pub login: PerMinute,
    /// `rate_limit.builds`, default 10: builds asked for by hand, a minute and user.
    pub builds: PerMinute,
    /// `rate_limit.api`, default 100: requests, a minute and client.
    pub api: PerMinute,
    /// `rate_limit.owner`, default 10000: requests, a minute and owner.
    pub owner: PerMinute,
}

/// How Alertmanager tells the service of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// `alerts.webhook_secret`: what Alertmanager sends as bearer token to `/api/v1/alerts/webhook`. Without one nobody may
    /// tell of alerts.
    pub webhook_secret: Option<ChosenSecret>,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// `log.format`, default `auto`.
    pub format: LogFormat,
    /// `log.level`, default `info`: a level, or levels by target such as `info,microblog_store=debug`. A running program
    /// reads it again when it is sent SIGHUP.
    pub level: String,
    /// `log.dir`: a folder in which each program writes its lines to a file of its own, such as `microblog-api.log`, besides
    /// standard error. Two programs of one kind need two folders.
    pub dir: Option<PathBuf>,
    /// `log.file_size`, default `10 MiB`: a larger file is put aside.
    pub file_size: ByteSize,
    /// `log.files`, default 5, from 1 to 1000: how many files are kept, that which is written among them.
    pub files: u32,
}

impl Settings {
    /// Reads all settings, or tells every mistake in them.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(Layers::read(sources, &Self::names()));
        let settings = Self::read(&mut reader);
        reader.finish()?;
        Ok(settings)
    }

    /// The names of all settings: what is asked for when nothing is given.
    fn names() -> BTreeSet<&'static str> {
        let mut reader = Reader::new(Layers::default());
        Self::read(&mut reader);
        reader.into_names()
    }

    fn read(reader: &mut Reader) -> Self {
        let data = DataSettings { dir: reader.value("data.dir", "./data".into()) };
        Self {
            database: read_database(reader, &data),
            queue: QueueSettings {
                url: reader.value("queue.url", QueueUrl::Embedded),
                ca_file: reader.optional("queue.ca_file"),
            },
            build: read_build(reader),
            release: ReleaseSettings {
                keep: reader.checked("release.keep", 10, "a number from 2 to 1000", |keep| (2..=1_000).contains(keep)),
                compress: reader.value("release.compress", true),
            },
            server: read_server(reader),
            builder: BuilderSettings {
                listen: reader.value("builder.listen", SocketAddr::from(([127, 0, 0, 1], 8001))),
                name: reader.optional("builder.name"),
            },
            site_server: SiteServerSettings {
                listen: reader.value("site.listen", SocketAddr::from(([127, 0, 0, 1], 8080))),
                theme: reader.optional("site.theme"),
            },
            site: read_site(reader),
            auth: read_auth(reader),
            rate_limit: read_rate_limit(reader),
            log: read_log(reader),
            otlp: OtlpSettings::read(reader),
            monitor: MonitorSettings::read(reader),
            alerts: AlertSettings { webhook_secret: reader.optional("alerts.webhook_secret") },
            data,
        }
    }
}

fn read_log(reader: &mut Reader) -> LogSettings {
    let size = ByteSize::mebibytes(10);
    LogSettings {
        format: reader.value("log.format", LogFormat::Auto),
        level: reader.value("log.level", "info".to_owned()),
        dir: reader.optional("log.dir"),
        file_size: reader.checked("log.file_size", size, "a size of 1 KiB or more", |size| size.0 >= 1_024),
        files: reader.checked("log.files", 5, "a number from 1 to 1000", |files| (1..=1_000).contains(files)),
    }
}

fn read_database(reader: &mut Reader, data: &DataSettings) -> DatabaseSettings {
    let connections = |count: &u32| (2..=1_000).contains(count);
    DatabaseSettings {
        url: reader.value("database.url", DatabaseUrl::Sqlite(data.dir.join("microblog.db"))),
        max_connections: reader.checked("database.max_connections", 10, "a number from 2 to 1000", connections),
        connect_timeout: positive(reader, "database.connect_timeout", Duration::from_secs(5)),
        statement_timeout: positive(reader, "database.statement_timeout", Duration::from_secs(30)),
    }
}

fn read_build(reader: &mut Reader) -> BuildSettings {
    BuildSettings {
        dir: reader.value("build.dir", "./build".into()),
        deadline: positive(reader, "build.deadline", Duration::from_secs(15 * 60)),
        page_limit: positive(reader, "build.page_limit", Duration::from_secs(30)),
    }
}

fn read_server(reader: &mut Reader) -> ServerSettings {
    let this_machine = ["127.0.0.0/8", "::1"].iter().filter_map(|range| range.parse().ok()).collect();
    let size = |reader: &mut Reader, key, default| {
        reader.checked(key, default, "a size of at least 1 KiB", |size: &ByteSize| size.0 >= 1_024)
    };
    ServerSettings {
        listen: reader.value("server.listen", SocketAddr::from(([127, 0, 0, 1], 8000))),
        trusted_proxies: reader.value("server.trusted_proxies", this_machine),
        request_timeout: positive(reader, "server.request_timeout", Duration::from_secs(30)),
        upload_timeout: positive(reader, "server.upload_timeout", Duration::from_secs(10 * 60)),
        max_body: size(reader, "server.max_body", ByteSize::mebibytes(8)),
        max_upload: size(reader, "server.max_upload", ByteSize::mebibytes(50)),
        drain: reader.checked(
            "server.drain",
            Duration::from_secs(1),
            "a length of time up to 10m, such as 0s or 5s",
            |given: &Duration| *given <= Duration::from_secs(600),
        ),
    }
}

fn read_site(reader: &mut Reader) -> SiteSettings {
    let default = SiteSettings::default();
    let site = SiteSettings {
        title: reader.value("site.title", default.title),
        description: reader.value("site.description", default.description),
        base_url: reader.value("site.base_url", default.base_url),
        language: reader.value("site.language", default.language),
        timezone: reader.value("site.timezone", default.timezone),
        author: reader.value("site.author", default.author),
        permalink: reader.value("site.permalink", default.permalink),
        posts_per_page: reader.value("site.posts_per_page", default.posts_per_page),
        feed_items: reader.value("site.feed_items", default.feed_items),
        highlight: reader.value("site.highlight", default.highlight),
        menu: default.menu,
    };
    for problem in site.problems() {
        reader.reject(&format!("site.{}", problem.field), problem.message);
    }
    site
}

fn read_auth(reader: &mut Reader) -> AuthSettings {
    let length = |length: &u32| (8..=128).contains(length);
    AuthSettings {
        session_lifetime: positive(reader, "auth.session_lifetime", Duration::from_secs(30 * 24 * 60 * 60)),
        min_password_length: reader.checked("auth.min_password_length", 10, "a number from 8 to 128", length),
        setup_token: reader.optional("auth.setup_token"),
    }
}

fn read_rate_limit(reader: &mut Reader) -> RateLimitSettings {
    RateLimitSettings {
        login: reader.value("rate_limit.login", PerMinute::new(5)),
        builds: reader.value("rate_limit.builds", PerMinute::new(10)),
        api: reader.value("rate_limit.api", PerMinute::new(100)),
        owner: reader.value("rate_limit.owner", PerMinute::new(10_000)),
    }
}

/// A length of time from a second to a year: zero would stop everything, and more than a year overflows dates.
fn positive(reader: &mut Reader, key: &'static str, default: Duration) -> Duration {
    let year = Duration::from_secs(366 * 24 * 60 * 60);
    reader.checked(key, default, "a length of time from 1s to 366d", |given| !given.is_zero() && *given <= year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    }

    fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn messages(sources: &Sources) -> Vec<String> {
        let error = Settings::load(sources).unwrap_err();
        error.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let settings = Settings::load(&Sources::default()).unwrap();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(settings.database.url, DatabaseUrl::Sqlite("./data/microblog.db".into()));
        assert_eq!(settings.site, SiteSettings::default());
        assert_eq!(settings.rate_limit.login, PerMinute::new(5));
    }

    #[test]
    fn the_database_moves_with_the_data_folder() {
        let sources = Sources { command_line: pairs(&[("data.dir", "/srv/blog")]), ..Sources::default() };
        let settings = Settings::load(&sources).unwrap();
        assert_eq!(settings.database.url, DatabaseUrl::Sqlite("/srv/blog/microblog.db".into()));
        assert_eq!(settings.data.media_dir(), PathBuf::from("/srv/blog/media"));
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
        let text = "[site]\ntitle = 'file'\nauthor = 'file'\nlanguage = 'de'\n";
        let (_folder, path) = file("microblog.toml", text);
        let sources = Sources {
            file: Some(path),
            environment: pairs(&[
                ("MICROBLOG__SITE__TITLE", "environment"),
                ("MICROBLOG__SITE__AUTHOR", "environment"),
            ]),
            command_line: pairs(&[("site.title", "command line")]),
        };
        let site = Settings::load(&sources).unwrap().site;
        assert_eq!((&*site.title, &*site.author, &*site.language), ("command line", "environment", "de"));
    }

    #[test]
    fn toml_and_yaml_say_the_same() {
        let toml = "[server]\nlisten = ':9000'\ntrusted_proxies = ['10.0.0.0/8', '::1']\n[release]\nkeep = 3\n";
        let yaml = "server:\n  listen: ':9000'\n  trusted_proxies: [10.0.0.0/8, '::1']\nrelease:\n  keep: 3\n";
        let [one, other] = [("x.toml", toml), ("x.yaml", yaml)].map(|(name, text)| {
            let (_folder, path) = file(name, text);
            Settings::load(&Sources { file: Some(path), ..Sources::default() }).unwrap()
        });
        assert_eq!(one, other);
        assert_eq!((one.release.keep, one.server.trusted_proxies.len()), (3, 2));
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_place() {
        let (_folder, path) = file("microblog.toml", "[servr]\nlisten = 'x'\n[release]\nkeep = 1\n");
        let sources = Sources {
            file: Some(path.clone()),
            environment: pairs(&[("MICROBLOG__SERVER__LISTEN", "localhost:8000"), ("HOME", "/root")]),
            command_line: pairs(&[("site.timezone", "Mars/Olympus")]),
        };
        let file = path.display();
        assert_eq!(
            messages(&sources),
            [
                format!("release.keep = \"1\" (in {file}): expected a number from 2 to 1000"),
                "server.listen = \"localhost:8000\" (in the environment, MICROBLOG__SERVER__LISTEN): expected an \
                 address and a port such as 127.0.0.1:8000, or :8000 for all addresses"
                    .to_owned(),
                "site.timezone = \"Mars/Olympus\" (on the command line): expected a time zone such as Europe/Berlin \
                 (\"Mars/Olympus\" is not a time zone; write it like Europe/Berlin or UTC)"
                    .to_owned(),
                format!("servr.listen (in {file}): there is no such setting; did you mean server.listen?"),
            ]
        );
    }

    #[test]
    fn a_password_in_a_wrong_value_is_never_shown() {
        let (_folder, path) = file("url", "mysql://root:hunter2@db/blog\n");
        let variable = pairs(&[("MICROBLOG__DATABASE__URL_FILE", path.to_str().unwrap())]);
        let messages = messages(&Sources { environment: variable, ..Sources::default() });
        assert!(messages[0].starts_with("database.url (in "), "{messages:?}");
        assert!(!messages[0].contains("hunter2"), "{messages:?}");
    }

    #[test]
    fn a_value_can_be_read_from_a_file_but_not_given_twice() {
        let (_folder, path) = file("url", "sqlite:///srv/secret.db\n");
        let named = ("MICROBLOG__DATABASE__URL_FILE", path.to_str().unwrap());
        let load = |environment| Settings::load(&Sources { environment, ..Sources::default() });
        assert_eq!(load(pairs(&[named])).unwrap().database.url, DatabaseUrl::Sqlite("/srv/secret.db".into()));
        let both = load(pairs(&[named, ("MICROBLOG__DATABASE__URL", "sqlite://x")])).unwrap_err();
        assert!(both.to_string().contains("keep one of the two"), "{both}");
    }

    #[test]
    fn a_broken_or_missing_file_says_where_it_is_broken() {
        let (_folder, path) = file("x.toml", "[server\nlisten = 1\n");
        let problems = Settings::load(&Sources { file: Some(path), ..Sources::default() }).unwrap_err().problems;
        let [Problem::Unreadable { reason, .. }] = &problems[..] else { panic!("{problems:?}") };
        assert!(reason.contains("line 1"), "{reason}");
        let missing = Sources { file: Some("/nowhere/x.toml".into()), ..Sources::default() };
        assert!(messages(&missing)[0].contains("/nowhere/x.toml"));
    }

    #[test]
    fn a_file_that_sets_nothing_is_fine_and_one_without_sections_is_not() {
        for (name, text, fine) in [
            ("x.toml", "# nothing yet\n", true),
            ("x.yaml", "# nothing yet\n", true),
            ("x.yaml", "server:\nsite:\n  title:\n", true),
            ("x.yaml", "- server\n", false),
            ("x.yaml", "server\n", false),
        ] {
            let (_folder, path) = file(name, text);
            let loaded = Settings::load(&Sources { file: Some(path), ..Sources::default() });
            match loaded {
                Ok(settings) => assert!(fine && settings == Settings::load(&Sources::default()).unwrap(), "{text}"),
                Err(error) => assert!(!fine && error.to_string().contains("must hold sections"), "{text}: {error}"),
            }
        }
    }

    #[test]
    fn a_number_keeps_the_form_that_it_was_written_in() {
        let (_folder, path) = file("x.toml", "[site]\ntitle = 2.0\n[release]\nkeep = 3.0\n");
        let messages = messages(&Sources { file: Some(path.clone()), ..Sources::default() });
        let expected = "expected a whole number, 0 or more";
        assert_eq!(messages, [format!("release.keep = \"3.0\" (in {}): {expected}", path.display())]);
    }

    #[test]
    fn every_wrong_name_is_told_with_each_of_its_places() {
        let (_folder, path) = file("x.toml", "server = 'x'\n");
        let messages = messages(&Sources {
            file: Some(path.clone()),
            environment: pairs(&[("MICROBLOG__SERVER__LISTEN", "x"), ("MICROBLOG__SERVER", "y")]),
            command_line: Vec::new(),
        });
        assert!(messages[0].starts_with("server.listen = \"x\" (in the environment"), "{messages:?}");
        assert!(messages[1].starts_with(&format!("server (in {})", path.display())), "{messages:?}");
        assert!(messages[2].starts_with("server (in the environment, MICROBLOG__SERVER)"), "{messages:?}");
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let environment = pairs(&[("MICROBLOG__SITE__TITLE", "")]);
        assert!(Settings::load(&Sources { environment, ..Sources::default() }).is_ok());
    }
}
