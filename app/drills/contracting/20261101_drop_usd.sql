-- depends: 20251009_enrich_costs
-- contracts: the column usd of costs, which the code of the baseline reads
-- A drill.
ALTER TABLE costs DROP COLUMN usd;
