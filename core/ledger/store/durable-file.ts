import { constants } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readBounded } from './bounded-file.ts'

/** Replaces a file so that after a power cut either all of the old or all of the new is there. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.new`
  {
    await using file = await open(temporary, 'w', 0o600)
    await file.writeFile(text)
    await file.sync()
  }
  await rename(temporary, path)
  await syncDirectory(dirname(path))
}

/** Far more than any file of ours has. */
const limit = 16 * 1024 * 1024

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readBounded(path, limit)?.toString('utf8')
}

/** Without this a power cut could take the new name away while the store it signed stays. */
export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, constants.O_RDONLY)
  await handle.sync()
}
