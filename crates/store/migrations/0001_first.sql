-- Moments are unix milliseconds (UTC); times of a salon are ISO text in its own zone; JSON is text.

CREATE TABLE companies (
    id {id},
    yclients_id BIGINT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    city TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    phone TEXT,
    email TEXT,
    timezone TEXT NOT NULL,
    currency TEXT NOT NULL,
    integration_status TEXT NOT NULL
        CHECK (integration_status IN ('pending_whatsapp', 'activating', 'active', 'activation_failed', 'frozen', 'uninstalled')),
    marketplace_user_id TEXT,
    marketplace_user_name TEXT,
    marketplace_user_phone TEXT,
    marketplace_user_email TEXT,
    whatsapp_connected BOOLEAN NOT NULL DEFAULT FALSE,
    whatsapp_phone TEXT,
    whatsapp_name TEXT,
    whatsapp_connected_at BIGINT,
    api_key {bytes},
    webhook_secret {bytes},
    webhook_secret_hash TEXT UNIQUE,
    last_payment_date BIGINT,
    ai_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    sync_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    whatsapp_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    raw_data TEXT,
    connected_at BIGINT,
    activated_at BIGINT,
    uninstalled_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- A WhatsApp number serves one salon.
CREATE UNIQUE INDEX companies_whatsapp ON companies (whatsapp_phone) WHERE whatsapp_connected;

CREATE TABLE marketplace_events (
    id {id},
    company_id BIGINT NOT NULL REFERENCES companies (id),
    salon_id BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    event_data TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX marketplace_events_company ON marketplace_events (company_id, id);

CREATE TABLE marketplace_tokens (
    id TEXT PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX marketplace_tokens_company ON marketplace_tokens (company_id);

-- Ids of YClients are unique within a salon only, so every key below starts with the company.
CREATE TABLE services (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    yclients_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    title TEXT NOT NULL,
    category_id BIGINT,
    category TEXT NOT NULL,
    price_min BIGINT NOT NULL,
    price_max BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    description TEXT NOT NULL,
    composite_of TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, yclients_id)
);

CREATE TABLE staff (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    yclients_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    specialization TEXT NOT NULL,
    avatar_url TEXT,
    rating DOUBLE PRECISION,
    active BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, yclients_id)
);

CREATE TABLE service_staff (
    company_id BIGINT NOT NULL,
    service_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    PRIMARY KEY (company_id, service_id, staff_id),
    FOREIGN KEY (company_id, service_id) REFERENCES services (company_id, yclients_id)
);

-- One row per working interval; a known day off is one row that is not available.
CREATE TABLE schedules (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    staff_id BIGINT NOT NULL,
    date TEXT NOT NULL,
    time_start TEXT NOT NULL,
    time_end TEXT NOT NULL,
    available BOOLEAN NOT NULL,
    PRIMARY KEY (company_id, date, staff_id, time_start)
);

CREATE TABLE clients (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    yclients_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT,
    email TEXT,
    visit_count BIGINT NOT NULL,
    last_visit_date TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, yclients_id)
);
CREATE INDEX clients_phone ON clients (company_id, phone);

CREATE TABLE bookings (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    yclients_id BIGINT NOT NULL,
    booking_id TEXT,
    client_id BIGINT,
    client_name TEXT NOT NULL,
    client_phone TEXT,
    staff_id BIGINT NOT NULL,
    services TEXT NOT NULL,
    datetime TEXT NOT NULL,
    duration BIGINT NOT NULL,
    cost BIGINT,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'confirmed', 'came', 'no_show')),
    deleted BOOLEAN NOT NULL,
    locked BOOLEAN NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    record_hash TEXT,
    version BIGINT NOT NULL,
    raw_data TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, yclients_id)
);
CREATE INDEX bookings_client ON bookings (company_id, client_phone, datetime);
CREATE INDEX bookings_day ON bookings (company_id, datetime);
CREATE UNIQUE INDEX bookings_ours ON bookings (company_id, booking_id) WHERE booking_id IS NOT NULL;

CREATE TABLE conversations (
    id {id},
    company_id BIGINT NOT NULL REFERENCES companies (id),
    chat TEXT NOT NULL,
    phone TEXT,
    push_name TEXT,
    client_id BIGINT,
    state TEXT,
    version BIGINT NOT NULL DEFAULT 0,
    last_seq BIGINT NOT NULL DEFAULT 0,
    paused_until BIGINT,
    last_message_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (company_id, chat),
    UNIQUE (company_id, id)
);
CREATE INDEX conversations_phone ON conversations (company_id, phone);

-- Inbox and outbox. The order of a chat is seq, never a time.
CREATE TABLE messages (
    id {id},
    company_id BIGINT NOT NULL REFERENCES companies (id),
    conversation_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    author TEXT NOT NULL CHECK (author IN ('customer', 'bot', 'person')),
    whatsapp_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    reaction_to TEXT,
    push_name TEXT,
    sent_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('new', 'answered', 'old', 'ignored', 'queued', 'sent', 'acked', 'delivered', 'read', 'failed')),
    refusal TEXT,
    turn_id BIGINT,
    UNIQUE (conversation_id, seq),
    UNIQUE (conversation_id, direction, whatsapp_id),
    FOREIGN KEY (company_id, conversation_id) REFERENCES conversations (company_id, id)
);
CREATE INDEX messages_status ON messages (conversation_id, status);
CREATE INDEX messages_whatsapp ON messages (company_id, whatsapp_id);

CREATE TABLE turns (
    id {id},
    company_id BIGINT NOT NULL REFERENCES companies (id),
    conversation_id BIGINT NOT NULL,
    from_seq BIGINT NOT NULL,
    to_seq BIGINT NOT NULL,
    journal TEXT,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    FOREIGN KEY (company_id, conversation_id) REFERENCES conversations (company_id, id)
);
CREATE UNIQUE INDEX turns_open ON turns (conversation_id) WHERE closed_at IS NULL;

CREATE TABLE jobs (
    id {id},
    kind TEXT NOT NULL,
    key TEXT,
    lane TEXT,
    company_id BIGINT,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('available', 'running', 'discarded', 'dead')),
    priority BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL DEFAULT 0,
    max_attempts BIGINT NOT NULL,
    claim BIGINT NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until BIGINT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    CHECK ((state = 'running') = (owner IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('discarded', 'dead')) = (finished_at IS NOT NULL))
);
CREATE INDEX jobs_ready ON jobs (kind, priority, id) WHERE state = 'available';
CREATE INDEX jobs_due ON jobs (kind, run_at) WHERE state = 'available';
CREATE INDEX jobs_lane ON jobs (lane, id) WHERE lane IS NOT NULL;
CREATE INDEX jobs_company ON jobs (company_id, lane) WHERE company_id IS NOT NULL;
CREATE INDEX jobs_running ON jobs (kind, key) WHERE state = 'running';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
-- Never two at once in a lane, whatever the code does.
CREATE UNIQUE INDEX jobs_one_running ON jobs (lane) WHERE state = 'running' AND lane IS NOT NULL;
-- One waiting per key; a second may wait behind a running one.
CREATE UNIQUE INDEX jobs_one_waiting ON jobs (kind, key) WHERE state = 'available' AND key IS NOT NULL;

-- Who runs a salon's WhatsApp session, by the database's time.
CREATE TABLE sessions (
    company_id BIGINT PRIMARY KEY REFERENCES companies (id),
    wanted BOOLEAN NOT NULL,
    owner TEXT,
    epoch BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    phone TEXT,
    state TEXT,
    updated_at BIGINT NOT NULL
);

CREATE TABLE whatsapp_keys (
    company_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value {bytes} NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, kind, key)
);

CREATE TABLE webhook_events (
    id {id},
    company_id BIGINT,
    kind TEXT NOT NULL,
    dedupe TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX webhook_events_age ON webhook_events (received_at);

CREATE TABLE notifications (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, kind, key)
);

CREATE TABLE planned (
    id {id},
    company_id BIGINT NOT NULL REFERENCES companies (id),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (company_id, kind, key)
);
CREATE INDEX planned_due ON planned (due_at, id);

CREATE TABLE sync_logs (
    id {id},
    company_id BIGINT NOT NULL REFERENCES companies (id),
    module TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    done BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    started_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX sync_logs_company ON sync_logs (company_id, module, id);
