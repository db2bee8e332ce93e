/** The machine of a child process; NULL where it was recorded before there could be several. */
export default ["ALTER TABLE charlotte_attempts ADD COLUMN machine TEXT"]
