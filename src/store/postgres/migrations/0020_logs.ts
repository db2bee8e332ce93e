/** The log of a child process and its end, and where nodes reach each other, for readers on other machines. */
export default [
  "ALTER TABLE charlotte_attempts ADD COLUMN log TEXT",
  "ALTER TABLE charlotte_attempts ADD COLUMN tail TEXT",
  "ALTER TABLE charlotte_nodes ADD COLUMN url TEXT"
]
