//! The schema, step by step. A step that has been released is never edited; a new one is added.

use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use crate::{
    Result, StoreError, Tx,
    database::Connection,
    dialect::{MIGRATION_WORDS, POSTGRES_MIGRATION_LOCK},
    machine_now,
};

const STEPS: [(i64, &str, &str); 6] = [
    (1, "the first house", include_str!("../migrations/0001_first.sql")),
    (2, "messages quote and bring", include_str!("../migrations/0002_messages_quote_and_bring.sql")),
    (3, "message files", include_str!("../migrations/0003_message_files.sql")),
    (4, "old messages", include_str!("../migrations/0004_old_messages.sql")),
    (5, "readings in order", include_str!("../migrations/0005_readings_in_order.sql")),
    (6, "catalogue version", include_str!("../migrations/0006_catalogue_version.sql")),
];

/// Applies what is missing, inside the caller's transaction.
pub(crate) async fn run(tx: &mut Tx) -> Result<()> {
    if tx.is_postgres() {
        execute!(tx, POSTGRES_MIGRATION_LOCK)?;
    }
    execute!(
        tx,
        "CREATE TABLE IF NOT EXISTS schema_migrations \
         (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"
    )?;
    let applied = rows!(tx, (i64, String), "SELECT version, checksum FROM schema_migrations ORDER BY version")?;
    if let Some((version, _)) = applied.iter().find(|(version, _)| STEPS.iter().all(|step| step.0 != *version)) {
        return Err(StoreError::Migration(format!("the database is at step {version}, which this program does not know: it is newer")));
    }
    for (version, name, text) in STEPS {
        let checksum: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        match applied.iter().find(|step| step.0 == version) {
            Some((_, known)) if *known == checksum => continue,
            Some(_) => return Err(StoreError::Migration(format!("step {version} was applied with another text"))),
            None => {}
        }
        let text = AssertSqlSafe(in_dialect(text, tx.is_postgres()));
        match tx.connection() {
            Connection::Sqlite(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(|_| ()),
            Connection::Postgres(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(|_| ()),
        }?;
        execute!(
            tx,
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
            version,
            name,
            checksum.as_str(),
            machine_now().as_millisecond()
        )?;
        tracing::info!(version, name, "schema migrated");
    }
    Ok(())
}

fn in_dialect(text: &str, postgres: bool) -> String {
    MIGRATION_WORDS.iter().fold(text.to_owned(), |text, (word, sqlite, pg)| text.replace(word, if postgres { pg } else { sqlite }))
}
