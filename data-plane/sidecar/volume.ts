import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'

/** The memory volume that lives as long as the Pod. Every file appears whole or not at all. */
export interface Volume {
  readonly path: string
  /** The text of a file, or undefined where there is none. */
  read(name: string): Promise<string | undefined>
  /** False where the file exists already, whoever made it. */
  create(name: string, text: string): Promise<boolean>
  replace(name: string, text: string): Promise<void>
}

/**
 * A directory of files that only their owner can read.
 * @throws JackstayError `invalid_config`
 */
export async function openVolume(path: string): Promise<Volume> {
  try {
    // not recursive: that never returns below /proc, and a volume's parent is there
    await mkdir(path, { mode: 0o700 })
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw unusable(path, cause)
  }
  const temporary = async (name: string, text: string): Promise<string> => {
    const file = join(path, `.${name}.${randomUUID()}`)
    const handle = await open(file, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return file
  }
  return {
    path,
    async read(name) {
      const file = join(path, name)
      try {
        const { mode } = await stat(file)
        if ((mode & 0o077) !== 0) {
          throw new JackstayError(
            'invalid_config',
            `others can read \`${file}\`; give the sidecar a volume of its own, then replace the Pod`,
          )
        }
        return await readFile(file, 'utf8')
      } catch (cause) {
        if (codeOf(cause) === 'ENOENT') return undefined
        throw cause instanceof JackstayError ? cause : unusable(file, cause)
      }
    },
    async create(name, text) {
      const file = join(path, name)
      try {
        const made = await temporary(name, text)
        // a link fails where the name is taken; a rename would replace it
        await link(made, file).finally(() => unlink(made))
        return true
      } catch (cause) {
        if (codeOf(cause) === 'EEXIST') return false
        throw unusable(file, cause)
      }
    },
    async replace(name, text) {
      const file = join(path, name)
      try {
        await rename(await temporary(name, text), file)
      } catch (cause) {
        throw unusable(file, cause)
      }
    },
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function unusable(path: string, cause: unknown): JackstayError {
  return new JackstayError(
    'invalid_config',
    `cannot use \`${path}\` (${String(codeOf(cause) ?? cause)}); mount a writable memory volume there`,
    { cause },
  )
}
