import { run } from './program.ts'
import { processTerminal } from './terminal.ts'

const stopped = new AbortController()
process.once('SIGINT', () => stopped.abort())
process.once('SIGTERM', () => stopped.abort())
// `jackstay intents list | head` closes the pipe: that is no error
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(process.exitCode ?? 0)
  })
}

process.exitCode = await run(process.argv.slice(2), processTerminal(stopped.signal))
