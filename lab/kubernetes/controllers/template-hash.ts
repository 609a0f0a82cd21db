import { createHash } from 'node:crypto'
import { canonical } from '@jackstay/contract/json'
import { letters } from '../identities.ts'

/** Ten letters that tell templates apart, none of which spells anything. */
export function templateHash(template: unknown): string {
  const bytes = createHash('sha256').update(canonical(template)).digest()
  return [...bytes.subarray(0, 10)].map((byte) => letters[byte % letters.length]).join('')
}
