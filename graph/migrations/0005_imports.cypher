// What is imported in bulk: uploads, each kept in parts, and imports, with what became of each line.
CREATE CONSTRAINT upload_id IF NOT EXISTS FOR (n:Upload) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT upload_part_id IF NOT EXISTS FOR (n:UploadPart) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT import_id IF NOT EXISTS FOR (n:Import) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT import_part_id IF NOT EXISTS FOR (n:ImportPart) REQUIRE n.id IS UNIQUE;
CREATE INDEX upload_user IF NOT EXISTS FOR (n:Upload) ON (n.user);
CREATE INDEX upload_expiry IF NOT EXISTS FOR (n:Upload) ON (n.expiresAt);
