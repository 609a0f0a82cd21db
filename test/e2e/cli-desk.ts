import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

export interface CliServer {
  readonly url: string
  close(): void
}

/** Lends this process to shells: a new one for each command takes seconds on a busy machine. */
export async function cliServer(
  type: (line: readonly string[]) => Promise<Said>,
): Promise<CliServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = await request.toArray()
    const line: readonly string[] = JSON.parse(Buffer.concat(chunks).toString())
    response.end(JSON.stringify(await type(line)))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}

/** The program that shells call as `npx jackstay …`; without its first `skipped` words. */
export function forwarder(url: string, skipped = 1): string {
  return `
const body = JSON.stringify(process.argv.slice(${2 + skipped}))
fetch('${url}', { method: 'POST', body }).then(async (answer) => {
  const { exit, out, err } = await answer.json()
  process.stdout.write(out)
  process.stderr.write(err)
  process.exitCode = exit
})
`
}
