/** Whether tests that have a long form run it: `npm run test:long`. */
export const isLong = process.env["CHARLOTTE_TESTS"] === "long"
