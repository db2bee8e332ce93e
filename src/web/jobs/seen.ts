import { kept } from "../ui/kept.js"

/** The failed jobs that the user has marked as seen. Beyond 500, the oldest have left the list long before. */
export const seen = kept("charlotte.seen", 500)
