import type { z } from 'zod'

/** The first thing that is wrong with a file of settings: a misspelt name before what it leaves out. */
export function wrongField({ issues }: z.ZodError): string {
  const [issue] = issues.toSorted((a, b) => rank(a) - rank(b))
  if (issue === undefined) return 'it cannot be read'
  const at = (name?: string) => `\`${[...issue.path, ...(name ? [name] : [])].join('.') || '.'}\``
  if (issue.code === 'unrecognized_keys') return `there is no setting ${at(issue.keys[0])}`
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return `${at()} is missing`
  }
  return `${at()}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`
}

function rank({ code }: { readonly code?: string }): number {
  return code === 'unrecognized_keys' ? 0 : 1
}
