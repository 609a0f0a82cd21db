import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Builds the library that stands between a program and the disk; answers why it could not. */
export async function buildTracer(
  folder: string,
): Promise<{ readonly path: string } | { readonly missing: string }> {
  if (process.platform !== 'linux') return { missing: 'LD_PRELOAD needs Linux' }
  const path = join(folder, 'disk-trace.so')
  const source = join(import.meta.dirname, 'disk-trace.c')
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', path, source, '-ldl']
  try {
    await promisify(execFile)('cc', [...flags, '-lpthread'])
    return { path }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { missing: 'no C compiler `cc`' }
    }
    throw error
  }
}

const kinds = ['create', 'write', 'sync', 'truncate', 'unlink', 'rename'] as const

/** One change or sync, in the order it happened. */
export interface DiskOperation {
  readonly kind: (typeof kinds)[number]
  /** Within the directory; empty for the directory itself. */
  readonly name: string
  /** Where a write begins; the size after a truncation. */
  readonly offset: number
  /** What was written; the new name of a renamed file. */
  readonly data: Buffer
}

const headBytes = 14

export async function readTrace(path: string): Promise<readonly DiskOperation[]> {
  const bytes = await readFile(path)
  const operations: DiskOperation[] = []
  for (let at = 0; at < bytes.length; ) {
    const nameLength = bytes.readUInt8(at + 1)
    const length = bytes.readUInt32LE(at + 10)
    const kind = kinds[bytes.readUInt8(at) - 1]
    if (kind === undefined) throw new Error(`\`${path}\` has no record at byte ${at}`)
    const offset = Number(bytes.readBigUInt64LE(at + 2))
    const name = bytes.toString('utf8', at + headBytes, at + headBytes + nameLength)
    const data = bytes.subarray(at + headBytes + nameLength, at + headBytes + nameLength + length)
    operations.push({ kind, name, offset, data })
    at += headBytes + nameLength + length
  }
  return operations
}
