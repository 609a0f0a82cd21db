import { JackstayError } from '@jackstay/contract/errors'
import type { Volume } from './volume.ts'

/** Numbers the intents of one key: 1, 2, 3, … across restarts. */
export interface Sequence {
  /** Kept before it is handed out, so none is used twice; a crash leaves a gap. */
  next(): Promise<number>
}

const fileName = 'seq'

/** @throws JackstayError `invalid_config` when the stored number is damaged */
export async function openSequence(volume: Volume): Promise<Sequence> {
  const text = (await volume.read(fileName)) ?? '0'
  let last = Number(text)
  if (!/^\d{1,15}$/.test(text) || !Number.isSafeInteger(last)) {
    throw new JackstayError(
      'invalid_config',
      `\`${volume.path}/${fileName}\` is no number; replace the Pod, so that it starts with an empty volume`,
    )
  }
  let writing: Promise<unknown> = Promise.resolve()
  return {
    async next() {
      const mine = ++last
      const written = writing.then(() => volume.replace(fileName, String(mine)))
      writing = written.catch(() => {}) // its own caller sees the failure
      await written
      return mine
    },
  }
}
