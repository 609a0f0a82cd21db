import { createServer } from 'node:net'

/** Ports of the loopback that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  try {
    // held open together, so that none is given twice
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject)
            server.listen({ host: '127.0.0.1', port: 0 }, () => {
              const address = server.address()
              if (address === null || typeof address === 'string') {
                reject(new Error('the system named no port'))
              } else resolve(address.port)
            })
          }),
      ),
    )
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}
