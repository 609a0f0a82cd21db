/*
 * `@peculiar/x509` wires itself with tsyringe, which refuses to load without the Reflect metadata API.
 * It stores what tsyringe's own decorators write and nothing else, so these three functions are enough;
 * import this file before it.
 */
const metadata = new WeakMap<object, Map<string, unknown>>()

const read = (key: string, target: object) => metadata.get(target)?.get(key)

function define(key: string, value: unknown, target: object): void {
  const values = metadata.get(target) ?? new Map<string, unknown>()
  metadata.set(target, values.set(key, value))
}

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { getMetadata: read, getOwnMetadata: read, defineMetadata: define })
}
