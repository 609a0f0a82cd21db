import assert from 'node:assert/strict'
import { isRecord } from '@jackstay/kube/resources'
import { attempt } from './attempt.ts'
import { type Governed, read } from './governed.ts'

const warmWrites = 3
const quietRefusals = 20
const patience = 30_000

interface Writer {
  /** When the answer to each admitted write arrived, by `performance.now`. */
  readonly admitted: number[]
  refusals: number
}

/**
 * Executors write as fast as they can, one to each Deployment, until `stop` has been answered and each
 * has been refused many times in a row.
 * @returns milliseconds from that answer to the answer to the last admitted write; 0 if none came after
 */
export async function lastAdmitted(
  g: Governed,
  deployments: readonly string[],
  stop: () => Promise<void>,
): Promise<number> {
  const end = performance.now() + patience
  const writers = deployments.map((): Writer => ({ admitted: [], refusals: 0 }))
  const warm = Promise.withResolvers<void>()
  const isOver = () => performance.now() > end
  const loops = deployments.map(async (name, index) => {
    const writer = writers[index]
    assert.ok(writer)
    while (writer.refusals < quietRefusals && !isOver()) {
      await write(g, g.path(g.target, name), writer)
      if (writers.every(({ admitted }) => admitted.length >= warmWrites)) warm.resolve()
    }
    warm.resolve()
  })
  await warm.promise
  await stop()
  const stopped = performance.now()
  await Promise.all(loops)
  assert.ok(
    writers.every(({ admitted }) => admitted.length >= warmWrites),
    'writers that write',
  )
  assert.ok(!isOver(), 'the writers were never stopped')
  return Math.max(0, ...writers.flatMap(({ admitted }) => admitted.map((at) => at - stopped)))
}

/** One bound increment; a conflict with a controller's write says nothing and is tried again. */
async function write(g: Governed, path: string, writer: Writer): Promise<void> {
  const { metadata, spec } = await read(g.reader, path)
  const replicas = isRecord(spec) && typeof spec.replicas === 'number' ? spec.replicas : 0
  const { uid, resourceVersion } = metadata
  const body = { metadata: { uid, resourceVersion }, spec: { replicas: (replicas + 1) % 1000 } }
  const { status, message } = await attempt(g.executor, 'PATCH', path, body)
  if (status < 300) {
    writer.admitted.push(performance.now())
    writer.refusals = 0
  } else if (status !== 409) {
    assert.match(message, /'jackstay-suspended-by-(label|kind)'/)
    writer.refusals++
  }
}
