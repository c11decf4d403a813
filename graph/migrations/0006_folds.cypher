// Totals of groups are folded from their tenant's feed: a cursor, the tree as it was there, and the sums.
CREATE CONSTRAINT fold_id IF NOT EXISTS FOR (n:Fold) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT branch_id IF NOT EXISTS FOR (n:Branch) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT total_id IF NOT EXISTS FOR (n:Total) REQUIRE n.id IS UNIQUE;
