import { createInterface } from 'node:readline/promises'

/** Asks the person at this terminal; anything but yes is no. @throws when the signal aborts */
export async function saysYes(question: string, signal: AbortSignal): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  // readline keeps Ctrl-C to itself; it is meant for the whole demo
  prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await prompt.question(`  ${question} [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    prompt.close()
  }
}
