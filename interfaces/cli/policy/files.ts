import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailed, unreadable, usageError } from '../failure.ts'
import type { Terminal } from '../terminal.ts'

/** A file of rules or cases as it was read. */
export interface InputFile {
  /** The path as the user gave it, or `<stdin>`. */
  readonly name: string
  /** Without a byte order mark. */
  readonly text: string
}

/** Bytes of one file: more than etcd takes of an object, and than `kubectl get` gives of a few. */
const maxBytes = 2 * 1024 * 1024
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
    : readBounded(path, signal))
  return { name, text: textOf(name, bytes) }
}

async function readBounded(path: string, signal: AbortSignal): Promise<Buffer> {
  try {
    await using file = await open(path)
    // not by its size: that of a pipe or a device says nothing
    return await bounded(file.createReadStream({ autoClose: false }), path, signal)
  } catch (cause) {
    throw cause instanceof CommandFailed ? cause : unreadable(path, cause)
  }
}

async function bounded(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const kept: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(name)
    kept.push(chunk)
  }
  return Buffer.concat(kept)
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

function tooLarge(name: string): CommandFailed {
  return usageError(`\`${name}\` is larger than ${maxBytes / 1024 / 1024} MiB; split it`)
}
