/** The machine of an owner; NULL where it was recorded without. */
export default ["ALTER TABLE charlotte_owners ADD COLUMN machine TEXT"]
