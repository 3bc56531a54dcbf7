-- What came too late to be answered and is not yet listed for the salon.
CREATE INDEX messages_old ON messages (company_id) WHERE status = 'old';
