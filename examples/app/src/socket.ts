/** Where the server listens, in the directory that it is started in. */
export const socket = "shop.socket"
