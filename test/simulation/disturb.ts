import type { Database } from "./Database.js"
import type { Random } from "./Random.js"

/** Lets some of the next statements of the database fail. */
export const disturb = (database: Pick<Database, "setFault">, random: Random): void => {
  const code = random.pick(["SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY"])
  const matching = random.pick([/./, /^COMMIT/, /^INSERT/, /^UPDATE/, /^SELECT/])
  database.setFault({
    code,
    after: random.below(10),
    times: random.between(1, 5),
    matching,
    rollsBack: random.chance(0.2)
  })
}
