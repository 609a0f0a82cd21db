import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { tellNews } from './agents-news.ts'
import { farewell } from './farewell.ts'
import { type GivenOptions, givenCluster, removeLeft } from './given/given-cluster.ts'
import type { Backstage, Ground } from './ground.ts'
import { type LabOptions, labGround } from './lab-ground.ts'
import type { Narrator } from './narrator.ts'
import { NotHere } from './not-here.ts'
import { setStage } from './stage.ts'
import { tellStory } from './story.ts'

/** On which cluster: in this process, somebody's own, or a real one made for the demo. */
export type Where =
  | { readonly lab: LabOptions }
  | { readonly given: GivenOptions }
  | { readonly real: true }

export interface DemoOptions {
  /** The demo operator approves, and the demo ends after the first incident. */
  readonly once: boolean
  readonly where: Where
  readonly signal: AbortSignal
  readonly narrator: Narrator
}

/** Sets the stage, tells the story, clears away. Answers the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { once, narrator } = options
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-demo-'))
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const cleanUp: (() => Promise<void>)[] = []
  try {
    const backstage = { directory, narrator, signal }
    const ground = await groundOf(options.where, backstage)
    cleanUp.push(() => ground.clear())
    const stage = await setStage(backstage, ground, cleanUp)
    const { scene } = ground
    const told = scene === undefined ? undefined : await tellStory(stage, narrator, { once, scene })
    const { well, id } = told ?? { well: true, id: undefined }
    if (scene === undefined)
      narrator.say('It goes on where it was; `--incident NAME` breaks something.')
    if (!once) {
      farewell(stage, narrator, id)
      await tellNews(stage, narrator)
    }
    return well ? 0 : 1
  } catch (error) {
    if (options.signal.aborted) {
      narrator.say('stopped')
      return once ? 1 : 0
    }
    if (isHindrance(error)) {
      narrator.say(error.message)
      return 2
    }
    narrator.heading('Something went wrong')
    narrator.quote(error instanceof Error ? error.message : String(error))
    const kept = 'lab' in options.where ? options.where.lab.data : undefined
    narrator.say(
      kept === undefined
        ? `logs were in ${directory}; run again with JACKSTAY_KEEP=1 to keep them`
        : `logs are in ${join(kept, 'logs')}`,
    )
    return 1
  } finally {
    ended.abort()
    const cleared = await clearAway(cleanUp.reverse(), narrator)
    if (cleared && process.env.JACKSTAY_KEEP === undefined) await rm(directory, { recursive: true })
  }
}

/** Nothing was made: something has to be put right first. */
function isHindrance(error: unknown): error is Error {
  return (
    error instanceof NotHere || (error instanceof JackstayError && error.code === 'invalid_config')
  )
}

async function groundOf(where: Where, backstage: Backstage): Promise<Ground> {
  if ('lab' in where) return labGround(where.lab, backstage)
  if ('given' in where) return givenCluster(where.given, backstage)
  // what makes clusters is much to load, and needed here alone
  const { ownCluster } = await import('./own-cluster.ts')
  return ownCluster(backstage)
}

export interface RemovalOptions {
  readonly given: GivenOptions
  /** What the demo wrote that was killed. */
  readonly journal: string
  readonly signal: AbortSignal
  readonly narrator: Narrator
}

/** Removes what an earlier demo left that was killed. Answers the exit code. */
export async function removeLeftovers(options: RemovalOptions): Promise<number> {
  const { given, journal, narrator, signal } = options
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-removal-'))
  try {
    await removeLeft(given, journal, { directory, narrator, signal })
    return 0
  } catch (error) {
    narrator.say(error instanceof Error ? error.message : String(error))
    return error instanceof NotHere ? 2 : 1
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** False where something could not be cleared away: the folder then says what. */
async function clearAway(
  steps: readonly (() => Promise<void>)[],
  narrator: Narrator,
): Promise<boolean> {
  if (steps.length === 0) return true
  let cleared = true
  await narrator.step('stopping everything', async () => {
    for (const step of steps) {
      await step().catch((error: unknown) => {
        cleared = false
        narrator.say(`could not clear away: ${error instanceof Error ? error.message : error}`)
      })
    }
  })
  return cleared
}
