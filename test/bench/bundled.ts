import { join } from 'node:path'
import { outcomeOf } from '@jackstay/cluster/process'

const root = new URL('../../', import.meta.url).pathname

/** One program as it is shipped: the path of its one file. */
export async function bundled(directory: string, name: string, entry: string): Promise<string> {
  const file = join(directory, `${name}.mjs`)
  // the bundler of what is shipped, as a program of its own
  const command = [process.execPath, 'scripts/bundle.ts', name, entry, file]
  const options = { cwd: root, signal: AbortSignal.timeout(120_000) }
  const { code, stderr } = await outcomeOf(command, options)
  if (code !== 0) throw new Error(`\`${entry}\` was not bundled: ${stderr}`)
  return file
}
