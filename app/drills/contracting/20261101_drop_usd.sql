-- depends: 20251009_enrich_costs
-- A drill: contracts the schema by a column that the code of the baseline reads.
ALTER TABLE costs DROP COLUMN usd;
