export const permissions = ["approve", "land", "prune", "remove"] as const

/** What an agent may do only if its person has allowed it. */
export type Permission = (typeof permissions)[number]

export const isPermission = (text: string): text is Permission => permissions.some((permission) => permission === text)
