// The workload that tests deploy: says who it is, is ready until told otherwise, burns CPU on demand.
const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { hostname } = require('node:os')

const version = readFileSync('/app/VERSION', 'utf8').trim()
let ready = true

function become(state) {
  ready = state
  return [200, state ? 'ready\n' : 'not ready\n']
}

const answers = {
  '/readyz': () => [ready ? 200 : 503, ready ? 'ok\n' : 'not ready\n'],
  '/livez': () => [200, 'ok\n'],
  '/ready': () => become(true),
  '/unready': () => become(false),
  '/crash': () => process.exit(1),
  '/burn': () => {
    const end = Date.now() + 300
    while (Date.now() < end) createHash('sha256').update('x').digest()
    return [200, 'burnt\n']
  },
}

createServer((request, response) => {
  const [status, body] = answers[request.url]?.() ?? [200, `v${version} ${hostname()}\n`]
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': body.length })
  response.end(body)
}).listen(8080, () => {
  process.stdout.write(`${JSON.stringify({ message: 'listening', version, host: hostname() })}\n`)
})

process.on('SIGTERM', () => process.exit(0))
