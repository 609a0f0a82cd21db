import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { NotHere } from './not-here.ts'

/**
 * Whether a folder holds the state of an earlier lab; else it is new or empty.
 * @throws NotHere for one that holds something else
 */
export function isEarlier(folder: string): boolean {
  if (!existsSync(folder)) return false
  if (!statSync(folder).isDirectory()) {
    throw new NotHere(`\`${folder}\` is no folder; name one, or a name that is free`)
  }
  const names = readdirSync(folder)
  if (names.length === 0) return false
  if (existsSync(join(folder, 'kubernetes', 'cluster.db'))) return true
  throw new NotHere(
    `\`${folder}\` holds something else (${names.slice(0, 3).join(', ')}); name an empty folder, or one of the lab`,
  )
}
