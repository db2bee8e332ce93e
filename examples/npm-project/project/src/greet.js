import { exclaim } from "exclaim"

export const greet = (name) => exclaim(`${process.env.GREETING}, ${name}`)
