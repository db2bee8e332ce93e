/**
 * The limits of a manager, from the configuration of the process.
 */
import { Config } from "effect"

export const limits = Config.all({
  maxJobs: Config.integer("CHARLOTTE_MAX_JOBS").pipe(
    Config.validate({ message: "a whole number, 1 or more", validation: (n) => n >= 1 }),
    Config.withDefault(10)
  ),
  stopGrace: Config.duration("CHARLOTTE_STOP_GRACE").pipe(Config.withDefault("5 seconds"))
})
