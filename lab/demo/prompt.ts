import { createInterface } from 'node:readline/promises'

/** Asks the person at this terminal; anything but yes is no. @throws when the signal aborts */
export async function saysYes(question: string, signal: AbortSignal): Promise<boolean> {
  return (await answerTo(`${question} [y/N]`, signal)) === 'y'
}

/** Asks again until it is a yes or a no, for both are final. @throws when the signal aborts */
export async function saysYesOrNo(question: string, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const answer = await answerTo(`${question} [y/n]`, signal)
    if (answer !== undefined) return answer === 'y'
  }
}

async function answerTo(question: string, signal: AbortSignal): Promise<'y' | 'n' | undefined> {
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  // readline keeps Ctrl-C to itself; it is meant for the whole demo
  prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = (await prompt.question(`  ${question} `, { signal })).trim()
    if (/^y(es)?$/i.test(answer)) return 'y'
    return /^no?$/i.test(answer) ? 'n' : undefined
  } finally {
    prompt.close()
  }
}
