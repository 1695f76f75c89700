//! The schema's way up and down, and what the database refuses.

use microblog_store::posts::list::{PostFilter, list};
use microblog_store::{Store, StoreError, migrate, posts};
use microblog_testkit::{DatabaseKind, TestDatabase, a_post};

use crate::scenario::{Scenario, on_every_database};

on_every_database![
    ten_processes_may_start_at_once,
    the_schema_goes_down_and_up_again,
    each_step_down_leaves_a_schema_that_goes_up_with_its_content,
    a_newer_schema_is_refused_and_left_alone,
    a_step_of_a_version_that_was_never_released_is_refused,
    a_step_that_fails_changes_nothing_and_is_named,
    a_reader_can_not_write,
    a_damaged_value_is_reported_with_its_column,
];

async fn go_down(db: &TestDatabase, target: i64) {
    let mut tx = db.store().begin().await.unwrap();
    migrate::down(&mut tx, target).await.unwrap();
    assert_eq!(migrate::schema(&mut tx).await.unwrap(), target);
    tx.commit().await.unwrap();
}

/// Once where there is nothing yet, once where a schema is to be brought up to date.
async fn ten_processes_may_start_at_once(database: DatabaseKind) {
    let db = TestDatabase::of(database).await;
    for target in [0, 1] {
        go_down(&db, target).await;
        let mut starts = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let url = db.url();
            starts.spawn(async move {
                Store::open(&url).await.unwrap().examine().await.unwrap();
            });
        }
        assert_eq!(starts.join_all().await.len(), 10);
    }
}

/// Everything that makes up the schema, as text.
async fn tables(db: &TestDatabase) -> Vec<String> {
    let sql = match db.kind() {
        DatabaseKind::Sqlite => "SELECT name || ' ' || COALESCE(sql, '') AS text FROM sqlite_master ORDER BY name",
        DatabaseKind::Postgres => {
            "SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable, column_default) \
             AS text FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT conrelid::regclass::text || conname || pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE connamespace = 'public'::regnamespace \
             UNION ALL SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
             UNION ALL SELECT tgname || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
        }
    };
    let mut tx = db.store().begin().await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&mut *tx).await.unwrap();
    rows.iter().map(|row| sqlx::Row::get::<String, _>(row, "text")).collect()
}

async fn the_schema_goes_down_and_up_again(database: DatabaseKind) {
    let db = TestDatabase::of(database).await;
    let before = tables(&db).await;
    go_down(&db, 0).await;
    let left = tables(&db).await;
    assert!(left.iter().all(|text| text.contains("schema_steps")), "only the list of steps is left: {left:?}");
    db.open_again().await;
    assert_eq!(tables(&db).await, before);
}

async fn each_step_down_leaves_a_schema_that_goes_up_with_its_content(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().saying("a findable crab").published()).await.post.post.id;
    go_down(&scenario.db, 1).await;
    let store = scenario.db.open_again().await;
    let words = PostFilter { words: Some("crab".to_owned()), limit: 10, ..PostFilter::default() };
    let found = list(&mut store.read().await.unwrap(), &words).await.unwrap();
    assert_eq!(found.posts.iter().map(|post| post.post.id).collect::<Vec<_>>(), [id]);
}

async fn a_newer_schema_is_refused_and_left_alone(database: DatabaseKind) {
    let db = TestDatabase::of(database).await;
    let mut tx = db.store().begin().await.unwrap();
    sqlx::query("INSERT INTO schema_steps (version, name) VALUES (999, 'future')").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let error = Store::open(&db.url()).await.unwrap_err();
    assert!(matches!(error, StoreError::SchemaTooNew { found: 999, .. }));
    assert!(error.to_string().contains("run the newer version of Microblog"), "{error}");
}

async fn a_step_of_a_version_that_was_never_released_is_refused(database: DatabaseKind) {
    let db = TestDatabase::of(database).await;
    let mut tx = db.store().begin().await.unwrap();
    let rename =
        "UPDATE schema_steps SET version = version + 1 WHERE version = (SELECT MAX(version) FROM schema_steps)";
    sqlx::query(rename).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let error = Store::open(&db.url()).await.unwrap_err();
    let next = migrate::newest_schema() + 1;
    assert!(matches!(&error, StoreError::SchemaUnknown { version, .. } if *version == next), "{error}");
    assert!(error.to_string().contains("import them into an empty database"), "{error}");
}

async fn a_step_that_fails_changes_nothing_and_is_named(database: DatabaseKind) {
    let db = TestDatabase::of(database).await;
    go_down(&db, 0).await;
    let mut tx = db.store().begin().await.unwrap();
    sqlx::query("CREATE TABLE posts (id TEXT)").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let message = async || Store::open(&db.url()).await.unwrap_err().to_string();
    let error = message().await;
    assert!(error.contains("schema step 1 (schema) failed"), "{error}");
    assert!(error.contains("posts"), "{error}");
    assert_eq!(message().await, error, "nothing of the failed step is left in the way");
}

async fn a_reader_can_not_write(database: DatabaseKind) {
    let db = TestDatabase::of(database).await;
    let mut reader = db.store().read().await.unwrap();
    let written = sqlx::query("DELETE FROM posts").execute(&mut *reader).await.map_err(StoreError::from);
    assert!(matches!(written, Err(StoreError::ReadOnly)), "{written:?}");
}

async fn a_damaged_value_is_reported_with_its_column(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post()).await.post.post.id;
    let mut tx = scenario.db.store().begin().await.unwrap();
    sqlx::query("UPDATE posts SET tags = 'not json'").execute(&mut *tx).await.unwrap();
    let error = posts::get(&mut tx, id).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { column, .. } if column == "tags"), "{error}");
}
