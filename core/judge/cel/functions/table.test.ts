import assert from 'node:assert/strict'
import { it } from 'node:test'
import { celEnv } from '@bufbuild/cel'
import { factTypes } from '../fields.ts'
import { Steps } from '../steps.ts'
import { Patterns } from './patterns.ts'
import { implementations, macros, ruleFunctions } from './table.ts'
import { Zones } from './zones.ts'

const documented = ruleFunctions.flatMap((family) => family.functions)
const tools = { steps: new Steps(), patterns: new Patterns(), zones: new Zones() }

it('says one sentence about every function, once', () => {
  const names = [...documented, ...macros].map((f) => f.name)
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
  for (const { name, summary, signatures } of [...documented, ...macros]) {
    assert.match(summary, /^\S.*\.$/, name)
    for (const s of signatures) assert.ok(s.includes(`${name}(`), `${name}: ${s}`)
  }
})

it('has no name that starts with a variable', () => {
  const variables = new Set(factTypes().keys())
  for (const { name } of documented) assert.ok(!variables.has(name.split('.', 1).join()), name)
})

it('has a function for every name, and a name for every function', () => {
  const made = new Set(implementations(tools).map((f) => f.name))
  const known = new Set([...celEnv().funcs].map((f) => f.name))
  for (const { name } of documented) assert.ok(made.has(name) || known.has(name), name)
  const names = new Set(documented.map((f) => f.name))
  // operators have names that nobody can spell
  for (const name of made) assert.ok(names.has(name) || /[^\w.]/.test(name), name)
})
