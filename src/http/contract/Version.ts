/**
 * The version of this package. Daemon and clients exchange it, since they may be from different installations.
 */

/** Repeats package.json, which is not part of the bundle. */
export const version = "0.2.0"

/** The header of requests and responses that carries the version. */
export const versionHeader = "charlotte-version"
