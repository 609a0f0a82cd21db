import { type CelObjectType, objectType } from '@bufbuild/cel'
import { create, createFileRegistry, type DescMessage } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'

/** A type of values that rules can only get from a function and only ask by functions. */
export interface Opaque<T> {
  readonly desc: DescMessage
  readonly type: CelObjectType
  wrap(value: T): ReflectMessage
  /** @throws TypeError for what `wrap` did not make */
  unwrap(message: ReflectMessage): T
}

/**
 * Makes such a type. The library knows values of its own types and messages alone, so a value is a
 * message that holds its canonical text: equal values have equal texts, and `==` works unchanged.
 */
export function opaque<T>(
  name: string,
  text: { readonly write: (value: T) => string; readonly read: (text: string) => T | undefined },
): Opaque<T> {
  const desc = messageOf(name)
  const [field] = desc.fields
  if (field?.fieldKind !== 'scalar') throw new TypeError(`no field in ${name}`)
  return {
    desc,
    type: objectType(desc),
    wrap(value) {
      const message = reflect(desc)
      message.set(field, text.write(value))
      return message
    },
    unwrap(message) {
      const stored = message.get(field)
      const value = typeof stored === 'string' ? text.read(stored) : undefined
      if (value === undefined) throw new TypeError(`not a value of ${name}`)
      return value
    },
  }
}

function messageOf(name: string): DescMessage {
  const dot = name.lastIndexOf('.')
  const file = create(FileDescriptorProtoSchema, {
    name: `${name}.proto`,
    package: name.slice(0, dot),
    syntax: 'proto3',
    messageType: [
      {
        name: name.slice(dot + 1),
        field: [
          {
            name: 'text',
            number: 1,
            type: FieldDescriptorProto_Type.STRING,
            label: FieldDescriptorProto_Label.OPTIONAL,
          },
        ],
      },
    ],
  })
  const desc = createFileRegistry(file, () => undefined).getMessage(name)
  if (desc === undefined) throw new TypeError(`no message ${name}`)
  return desc
}
