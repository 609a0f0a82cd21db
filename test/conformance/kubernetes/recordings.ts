import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Recorded } from './exchange.ts'

/** What a real API server answered, one file a case. */
function fileOf(name: string): string {
  return fileURLToPath(new URL(`./recordings/${name}.json`, import.meta.url))
}

export function recordingOf(name: string): readonly Recorded[] | undefined {
  const file = fileOf(name)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

export function keepRecording(name: string, recorded: readonly Recorded[]): void {
  writeFileSync(fileOf(name), `${JSON.stringify(recorded, undefined, 1)}\n`)
}
