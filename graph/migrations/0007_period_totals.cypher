// What was posted to an account by value date, one total for each year, month and day.
CREATE CONSTRAINT period_total IF NOT EXISTS FOR (n:PeriodTotal) REQUIRE (n.ledger, n.period) IS UNIQUE;
