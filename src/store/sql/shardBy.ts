/**
 * The shard of a job in SQL, as `shardOf` computes it.
 */
import { alphabet, places, shards } from "../port/shard.js"

/** The shard of the id in a column. `position` is the function that finds a string in another, and counts from 1. */
export const shardBy =
  (position: "instr" | "strpos") =>
  (id: string): string => {
    const terms = places.map(([place, weight]) => `${position}('${alphabet}', substr(${id}, ${place}, 1)) * ${weight}`)
    return `((${terms.join(" + ")}) % ${shards})`
  }
