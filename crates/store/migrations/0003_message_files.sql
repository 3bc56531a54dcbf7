-- The files that messages brought, where they are small. Sealed.
CREATE TABLE message_files (
    message_id BIGINT PRIMARY KEY REFERENCES messages (id),
    company_id BIGINT NOT NULL REFERENCES companies (id),
    bytes {bytes} NOT NULL,
    fetched_at BIGINT NOT NULL
);
CREATE INDEX message_files_age ON message_files (fetched_at);
