import {
  type CelInput,
  type CelResult,
  type CelValue,
  celEnv,
  celError,
  celList,
  celMap,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  parse,
  plan,
} from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import type { SimpleTest } from '@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js'
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js'
import { getTestRegistry } from '@bufbuild/cel-spec/testdata/registry.js'
import {
  getConformanceSuite,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js'
import { createRegistry, toJsonString } from '@bufbuild/protobuf'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { valueCompiler } from './expression.ts'
import { anything } from './fields.ts'
import { Patterns } from './functions/patterns.ts'
import { implementations, valueTypes } from './functions/table.ts'
import { Zones } from './functions/zones.ts'
import { Steps } from './steps.ts'

/** How an engine answers one test of cel-spec's conformance suite. */
export type Answer =
  | { readonly kind: 'passed' }
  /** A value where another one, or an error, is right. */
  | { readonly kind: 'wrong'; readonly got: string; readonly want: string }
  /** No value where one is right. */
  | { readonly kind: 'refused'; readonly message: string }

export interface Case {
  readonly file: string
  /** `lists/in/elem_in_list` */
  readonly path: string
  readonly test: SimpleTest
}

const registry = getTestRegistry()
const compile = valueCompiler()

export function conformanceCases(): readonly Case[] {
  const below = (file: string, path: string, suite: IncrementalTestSuite): Case[] => [
    ...suite.tests.map(({ name, original }) => ({ file, path: `${path}/${name}`, test: original })),
    ...suite.suites.flatMap((inner) => below(file, `${path}/${inner.name}`, inner)),
  ]
  return getConformanceSuite().suites.flatMap((suite) => below(suite.name, suite.name, suite))
}

/** The library as it comes, with its extension for texts. */
export function askLibrary({ test }: Case): Answer {
  return answered(test, (values) => {
    const env = celEnv({ namespace: test.container, registry, funcs: [...strings] })
    return plan(env, parse(test.expr))(values)
  })
}

/**
 * The library's own evaluation with our functions in place of its: what rules cannot say (messages,
 * enumerations, containers of names) still goes through them.
 */
export function askLibraryWithOurFunctions({ test }: Case): Answer {
  return answered(test, (values) => {
    const tools = { steps: new Steps(), patterns: new Patterns(), zones: new Zones() }
    const funcs = implementations(tools)
    const types = createRegistry(registry, valueTypes())
    const env = celEnv({ namespace: test.container, registry: types, funcs })
    return plan(env, parse(test.expr))(values)
  })
}

/** The engine that rules run on. */
export function askOurs({ test }: Case): Answer {
  return answered(test, (values) => {
    // a name means the same everywhere: a test that looks it up in a container is not for us
    if (test.container !== '') return celError('rules have no container of names')
    const variables = new Map(Object.keys(values).map((name) => [name, anything] as const))
    const compiled = compile(test.expr, variables)
    if ('problem' in compiled) return celError(`problem: ${compiled.problem.message}`)
    return compiled.run(values)
  })
}

function answered(
  { bindings, resultMatcher }: SimpleTest,
  evaluate: (values: Record<string, CelValue>) => CelResult,
): Answer {
  let result: CelResult
  try {
    const values: Record<string, CelValue> = {}
    for (const [name, { kind }] of Object.entries(bindings)) {
      if (kind.case === 'value') values[name] = ofLibrary(celValue(kind.value))
    }
    result = evaluate(values)
  } catch (error) {
    result = celError(error)
  }
  const got = shown(result)
  switch (resultMatcher.case) {
    case 'evalError':
    case 'anyEvalErrors':
      return isCelError(result) ? { kind: 'passed' } : { kind: 'wrong', got, want: 'an error' }
    case 'value':
    case 'typedResult':
    case undefined: {
      if (isCelError(result)) return { kind: 'refused', message: result.message }
      const value =
        resultMatcher.case === 'value' ? resultMatcher.value : resultMatcher.value?.result
      const want = value === undefined ? 'true' : expected(value)
      return got === want ? { kind: 'passed' } : { kind: 'wrong', got, want }
    }
    default:
      return { kind: 'refused', message: 'unknown values' }
  }
}

function celValue({ kind }: Value): CelInput {
  switch (kind.case) {
    case 'uint64Value':
      return celUint(kind.value)
    case 'nullValue':
      return null
    case 'enumValue':
      return BigInt(kind.value.value)
    case 'listValue':
      return celList(kind.value.values.map(celValue))
    case 'mapValue':
      return celMap(new Map(kind.value.entries.map(({ key, value }) => [keyOf(key), item(value)])))
    case 'objectValue': {
      const message = anyUnpack(kind.value, registry)
      if (message === undefined) throw new TypeError(`no message ${kind.value.typeUrl}`)
      return message
    }
    case 'typeValue':
    case undefined:
      throw new TypeError('a type is no variable')
    default:
      return kind.value
  }
}

function item(value: Value | undefined): CelInput {
  if (value === undefined) throw new TypeError('an entry without a value')
  return celValue(value)
}

function keyOf(value: Value | undefined) {
  const key = item(value)
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (typeof key === 'object' && key !== null && isCelUint(key)) return key
  throw new TypeError('not a key')
}

function expected(value: Value): string {
  if (value.kind.case === 'typeValue') return `type ${value.kind.value}`
  if (value.kind.case !== 'objectValue') return shown(celValue(value))
  return shown(ofLibrary(celValue(value)))
}

/** As a variable comes back from the library: messages of plain values are those values. */
function ofLibrary(value: CelInput): CelValue {
  const result = plan(celEnv({ registry }), parse('x'))({ x: value })
  if (isCelError(result)) throw result
  return result
}

/** A text that tells values apart, by type too. */
function shown(value: CelResult | CelInput): string {
  if (isCelError(value)) return `error ${value.message}`
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'number') return Object.is(value, -0) ? 'double -0' : `double ${value}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (isCelUint(value)) return `${value.value}u`
  if (isCelList(value)) return `[${[...value].map(shown).join(', ')}]`
  if (isCelMap(value)) {
    return `{${[...value].map(([key, v]) => `${shown(key)}: ${shown(v)}`).sort()}}`
  }
  if (isCelType(value)) return `type ${value.name}`
  if (isReflectMessage(value)) {
    return `${value.desc.typeName} ${toJsonString(value.desc, value.message, { registry })}`
  }
  return 'something else'
}
