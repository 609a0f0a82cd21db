import { join } from 'node:path'
import { stop } from 'esbuild'
import { smallFlags } from '../lab/programs.ts'
import { compiledFolder, freshPrograms } from './fresh.ts'
import { programs } from './programs.ts'
import { rootFolder } from './root.ts'

// `npm start`: the lab and every program of ours put together, so that they start several times faster
// and in half the memory that their sources take.

const folder = join(rootFolder, 'node_modules', '.cache', 'jackstay')
const { execPath, execve, argv, stderr } = process
/** Eight programs on one machine, none of them busy: small heaps, few threads, one arena each. */
const env = {
  ...process.env,
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --max-semi-space-size=1 --v8-pool-size=1`,
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_MMAP_THRESHOLD_: '65536',
  NODE_COMPILE_CACHE: compiledFolder(folder),
  JACKSTAY_PROGRAMS: folder,
}

if (execve === undefined) throw new Error('`npm start` needs Linux or macOS')
if (argv.some((word) => word === '--help' || word === '-h')) {
  // needs no programs
  await import('../lab/start.ts')
  process.exit()
}
const all = [...programs, { name: 'lab', entry: 'lab/start.ts' }]
// of the bundler alone, which would take more memory than everything it makes
process.env.GOGC = '50'
await freshPrograms(folder, all, () => stderr.write('putting the programs together …\n'))
await stop()
const command = [execPath, ...smallFlags, join(folder, 'lab.mjs'), ...argv.slice(2)]
// in the place of this process, whose work is done: signals and exit code are the lab's own
execve.call(process, execPath, command, env)
