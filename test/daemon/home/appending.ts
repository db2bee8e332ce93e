/** A process that appends lines of 300 characters to a log until one does not fit, and prints what is said of that. */
import * as RotatedFile from "../../../src/daemon/home/RotatedFile.js"

const [path = ""] = process.argv.slice(2)
const { append } = RotatedFile.make({ path, limit: 100_000, keep: 1 })

try {
  for (let n = 0; n < 100; n++) append(String(n).padEnd(300, "."))
} catch (cause) {
  process.stdout.write(String(cause))
}
