import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { cliServer, forwarder, type Said } from './cli-desk.ts'

export interface Section {
  readonly heading: string
  readonly blocks: readonly string[]
}

/** The sections of a page with the commands in each. */
export async function sectionsOf(page: URL): Promise<readonly Section[]> {
  const [, ...sections] = (await readFile(page, 'utf8')).split(/^## /m)
  return sections.map((text) => ({
    heading: text.slice(0, text.indexOf('\n')),
    blocks: [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block),
  }))
}

/** A shell in an empty folder, in which `npx jackstay` and `kubectl` are what is tested. */
export interface Shell {
  readonly folder: string
  /** What it printed. @throws when a command of the block fails */
  run(block: string, env: Readonly<Record<string, string>>): Promise<string>
  close(): Promise<void>
}

export async function shell(
  kubectl: string,
  type: (line: readonly string[]) => Promise<Said>,
): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), 'jackstay-page-'))
  const server = await cliServer(type)
  const npx = `#!${process.execPath}\n${forwarder(server.url)}`
  await writeFile(join(folder, 'npx'), npx, { mode: 0o755 })
  await symlink(kubectl, join(folder, 'kubectl'))
  return {
    folder,
    async run(block, env) {
      const path = [folder, process.env.PATH].join(delimiter)
      const options = { cwd: folder, env: { HOME: folder, ...env, PATH: path } }
      const { stdout } = await promisify(execFile)(
        'bash',
        ['-euo', 'pipefail', '-c', block],
        options,
      )
      return stdout
    },
    async close() {
      server.close()
      await rm(folder, { recursive: true })
    },
  }
}
