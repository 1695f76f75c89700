//! A newer program has changed the schema while this one uses it.

use microblog_domain::{BuildState, ContentHash, Role};
use microblog_store::idempotency::{self, RecordedAnswer};
use microblog_store::posts::changes;
use microblog_store::posts::list::{PostFilter, list};
use microblog_store::tokens::{self, NewToken};
use microblog_store::{
    ServerOptions, Store, audit, builds, images, media, migrate, outbox, posts, publishing, releases, revisions,
    settings, users,
};
use microblog_testkit::{DatabaseKind, a_post};

use crate::scenario::Scenario;

/// One connection that reads and one that writes: what is prepared is used again.
async fn narrow(scenario: &Scenario) -> Store {
    let options = ServerOptions { max_connections: 2, ..ServerOptions::default() };
    Store::open_with(&scenario.db.url(), options).await.unwrap()
}

/// Reads and writes every table whose rows are read as a whole.
async fn use_all(store: &Store, scenario: &Scenario, round: u8) {
    let (now, origin) = (scenario.now(), scenario.origin());
    let hash = ContentHash::of(&[round]);
    let mut tx = store.begin().await.unwrap();
    let new = users::NewUser { name: format!("user {round}"), password_hash: "!".to_owned(), role: Role::Author };
    let user = users::create(&mut tx, &new, now).await.unwrap();
    let token = NewToken { user: user.id, name: "t".to_owned(), hash, scopes: Vec::new(), expires_at: None };
    tokens::create(&mut tx, &token, now).await.unwrap();
    let answer = RecordedAnswer { request: hash, status: 200, headers: Vec::new(), body: String::new() };
    assert!(idempotency::claim(&mut tx, user.id, "key").await.unwrap().is_none());
    idempotency::record(&mut tx, user.id, "key", &answer, now).await.unwrap();
    idempotency::claim(&mut tx, user.id, "key").await.unwrap().unwrap();
    let site = settings::load(&mut tx).await.unwrap();
    settings::save(&mut tx, site.version, &site.settings, &origin).await.unwrap();
    let saved = publishing::create(&mut tx, a_post().published().build(), &origin).await.unwrap();
    outbox::claim(&mut tx, now, std::time::Duration::from_secs(1), 10).await.unwrap();
    tx.commit().await.unwrap();

    let id = saved.post.post.id;
    let conn = &mut *store.read().await.unwrap();
    posts::get(conn, id).await.unwrap();
    list(conn, &PostFilter { limit: 10, ..PostFilter::default() }).await.unwrap();
    changes::published_page(conn, None, 10).await.unwrap();
    changes::published_among(conn, &[id]).await.unwrap();
    assert_eq!(revisions::list(conn, id, None, 10).await.unwrap().len(), 1);
    assert!(!audit::list(conn, None, 10).await.unwrap().is_empty());
    users::list(conn).await.unwrap();
    tokens::list(conn, None).await.unwrap();
    let build = builds::newest_in(conn, BuildState::Waiting).await.unwrap().unwrap();
    assert!(!builds::events::of_build(conn, build.id, 0, 10).await.unwrap().is_empty());
    releases::list(conn, None, 10).await.unwrap();
    media::list(conn, None, 10).await.unwrap();
    images::variants_of(conn, &[hash]).await.unwrap();
    settings::load(conn).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_that_a_newer_program_adds_disturb_nobody_and_its_schema_is_told() {
    let scenario = Scenario::on(DatabaseKind::Postgres).await;
    let store = narrow(&scenario).await;
    use_all(&store, &scenario, 1).await;
    let newer = scenario.db.open_again().await;
    let mut tx = newer.begin().await.unwrap();
    for sql in [
        "DO $$ DECLARE name TEXT; BEGIN \
         FOR name IN SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' LOOP \
         EXECUTE format('ALTER TABLE %I ADD COLUMN newer BIGINT NOT NULL DEFAULT 1', name); END LOOP; END $$",
        "INSERT INTO schema_steps (version, name) SELECT MAX(version) + 1, 'newer' FROM schema_steps",
    ] {
        sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    use_all(&store, &scenario, 2).await;
    assert_eq!(store.examine().await.unwrap(), migrate::newest_schema() + 1);
}
