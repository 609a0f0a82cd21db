import { entries } from '../lab/programs.ts'

/** What leaves the checkout: one file per program. */
export interface Program {
  readonly name: string
  readonly entry: string
}

export const programs: readonly Program[] = Object.entries(entries).map(([name, entry]) => ({
  name,
  entry,
}))

/** Bundles need what Node has had since this version. */
const neededNode = 24

/**
 * The first statement of a bundle. It and everything behind it must parse on an old Node, and
 * nothing may be imported before it: a missing module would end the program with a stack trace.
 */
export function nodeCheck(name: string): string {
  const message = `'\`${name}\` needs Node.js ${neededNode} or newer and this is ' + process.version + ': install it, or use the container image'`
  return `if (Number(process.versions.node.split('.')[0]) < ${neededNode}) { console.error(${message}); process.exit(1) }`
}
