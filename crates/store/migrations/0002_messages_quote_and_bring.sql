-- Which message a message answers, and what it brings beside words: a file's whereabouts, a place, a card. Sealed.
ALTER TABLE messages ADD COLUMN quoted TEXT;
ALTER TABLE messages ADD COLUMN attachment {bytes};
