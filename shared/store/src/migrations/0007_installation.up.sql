-- Names the installation, so that two of them do not replace each other's site. Nothing until somebody asks.
ALTER TABLE site_state ADD COLUMN installation TEXT;
