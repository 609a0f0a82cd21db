import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { breakerScopes } from '@jackstay/contract/api'

/** Writes the mediator's `--breakers` for whoever asks as no agent should: none of them ever opens. */
export async function calmBreakers(directory: string): Promise<string> {
  const file = join(directory, 'breakers.json')
  const scopes = breakerScopes.map((scope) => [scope, { rules: {} }])
  await writeFile(file, JSON.stringify(Object.fromEntries(scopes)))
  return file
}
