import { lineWorld } from '@jackstay/e2e/line-world'
import { measureApplied } from './applied.ts'
import { measureRefusals } from './refusals.ts'

/** Prints what was measured, and against what, in one run on one machine. */
const world = await lineWorld()
try {
  process.stdout.write(`${await measureRefusals(world)}\n`)
  process.stdout.write(`${await measureApplied(world)}\n`)
} finally {
  await world.close()
  if (process.env.JACKSTAY_E2E_CLUSTER === undefined) await world.cluster.down()
}
