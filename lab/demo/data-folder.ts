import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { NotHere } from './not-here.ts'

/**
 * A folder for the lab's state is new, empty, or one of an earlier lab.
 * @throws NotHere for one that holds something else
 */
export function assertOurs(folder: string): void {
  if (!existsSync(folder)) return
  if (!statSync(folder).isDirectory()) {
    throw new NotHere(`\`${folder}\` is no folder; name one, or a name that is free`)
  }
  const names = readdirSync(folder)
  if (names.length === 0 || existsSync(join(folder, 'kubernetes', 'cluster.db'))) return
  throw new NotHere(
    `\`${folder}\` holds something else (${names.slice(0, 3).join(', ')}); name an empty folder, or one of the lab`,
  )
}
