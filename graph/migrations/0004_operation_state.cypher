// The inbox finds operations that are not finished without a look at those that are.
CREATE INDEX operation_state IF NOT EXISTS FOR (n:Operation) ON (n.state, n.id);
CREATE INDEX operation_root_state IF NOT EXISTS FOR (n:Operation) ON (n.root, n.state, n.id);
