// Brings a cluster up and then waits to be killed: what the self-test checks is what is left.
import { setTimeout as delay } from 'node:timers/promises'
import { type Mode, up } from './cluster.ts'

const [name = '', mode = ''] = process.argv.slice(2)
const modes: readonly Mode[] = ['control-plane', 'node']
const chosen = modes.find((candidate) => candidate === mode)
if (chosen === undefined) throw new Error(`\`${mode}\` is no mode, use ${modes.join(' or ')}`)
await up({ name, mode: chosen })
process.stdout.write('up\n')
await delay(600_000)
