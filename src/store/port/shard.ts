/**
 * The shards of a cluster. A job belongs to a shard by its id, and each node has a share of the shards. The databases compute the shard
 * from the id as well, so that a node searches its share by an index.
 */
import type { JobId } from "../../domain/JobId.js"

/**
 * The number of shards; all nodes must use the same, so it is no option. With 300, the shares of tens of nodes differ little, and all
 * locks are renewed in one statement.
 */
export const shards = 300

/** All shards: the numbers from 0. */
export const allShards: ReadonlyArray<number> = Array.from({ length: shards }, (_, shard) => shard)

/** The characters of an id, in the order of their values. */
export const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/** The places of the last characters of an id, counted from 1, with their weights. They are random, or count up within a millisecond. */
export const places = [
  [24, alphabet.length ** 2],
  [25, alphabet.length],
  [26, 1]
] as const

/** The shard of a job. */
export const shardOf = (id: JobId): number =>
  places.reduce((sum, [place, weight]) => sum + (alphabet.indexOf(id.charAt(place - 1)) + 1) * weight, 0) % shards
