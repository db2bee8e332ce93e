/**
 * Which Charlotte this is. A daemon and its clients tell each other, since they may be of different installations.
 */

/** As in package.json, which cannot be read from a bundle. */
export const version = "0.2.0"

/** The header that carries it, both ways. */
export const versionHeader = "charlotte-version"
