import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { farewell } from './farewell.ts'
import type { Narrator } from './narrator.ts'
import { setStage } from './stage.ts'
import { tellStory } from './story.ts'

export interface DemoOptions {
  /** The demo operator approves, and the demo ends after the first incident. */
  readonly once: boolean
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
    const stage = await setStage(directory, narrator, signal, cleanUp)
    const { well, id } = await tellStory(stage, narrator, { once })
    if (!once) farewell(stage, narrator, id)
    if (!once && !options.signal.aborted) {
      await new Promise((resolve) => options.signal.addEventListener('abort', resolve))
    }
    return well ? 0 : 1
  } catch (error) {
    if (options.signal.aborted) {
      narrator.say('stopped')
      return once ? 1 : 0
    }
    narrator.chapter('Something went wrong')
    narrator.quote(error instanceof Error ? error.message : String(error))
    narrator.say(`logs were in ${directory}; run again with JACKSTAY_KEEP=1 to keep them`)
    return 1
  } finally {
    ended.abort()
    await clearAway(cleanUp.reverse(), narrator)
    if (process.env.JACKSTAY_KEEP === undefined) await rm(directory, { recursive: true })
  }
}

async function clearAway(
  steps: readonly (() => Promise<void>)[],
  narrator: Narrator,
): Promise<void> {
  await narrator.step('stopping everything', async () => {
    for (const step of steps) {
      await step().catch((error: unknown) => {
        narrator.say(`could not clear away: ${error instanceof Error ? error.message : error}`)
      })
    }
  })
}
