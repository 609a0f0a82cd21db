import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OnProgress } from '@jackstay/cluster/progress'
import type { LineWorld } from '@jackstay/e2e/line-world'
import { calmBreakers } from '@jackstay/lab/calm-breakers'
import { bundled } from './bundled.ts'

/** How much is measured: enough to mean something, or just enough to see that it works. */
export interface Scale {
  readonly quick: boolean
  /** How often each side has its turn. */
  readonly rounds: number
  /** On the disk that the ledgers are measured on. */
  readonly directory: string
}

type Table =
  | {
      readonly about: string
      readonly alone: (scale: Scale, onProgress: OnProgress) => Promise<string>
    }
  | {
      readonly about: string
      readonly inWorld: (world: LineWorld, scale: Scale) => Promise<string>
      /** With the mediator as it is shipped, in one file. */
      readonly shipped?: boolean
    }

/** Every table by its name, in the order they are printed. */
export const tables = {
  judge: {
    about: 'the same rules over the same intents in Jackstay, cel-go and OPA',
    alone: async ({ quick, rounds }, onProgress) => {
      const { measureJudge } = await import('./judge.ts')
      const options = quick
        ? { intents: 52, seconds: 0.1, rounds }
        : { intents: 520, seconds: 3, rounds }
      return measureJudge(options, onProgress)
    },
  },
  ledger: {
    about: "leaves, waiting time, proofs and verification beside Tessera's POSIX driver and fsck",
    alone: async ({ quick, rounds, directory }, onProgress) => {
      const { measureLedger } = await import('./ledger.ts')
      const options = quick
        ? { leaves: 600, waits: 600, slowWaits: 128, grow: 600, rounds, directory }
        : { leaves: 200_000, waits: 10_000, slowWaits: 1280, grow: 1_000_000, rounds, directory }
      return measureLedger(options, onProgress)
    },
  },
  sidecar: {
    about: 'the bundled sidecar beside a plain McpServer: ready, memory, tool calls',
    alone: async ({ quick }) => (await import('./sidecar.ts')).measureSidecar(quick ? 60 : 4000),
  },
  quickstart: {
    about: '`npm start -- --once` beside the same on a real cluster: time and memory',
    alone: async ({ quick }) => {
      const { node } = await (await import('@jackstay/cluster/cluster')).availability()
      const { measureQuickstart } = await import('./quickstart.ts')
      return measureQuickstart(quick ? { runs: 1, real: false } : { runs: 3, real: node })
    },
  },
  applied: {
    about: 'from a signed intent to its write, beside `kubectl scale`; on a real API server',
    inWorld: async (world, { quick }) =>
      (await import('./applied.ts')).measureApplied(world, quick ? 2 : 100),
  },
  inbox: {
    about: '10,000 intents that wait: `jackstay inbox` and `status` beside `kubectl get`',
    inWorld: async (world, { quick }) =>
      (await import('./inbox.ts')).measureInbox(
        world,
        quick ? { agents: 2, perAgent: 5, runs: 2 } : { agents: 100, perAgent: 100, runs: 20 },
      ),
  },
  suspension: {
    about: 'from a stop to the last admitted write, 250 intents in flight; on a real API server',
    inWorld: async (world, { quick }) =>
      (await import('./suspension.ts')).measureSuspension(
        world,
        quick ? { agents: 2, perAgent: 4, runs: 1 } : { agents: 50, perAgent: 5, runs: 20 },
      ),
  },
  scale: {
    about: 'the bundled mediator beside 10,000 Pods: memory and CPU, idle and while Pods change',
    shipped: true,
    inWorld: async (world, { quick }) =>
      (await import('./scale.ts')).measureScale(
        world,
        quick ? { pods: 30, seconds: 1, churn: 10 } : { pods: 10_000, seconds: 60, churn: 12 },
      ),
  },
  refusals: {
    about: "signed refusals beside OPA's server and a plain Hono server; on a real API server",
    inWorld: async (world, { quick, rounds }) =>
      (await import('./refusals.ts')).measureRefusals(
        world,
        quick ? { agents: 4, rounds: 1 } : { agents: 200, rounds },
      ),
  },
  quiet: {
    about: "a quiet agent's waiting time while another floods; on a real API server",
    inWorld: async (world, { quick, rounds }) =>
      (await import('./quiet.ts')).measureQuiet(
        world,
        quick ? { intents: 10, rounds: 1 } : { intents: 150, rounds },
      ),
  },
} as const satisfies Readonly<Record<string, Table>>

export type TableName = keyof typeof tables

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(tables, name)
}

/** Measures and prints one table after another; a cluster is brought up where one needs it. */
export async function printTables(
  names: readonly TableName[],
  scale: Scale,
  print: (text: string) => void,
  onProgress: OnProgress,
): Promise<void> {
  const chosen: readonly Table[] = names.map((name) => tables[name])
  for (const table of chosen) {
    if ('alone' in table) print(await table.alone(scale, onProgress))
  }
  const inWorld = chosen.filter((table) => 'inWorld' in table)
  let down: (() => Promise<void>) | undefined
  try {
    for (const shipped of [false, true]) {
      const some = inWorld.filter((table) => (table.shipped ?? false) === shipped)
      if (some.length === 0) continue
      await printInWorld(some, shipped, scale, print, ({ cluster }) => {
        down = () => cluster.down()
      })
    }
  } finally {
    if (process.env.JACKSTAY_E2E_CLUSTER === undefined) await down?.()
  }
}

async function printInWorld(
  some: readonly Extract<Table, { inWorld: unknown }>[],
  shipped: boolean,
  scale: Scale,
  print: (text: string) => void,
  onWorld: (world: LineWorld) => void,
): Promise<void> {
  const { lineWorld } = await import('@jackstay/e2e/line-world')
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-bench-'))
  try {
    const mediatorFlags = ['--breakers', await calmBreakers(directory)]
    const main = 'control-plane/mediator/main.ts'
    const mediatorMain = shipped ? await bundled(directory, 'mediator', main) : undefined
    const { mediatorFlags: mediatorNodeFlags } = await import('./scale.ts')
    const shippedAs = mediatorMain && { mediatorMain, mediatorNodeFlags }
    const world = await lineWorld({ mediatorFlags, ...shippedAs })
    onWorld(world)
    try {
      for (const table of some) print(await table.inWorld(world, scale))
    } finally {
      await world.close()
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}
