import { styleText } from 'node:util'

/** Tells the story on a terminal or into a file, in plain words. */
export interface Narrator {
  /** A chapter of the story, counted. */
  chapter(title: string): void
  heading(title: string): void
  say(text: string): void
  /** Something long: shows that it goes on, then how long it took. */
  step<T>(title: string, work: (progress: (detail: string) => void) => Promise<T>): Promise<T>
  /** Text of another program, indented. */
  quote(text: string): void
}

interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const frameMs = 100
/** Without a terminal, a long step says so this often. */
const reportMs = 10_000

export function consoleNarrator(out: Screen): Narrator {
  const colour = (format: Parameters<typeof styleText>[0], text: string) =>
    out.isTTY ? styleText(format, text) : text
  let chapters = 0
  const line = (text: string) => out.write(`${text}\n`)
  return {
    chapter: (title) => {
      chapters += 1
      line(`\n${colour('bold', `${chapters}. ${title}`)}`)
    },
    heading: (title) => line(`\n${colour('bold', title)}`),
    say: (text) => line(`  ${text}`),
    quote: (text) => {
      for (const one of text.trimEnd().split('\n')) line(`  ${colour('dim', '│')} ${one}`)
    },
    async step(title, work) {
      const startedAt = performance.now()
      const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
      let detail = ''
      const stopShowing = show(out, () => `${title}${detail && ` · ${detail}`}`, seconds)
      try {
        const result = await work((text) => {
          detail = text
        })
        stopShowing()
        line(`  ${colour('green', '✔')} ${title} ${colour('dim', `(${seconds()})`)}`)
        return result
      } catch (error) {
        stopShowing()
        line(`  ${colour('red', '✖')} ${title} ${colour('dim', `(${seconds()})`)}`)
        throw error
      }
    },
  }
}

function show(out: Screen, text: () => string, seconds: () => string): () => void {
  if (!out.isTTY) {
    const timer = setInterval(() => out.write(`  … ${text()} (${seconds()})\n`), reportMs)
    return () => clearInterval(timer)
  }
  let frame = 0
  const timer = setInterval(() => {
    frame = (frame + 1) % frames.length
    const time = `(${seconds()})`
    // one row: only that is wiped before the next frame
    const room = Math.max((out.columns || 80) - time.length - 6, 10)
    out.write(`\r\u001b[2K  ${frames[frame]} ${text().slice(0, room)} ${time}`)
  }, frameMs)
  return () => {
    clearInterval(timer)
    out.write('\r\u001b[2K')
  }
}
