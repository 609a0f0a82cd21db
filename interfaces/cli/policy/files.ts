import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { unreadable, usageError } from '../failure.ts'
import { bounded, readBytes } from '../read-file.ts'
import type { Terminal } from '../terminal.ts'

/** A file of rules or cases as it was read. */
export interface InputFile {
  /** The path as the user gave it, or `<stdin>`. */
  readonly name: string
  /** Without a byte order mark. */
  readonly text: string
}

const maxFiles = 5000

const yamlName = /\.(ya?ml|json)$/
const caseName = /\.test\.ya?ml$/

/** Files of cases lie beside the rules under a name of their own. */
export function isCaseFile(name: string): boolean {
  return caseName.test(name)
}

/**
 * The paths that the arguments mean: files as they are, folders walked for what `wanted` says.
 * @throws CommandFailed for a path that is not there, and a folder with nothing in it
 */
export async function pathsOf(
  given: readonly string[],
  wanted: 'policies' | 'cases',
): Promise<string[]> {
  const fits = (name: string) => yamlName.test(name) && isCaseFile(name) === (wanted === 'cases')
  const found: string[] = []
  for (const path of given) {
    const kind = path === '-' ? 'file' : await kindOf(path)
    const more = kind === 'file' ? [path] : (await walk(path)).filter(fits)
    if (more.length === 0) {
      const names = wanted === 'cases' ? '*.test.yaml' : '*.yaml'
      throw usageError(`the folder \`${path}\` has no \`${names}\`; name another`)
    }
    found.push(...more)
    if (found.length > maxFiles) throw usageError(`more than ${maxFiles} files; name fewer`)
  }
  return [...new Set(found)]
}

async function kindOf(path: string): Promise<'file' | 'folder'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** Everything below a folder but what is hidden or installed, in the order of names. */
async function walk(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause)
  })
  const found: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...(await walk(path)))
    else if (entry.isFile() || entry.isSymbolicLink()) found.push(path)
    if (found.length > maxFiles) throw usageError(`\`${folder}\` has no end; name fewer folders`)
  }
  return found
}

/** @throws CommandFailed where it is not there, no text or too large */
export async function readInput(path: string, terminal: Terminal): Promise<InputFile> {
  const { signal } = terminal
  const name = path === '-' ? '<stdin>' : path
  const bytes = await (path === '-'
    ? bounded(terminal.input(), name, signal)
    : readBytes(path, signal))
  return { name, text: textOf(name, bytes) }
}

function textOf(name: string, bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // not UTF-8: said below
  }
  throw usageError(`\`${name}\` is no text in UTF-8; name a YAML file`)
}
