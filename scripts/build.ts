import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundle } from './bundle.ts'
import { type Program, programs } from './programs.ts'
import { rootFolder } from './root.ts'

/** Bundles every program into `dist`. @throws when one is missing or does not bundle */
export async function buildPrograms(report: (line: string) => void): Promise<void> {
  const dist = join(rootFolder, 'dist')
  const missing = programs.filter(({ entry }) => !existsSync(join(rootFolder, entry)))
  if (missing.length > 0) {
    throw new Error(`no such program: ${missing.map(({ entry }) => `\`${entry}\``).join(', ')}`)
  }
  await rm(dist, { recursive: true, force: true })
  await mkdir(dist)
  for (const program of programs) {
    const path = join(dist, `${program.name}.mjs`)
    const text = await bundle(rootFolder, program)
    await writeFile(path, text)
    await chmod(path, 0o755)
    report(
      `${(Buffer.byteLength(text) / 1024).toFixed(0).padStart(6)} kB  dist/${program.name}.mjs`,
    )
  }
}

/** Starts every bundle far from the checkout, where nothing but the one file can help it. */
export async function startBundles(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'jackstay-build-'))
  try {
    for (const program of programs) await startBundle(program, folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function startBundle({ name }: Program, folder: string): Promise<void> {
  const path = join(folder, `${name}.mjs`)
  await copyFile(join(rootFolder, 'dist', `${name}.mjs`), path)
  const options = { cwd: folder, env: { HOME: folder }, timeout: 30_000 }
  const { stdout } = await promisify(execFile)(process.execPath, [path, '--help'], options)
  if (stdout.trim() === '') throw new Error(`\`${name} --help\` prints nothing`)
}

if (import.meta.main) {
  await buildPrograms((line) => process.stdout.write(`${line}\n`))
}
