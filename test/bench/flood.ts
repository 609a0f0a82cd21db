import { readFileSync } from 'node:fs'
import { keepAlive } from './keep-alive.ts'

/**
 * Floods `url` with the requests of a file, one after the other over so many connections, until it is
 * ended; then says how often it was answered with which status. A process of its own, so that the quiet
 * agent's clock is not the flood's.
 */
const [url = '', file = '', connections = ''] = process.argv.slice(2)
const { token, bodies }: { token: string; bodies: string[] } = JSON.parse(
  readFileSync(file, 'utf8'),
)
const client = keepAlive(Number(connections))
const answers: Record<string, number> = {}
let ended = false
let next = 0
process.once('SIGTERM', () => {
  ended = true
})

async function one(): Promise<void> {
  while (!ended) {
    const body = bodies[next++ % bodies.length] ?? ''
    const { status } = await client.post(url, body, token)
    answers[status] = (answers[status] ?? 0) + 1
  }
}

await Promise.all(Array.from({ length: Number(connections) }, one))
client.close()
process.stdout.write(`${JSON.stringify(answers)}\n`)
