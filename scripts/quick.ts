import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkLayers } from './check-layers.ts'
import { rootFolder } from './root.ts'
import { command, nothing, type Step } from './step.ts'

const bin = (name: string) => join(rootFolder, 'node_modules', '.bin', name)
const generate = join(rootFolder, 'scripts', 'generate.ts')

const layers: Step = {
  name: 'layers',
  run: async () => {
    const violations = await checkLayers(rootFolder)
    return { ...nothing, ok: violations.length === 0, output: violations.join('\n') }
  },
}

/** What takes seconds and needs nothing: run before every commit. */
export const quickSteps: readonly Step[] = [
  command('biome', bin('biome'), ['check', '--error-on-warnings', '.'], rootFolder),
  command('tsc', bin('tsc'), ['--noEmit', '-p', '.'], rootFolder),
  layers,
  ...(existsSync(generate)
    ? [command('generated', process.execPath, [generate, '--check'], rootFolder)]
    : []),
]
