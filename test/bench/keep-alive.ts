import { Agent, request } from 'node:http'

interface Answered {
  readonly status: number
  readonly text: string
  /** From the first byte sent to the last one read. */
  readonly ms: number
}

export interface KeepAlive {
  post(url: string, body: string, token?: string): Promise<Answered>
  close(): void
}

/** So many connections that stay open; lighter than `fetch`, so that the client is no part of what it times. */
export function keepAlive(connections: number): KeepAlive {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const once = (url: string, body: string, token: string | undefined) =>
    new Promise<Answered | 'closed'>((resolve, reject) => {
      const begun = performance.now()
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      }
      const options = { agent, method: 'POST', headers }
      const sent = request(url, options, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => {
          text += part
        })
        answer.once('error', reject)
        answer.once('end', () => {
          resolve({ status: answer.statusCode ?? 0, text, ms: performance.now() - begun })
        })
      })
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // the server closed an idle connection in the moment it was taken up again
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve('closed')
        else reject(error)
      })
      sent.end(body)
    })
  return {
    async post(url, body, token) {
      for (;;) {
        const answered = await once(url, body, token)
        if (answered !== 'closed') return answered
      }
    },
    close: () => agent.destroy(),
  }
}
