#!/usr/bin/env node
// Starts the CLI from the checkout. Plain JavaScript that an old Node runs too: it looks for the
// Node that the checkout brings along and hands everything over to it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const needed = 24
const own = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))
const current = Number(process.versions.node.split('.')[0]) >= needed
const node = current ? process.execPath : own

if (!current && !existsSync(own)) {
  const advice = 'run `npm ci` in the checkout, which brings it, or install it'
  process.stderr.write(
    `jackstay needs Node.js ${needed} or newer and this is ${process.version}: ${advice}\n`,
  )
  process.exit(2)
}

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const { status, signal, error } = spawnSync(node, [main, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
if (error !== undefined) {
  process.stderr.write(`jackstay could not start \`${node}\`: ${error.message}; run \`npm ci\`\n`)
  process.exit(2)
}
if (signal !== null) process.kill(process.pid, signal)
process.exitCode = status ?? 1
