import { fileURLToPath } from 'node:url'

/** The checkout. */
export const rootFolder = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
