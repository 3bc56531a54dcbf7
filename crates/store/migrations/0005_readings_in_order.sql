-- When the reading that a booking stands by was asked for, in unix microseconds: an older one that is
-- written down later changes nothing.
ALTER TABLE bookings ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0;
