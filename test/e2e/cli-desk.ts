import { run } from '@jackstay/cli/program'
import type { Terminal } from '@jackstay/cli/terminal'

export interface Said {
  readonly exit: number
  readonly out: string
  readonly err: string
}

export interface DeskOptions {
  readonly kubeconfig: string
  /** The mediator; without it nobody answers there. */
  readonly server?: string
  /** What the person types when asked; without it nobody is there to be asked. */
  readonly answer?: string
  readonly signal?: AbortSignal
}

/** `jackstay` typed by somebody, in this process. */
export async function jackstay(line: readonly string[], options: DeskOptions): Promise<Said> {
  let out = ''
  let err = ''
  const { kubeconfig, server = 'http://127.0.0.1:9', answer } = options
  const terminal: Terminal = {
    env: { KUBECONFIG: kubeconfig, JACKSTAY_SERVER: server, USER: 'e2e' },
    interactive: answer !== undefined,
    colours: false,
    signal: options.signal ?? AbortSignal.timeout(60_000),
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    input: async function* () {},
    ask: async (question) => {
      out += question
      return answer ?? ''
    },
  }
  return { exit: await run(line, terminal), out, err }
}
