import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A way to the API server that can be made slow. It carries bytes, so TLS stays what it is. */
export interface SlowLink {
  /** How long each piece of what goes through is held; 0 for a quick one. */
  holdFor(ms: number): void
  /** Lets a kubeconfig lead through here. */
  lead(kubeconfig: string): Promise<void>
  close(): void
}

/** The API server's certificate has to be good for 127.0.0.1, as that of our clusters is. */
const near = '127.0.0.1'

export async function slowLink(server: string): Promise<SlowLink> {
  const { hostname, port } = new URL(server)
  let held = 0
  const open = new Set<Socket>()
  const slowed = () =>
    new Transform({
      transform(chunk, _, done) {
        if (held === 0) done(null, chunk)
        else void sleep(held).then(() => done(null, chunk))
      },
    })
  const proxy = createServer((caller) => {
    const far = connect(Number(port), hostname)
    for (const socket of [caller, far]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    // whoever hangs up ends both ways, as a wire would
    const cut = () => {
      caller.destroy()
      far.destroy()
    }
    pipeline(caller, slowed(), far).catch(cut)
    pipeline(far, slowed(), caller).catch(cut)
  })
  await new Promise<void>((done) => proxy.listen(0, near, done))
  const through = `https://${near}:${(proxy.address() as AddressInfo).port}`
  return {
    holdFor(ms) {
      held = ms
    },
    async lead(kubeconfig) {
      const text = await readFile(kubeconfig, 'utf8')
      if (!text.includes(server)) throw new Error(`${kubeconfig} does not name ${server}`)
      await writeFile(kubeconfig, text.replaceAll(server, through), { mode: 0o600 })
    },
    close() {
      proxy.close()
      for (const socket of open) socket.destroy()
    },
  }
}
