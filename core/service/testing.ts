import { generateKeyPairSync, sign } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { type AppOptions, createApp } from './app.ts'
import { logger } from './log.ts'
import { metrics } from './metrics.ts'

/** A shell that writes its log lines into `lines`. Only tests import this file. */
export function shell(options: Partial<AppOptions> = {}) {
  const lines: string[] = []
  const log = logger({ name: 'test', level: 'debug', write: (line) => lines.push(line) })
  const counted = metrics({ name: 'test', process: false })
  const app = createApp({ name: 'test', log, metrics: counted, ...options })
  return { app, log, metrics: counted, lines }
}

export function json(body: string, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }
}

/** A connection that speaks raw bytes. */
export interface Line {
  readonly socket: Socket
  /** All the server said until it closed. */
  readonly closed: Promise<string>
  /** What came so far, once it contains `part` or the server closed. */
  until(part: string): Promise<string>
}

export function dial(port: number, text = '', localAddress?: string): Promise<Line> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) })
    const closed = new Promise<string>((done) => {
      socket.on('close', () => done(received))
    })
    socket.on('data', (data) => {
      received += data
    })
    const until = async (part: string) => {
      const { promise, resolve: found } = Promise.withResolvers<string>()
      const look = () => received.includes(part) && found(received)
      socket.on('data', look)
      look()
      return Promise.race([promise, closed])
    }
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      socket.write(text)
      resolve({ socket, closed, until })
    })
  })
}

/** A self-signed certificate for `localhost`, valid from 2000 to 2049. */
export function selfSigned(): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const algorithm = der(0x30, der(0x06, Buffer.from([0x2b, 0x65, 0x70])))
  const commonName = der(0x30, der(0x06, Buffer.from([0x55, 0x04, 0x03])), der(0x0c, 'localhost'))
  const name = der(0x30, der(0x31, commonName))
  const validity = der(0x30, der(0x17, '000101000000Z'), der(0x17, '491231235959Z'))
  const serial = der(0x02, Buffer.from([1]))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const body = der(0x30, serial, algorithm, name, validity, name, key)
  const signature = der(0x03, Buffer.from([0]), sign(null, body, privateKey))
  const base64 = der(0x30, body, algorithm, signature).toString('base64')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function der(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const n = value.length
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), value])
}
