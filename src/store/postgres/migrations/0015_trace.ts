/** The trace of a run, as JSON; NULL where nothing traced its start. */
export default ["ALTER TABLE charlotte_runs ADD COLUMN trace TEXT"]
