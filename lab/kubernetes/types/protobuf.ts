import { type Field, fieldsOf, isLeftOut, type Type, typeOfKind } from './types.ts'

// kubectl writes what it makes itself in protobuf. Only reading is needed: answers may be JSON.
// https://protobuf.dev/programming-guides/encoding and k8s.io/apimachinery/pkg/runtime, `Unknown`

/** The media type. */
export const protobufType = 'application/vnd.kubernetes.protobuf'

const magic = Buffer.from([0x6b, 0x38, 0x73, 0])

/** Reads an object. @throws RangeError for anything else */
export function fromProtobuf(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (!bytes.subarray(0, 4).equals(magic)) throw new RangeError('does not begin as it should')
  const parts = entries(bytes.subarray(4))
  const about = entries(bytesOf(parts.find(({ number }) => number === 1)))
  const text = (wanted: number) =>
    bytesOf(about.find(({ number }) => number === wanted)).toString('utf8')
  const [apiVersion, kind] = [text(1), text(2)]
  const type = typeOfKind(apiVersion, kind) ?? typeOfKind('v1', kind)
  if (type === undefined) throw new RangeError(`\`${apiVersion} ${kind}\` is not known`)
  const raw = bytesOf(parts.find(({ number }) => number === 2))
  return { apiVersion, kind, ...message(entries(raw), type) }
}

interface Entry {
  readonly number: number
  /** A number, or bytes. */
  readonly value: bigint | Buffer
}

function entries(bytes: Buffer): readonly Entry[] {
  const found: Entry[] = []
  let at = 0
  const varint = (): bigint => {
    let [value, shift] = [0n, 0n]
    for (;;) {
      const byte = bytes.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
      shift += 7n
      if (shift > 63n) throw new RangeError('a number is too long')
    }
  }
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('ends too early')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >> 3
    switch (tag & 7) {
      case 0:
        found.push({ number, value: varint() })
        break
      case 1:
        found.push({ number, value: take(8) })
        break
      case 2:
        found.push({ number, value: take(Number(varint())) })
        break
      default:
        throw new RangeError(`has a value of wire type ${tag & 7}`)
    }
  }
  return found
}

type Numbered = readonly [name: string, field: Field, number: string]

function message(given: readonly Entry[], type: string): Readonly<Record<string, unknown>> {
  const fields = [...(fieldsOf(type) ?? [])].map(
    ([name, field]): Numbered => [name, field, field.number],
  )
  return read(given, fields)
}

function read(
  given: readonly Entry[],
  fields: readonly Numbered[],
): Readonly<Record<string, unknown>> {
  const object: [string, unknown][] = []
  for (const [name, field, number] of fields) {
    const own = given.filter((entry) => String(entry.number) === number)
    const value = own.length === 0 ? undefined : fieldValue(own, field.type)
    // a field that JSON leaves out is there all the same, with nothing in it
    if (value !== undefined && !isLeftOut(value, field)) object.push([name, value])
  }
  for (const { number, value } of given) {
    const prefix = `${number}.`
    const inner = fields
      .filter((field) => field[2].startsWith(prefix))
      .map(([name, field, path]): Numbered => [name, field, path.slice(prefix.length)])
    if (inner.length > 0) object.push(...Object.entries(read(entries(bytesOf({ value })), inner)))
  }
  return Object.fromEntries(object)
}

function fieldValue(own: readonly Entry[], type: Type): unknown {
  if (type.is === 'list') return own.map((entry) => one(entry, type.of))
  if (type.is === 'map') return mapFrom(own, type.of)
  const last = own.at(-1)
  return last === undefined ? undefined : one(last, type)
}

function mapFrom(own: readonly Entry[], of: Type): object {
  return Object.fromEntries(
    own.map((entry) => {
      const pair = entries(bytesOf(entry))
      const key = bytesOf(pair.find(({ number }) => number === 1)).toString('utf8')
      const value = pair.find(({ number }) => number === 2)
      // a list within a map is a message of its own
      if (of.is === 'list') return [key, fieldValue(entries(bytesOf(value)), of)]
      return [key, value === undefined ? '' : one(value, of)]
    }),
  )
}

function one(entry: Entry, type: Type): unknown {
  if (type.is === 'fields') return message(entries(bytesOf(entry)), type.name)
  if (type.is !== 'value') throw new RangeError('a list of lists cannot be read')
  switch (type.format) {
    case 'int32':
    case 'int64':
      return Number(BigInt.asIntN(64, integer(entry)))
    case 'boolean':
      return integer(entry) !== 0n
    case 'double':
      return bytesOf(entry).readDoubleLE()
    case 'byte':
      return bytesOf(entry).toString('base64')
    case 'quantity':
      return textAt(bytesOf(entry), 1)
    case 'date-time':
      return time(bytesOf(entry))
    case 'int-or-string':
      return intOrString(bytesOf(entry))
    case 'map':
    case 'any':
      return free(bytesOf(entry))
    default:
      return bytesOf(entry).toString('utf8')
  }
}

function textAt(bytes: Buffer, wanted: number): string {
  return bytesOf(entries(bytes).find(({ number }) => number === wanted)).toString('utf8')
}

/** Nothing where it is no time at all. */
function time(bytes: Buffer): string | undefined {
  const parts = entries(bytes)
  const of = (wanted: number) => {
    const entry = parts.find(({ number }) => number === wanted)
    return entry === undefined ? 0 : Number(BigInt.asIntN(64, integer(entry)))
  }
  if (parts.length === 0) return undefined
  const [seconds, nanos] = [of(1), of(2)]
  const text = new Date(seconds * 1000).toISOString().slice(0, 19)
  return nanos === 0 ? `${text}Z` : `${text}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`
}

function intOrString(bytes: Buffer): unknown {
  const parts = entries(bytes)
  const type = parts.find(({ number }) => number === 1)
  if (type !== undefined && integer(type) === 1n) return textAt(bytes, 3)
  const value = parts.find(({ number }) => number === 2)
  return value === undefined ? 0 : Number(BigInt.asIntN(64, integer(value)))
}

/** JSON of no schema. */
function free(bytes: Buffer): unknown {
  const text = textAt(bytes, 1)
  return text === '' ? {} : JSON.parse(text)
}

function integer({ value }: Entry): bigint {
  if (typeof value === 'bigint') return value
  throw new RangeError('bytes stand where a number should')
}

function bytesOf(entry: Pick<Entry, 'value'> | undefined): Buffer {
  const { value } = entry ?? { value: Buffer.alloc(0) }
  if (typeof value !== 'bigint') return value
  throw new RangeError('a number stands where bytes should')
}
