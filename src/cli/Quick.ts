/**
 * Which words are read by hand. Here is nothing that would have to be loaded: whoever starts the command has to know, too.
 */

/** The list of jobs, without any words, or with the one for programs. */
export const isList = (words: ReadonlyArray<string>): boolean =>
  words[0] === "jobs" && words.length <= 2 && words.slice(1).every((word) => word === "--json")
