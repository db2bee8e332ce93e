/** The end of an id, which distinguishes jobs created at the same moment. */
export const shortId = (id: string): string => id.slice(-6)
