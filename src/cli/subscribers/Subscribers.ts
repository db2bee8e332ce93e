/**
 * The subscribers at the process that runs jobs, or in the database if there is none.
 */
import { acting } from "../act/acting.js"
import { sender } from "../act/sender.js"

export const list = acting(({ subscribers }) => subscribers)

export const retry = (name: string) => acting(({ retrySubscriber }) => retrySubscriber(name))

export const remove = (name: string) => acting(({ removeSubscriber }) => removeSubscriber(name, { by: sender() }))
