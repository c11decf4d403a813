// Failed sign-ins are counted for names and addresses, and forgotten some time after the last one.
CREATE CONSTRAINT failed_sign_ins_id IF NOT EXISTS FOR (n:FailedSignIns) REQUIRE n.id IS UNIQUE;
CREATE INDEX failed_sign_ins_until IF NOT EXISTS FOR (n:FailedSignIns) ON (n.until, n.id);
