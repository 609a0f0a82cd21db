import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { goText } from '../patch/strategic/directives.ts'
import { apiVersionOf } from '../resources/resource.ts'
import { type Known, known } from '../types/check.ts'
import { jsonKeys } from '../types/json-keys.ts'
import { typeOfKind } from '../types/types.ts'
import type { Call } from './call.ts'
import { badRequest, invalid, refusal } from './status.ts'

type Mode = 'Ignore' | 'Strict' | 'Warn'
const modes: readonly string[] = ['', 'Ignore', 'Strict', 'Warn']

/**
 * An object as its kind knows it. What it does not know, and what a text says twice, is told or refused as
 * the caller wants: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
 * @throws ApiError 400, 422
 */
export function knownObject(call: Call, object: KubeObject, text?: string): KubeObject {
  const mode = modeOf(call, call.info.verb === 'create' ? 'CreateOptions' : 'UpdateOptions')
  const { kept, unknown, wrong } = checked(call, object)
  const { kind, version } = call.resource
  const cannot = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}`
  if (wrong !== undefined) throw badRequest(`${cannot}: ${wrong}`)
  const said = text === undefined ? unknown.map(unknownField) : inOrder(text, unknown)
  if (said.length > 0 && mode === 'Strict') {
    throw badRequest(`${cannot}: strict decoding error: ${said.join(', ')}`)
  }
  if (mode === 'Warn') call.warnings.push(...said)
  return kept
}

/** The same of what a patch makes. @throws ApiError 422 */
export function knownPatched(call: Call, object: KubeObject, type: string, text: string) {
  const mode = modeOf(call, 'PatchOptions')
  const { kept, unknown, wrong } = checked(call, object)
  const refuse = (why: string) => {
    const given: unknown = type.includes('strategic') ? JSON.parse(text) : undefined
    const shown = given === undefined ? JSON.stringify(object) : goText(given)
    const message = `Invalid value: ${JSON.stringify(shown)}: ${why}`
    return invalid({ group: '', kind: '' }, '', [
      { field: 'patch', reason: 'FieldValueInvalid', message },
    ])
  }
  if (wrong !== undefined) throw refuse(wrong)
  const twice = jsonKeys(text).filter(({ isDuplicate }) => isDuplicate)
  const said = [...twice.map(({ path }) => duplicateField(path)), ...unknown.map(unknownField)]
  if (said.length > 0 && mode === 'Strict')
    throw refuse(`strict decoding error: ${said.join(', ')}`)
  if (mode === 'Warn') call.warnings.push(...said)
  return kept
}

/** A configuration to apply must be known whole, whatever the caller wants. @throws ApiError 500 */
export function assertKnown(call: Call, given: unknown): void {
  modeOf(call, 'PatchOptions')
  if (!isRecord(given)) throw badRequest('the configuration is no object')
  const configuration = asObject(given)
  const { unknown, wrong } = checked(call, configuration)
  const faults = [
    ...unknown.map((path) => `.${path}: field not declared in schema`),
    ...(wrong === undefined ? [] : [wrong]),
  ]
  if (faults.length === 0) return
  const { namespace = '', name = '' } = configuration.metadata
  const what = `(${namespace}/${name}; ${apiVersionOf(call.resource)}, Kind=${call.resource.kind})`
  const list =
    faults.length === 1 ? faults[0] : `errors:\n${faults.map((one) => `  ${one}`).join('\n')}`
  // a real server calls it its own fault
  throw refusal(500, '', `failed to create typed patch object ${what}: ${list}`)
}

interface Checked extends Pick<Known, 'unknown' | 'wrong'> {
  readonly kept: KubeObject
}

function checked({ resource }: Pick<Call, 'resource'>, object: KubeObject): Checked {
  const { custom, strategy } = resource
  const type = typeOfKind(apiVersionOf(resource), resource.kind)
  if (custom === undefined && type !== undefined) {
    const { value, unknown, wrong } = known(object, type)
    return { kept: isRecord(value) ? asObject(value) : object, unknown, wrong }
  }
  const meta = known(object.metadata, 'apimachinery.pkg.apis.meta.v1.ObjectMeta')
  const unknown = [
    ...meta.unknown.map((path) => `metadata.${path}`),
    ...(strategy.unknown?.(object) ?? []),
  ]
  // what its schema does not know goes when defaults are filled in
  const kept = { ...object, metadata: isRecord(meta.value) ? meta.value : object.metadata }
  return { kept, unknown, wrong: meta.wrong }
}

function asObject(value: Readonly<Record<string, unknown>>): KubeObject {
  return { ...value, metadata: isRecord(value.metadata) ? value.metadata : {} }
}

function modeOf({ query }: Call, options: string): Mode {
  const asked = query.get('fieldValidation') ?? ''
  if (!modes.includes(asked)) {
    const supported = modes.map((mode) => JSON.stringify(mode)).join(', ')
    const message = `Unsupported value: ${JSON.stringify(asked)}: supported values: ${supported}`
    throw invalid({ group: 'meta.k8s.io', kind: options }, '', [
      { field: 'fieldValidation', reason: 'FieldValueNotSupported', message },
    ])
  }
  return asked === 'Ignore' || asked === 'Strict' ? asked : 'Warn'
}

/** As a parser comes upon them. */
function inOrder(text: string, unknown: readonly string[]): readonly string[] {
  const left = new Set(unknown)
  return jsonKeys(text).flatMap(({ path, isDuplicate }) => {
    if (isDuplicate) return [duplicateField(path)]
    return left.delete(path) ? [unknownField(path)] : []
  })
}

function unknownField(path: string): string {
  return `unknown field ${JSON.stringify(path)}`
}

function duplicateField(path: string): string {
  return `duplicate field ${JSON.stringify(path)}`
}
