-- depends: 20251009_enrich_costs
-- A drill: fails, because there is no such table.
CREATE INDEX visits_by_time ON visits (created_at);
