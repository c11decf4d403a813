// All accounts of a tenant are found without a walk through its tree.
CREATE INDEX account_root IF NOT EXISTS FOR (n:Account) ON (n.root, n.id);
